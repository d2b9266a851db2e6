"""Suppressions as somebody writes them, and what is said of those that have outlived their cause."""

from __future__ import annotations

from datetime import date

import pytest

from analyzers.catalogue import judged_ids
from analyzers.indicators.kinds import kinds_of
from policy.kinds import KIND_IDS
from policy.loader import PolicyError, loads
from policy.report import check_report
from policy.suppression_lints import suppression_remarks
from tests.policy.factories import SITE

WHOLE = (
    "suppressions:\n"
    "- {id: s1, what: [SEG-05, M9], scope: {client: [hist1], server: [10.20.0.0/24], service: [modbus]},\n"
    "   reason: the historian is being tuned, owner: ot, expires: 2026-12-01}\n"
)


def test_every_kind_of_finding_can_be_named() -> None:
    assert set(KIND_IDS) == judged_ids() | {kind.id for kind in kinds_of({}).values()}
    assert len(KIND_IDS) == len(set(KIND_IDS))


def test_a_suppression_is_read() -> None:
    (one,) = loads(SITE + WHOLE).site.suppressions
    assert (one.id, one.what, one.expires) == ("s1", ("SEG-05", "M9"), date(2026, 12, 1))
    assert one.scope.client == ("hist1",)


def test_a_rule_of_one_s_own_can_be_named() -> None:
    (one,) = loads(SITE + WHOLE.replace("M9]", '"rule:writes-at-night"]')).site.suppressions
    assert one.what == ("SEG-05", "rule:writes-at-night")
    with pytest.raises(PolicyError, match="which is no kind of finding"):
        loads(SITE + WHOLE.replace("M9]", '"rule:"]'))


@pytest.mark.parametrize("key", ["reason", "owner", "expires", "scope", "what", "id"])
def test_nothing_of_it_may_be_left_out(key: str) -> None:
    values = {
        "id": "s1",
        "what": "[SEG-05]",
        "scope": "{zones: [plant]}",
        "reason": "test",
        "owner": "ot",
        "expires": "2026-12-01",
    }
    del values[key]
    entry = ", ".join(f"{name}: {value}" for name, value in values.items())
    with pytest.raises(PolicyError, match=rf"suppressions\[0\]\.{key}: is missing; add `{key}:`"):
        loads(SITE + f"suppressions: [{{{entry}}}]\n")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("M9]", "M99]", r"`what` names 'M99', which is no kind of finding; did you mean 'M9'"),
        ("{client: [hist1], server: [10.20.0.0/24], service: [modbus]}", "{}", "limits nothing; name zones"),
        ("client: [hist1]", "client: [hist9]", r"scope\.client\[0\]: unknown asset 'hist9'; did you mean"),
        ("client: [hist1]", "zones: [plnt]", r"scope\.zones\[0\]: unknown zone 'plnt'; did you mean 'plant'"),
        ("client: [hist1]", "conduits: [c-h]", r"scope\.conduits\[0\]: unknown conduit 'c-h'"),
        ("[modbus]", "[modbuss]", r"scope\.service\[0\]: unknown service 'modbuss'; did you mean 'modbus'"),
        ("10.20.0.0/24", "10.20.0.7/24", r"has host bits set; write 10\.20\.0\.0/24"),
        ("owner: ot", 'owner: " "', "`owner` is empty"),
        ("client:", "clients:", r"scope\.clients: unknown key; did you mean 'client'"),
    ],
)
def test_mistakes_are_told_with_their_place_and_repair(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    with pytest.raises(PolicyError, match=message):
        loads(SITE + WHOLE.replace(old, new))


def test_an_id_is_given_once() -> None:
    with pytest.raises(PolicyError, match="the suppression 's1' is already at"):
        loads(SITE + WHOLE + WHOLE.partition("\n")[2])


@pytest.mark.parametrize(("today", "codes"), [("2026-11-30", []), ("2026-12-01", ["expired-suppression"])])
def test_an_expired_one_is_a_remark_from_its_day_on(today: str, codes: list[str]) -> None:
    loaded = loads(SITE + WHOLE)
    found = list(suppression_remarks(loaded.site, date.fromisoformat(today)))
    assert [one.code for one in found] == codes
    shown = check_report(loaded, date.fromisoformat(today)).remarks
    assert [one.lint.code for one in shown if "suppress" in one.lint.code] == codes


def test_one_of_a_kind_that_is_off_is_a_remark() -> None:
    (found,) = suppression_remarks(
        loads(SITE + WHOLE + "detections: {switched_off: [M9]}\n").site, date(2026, 1, 1)
    )
    assert found.code == "suppresses-nothing"
