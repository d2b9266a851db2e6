"""Findings under suppressions: kept and tagged, where the scope holds, until the day it ends."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from analyzers.findings import Finding
from analyzers.suppressing import Suppressions
from policy.loader import loads
from policy.model import Site, epoch_ns
from tests.policy.factories import SITE
from tests.store.samples import finding

#: Santiago is three hours behind UTC in November: the first of December begins there at 03:00 UTC.
MIDNIGHT_NS = epoch_ns(datetime(2026, 12, 1, 3, tzinfo=UTC))


def site(scope: str = "{zones: [plant]}", what: str = "SEG-05", expires: str = "2026-12-01") -> Site:
    entry = f"{{id: s1, what: [{what}], scope: {scope}, reason: tuning, owner: ot, expires: {expires}}}"
    return loads(SITE + f"suppressions: [{entry}]\n").site


def one(**changed: object) -> Finding:
    values = {
        "kind": "SEG-05",
        "src_zone": "dmz",
        "dst_zone": "plant",
        "src_ip": "10.35.0.10",
        "dst_ip": "10.20.0.11",
        "src_asset": "hist1",
        "dst_asset": "plc1",
        "service": "modbus",
        "conduit": "c-hist",
        "first_ns": MIDNIGHT_NS - 1,
        **changed,
    }
    return finding(0).model_copy(update=values)


@pytest.mark.parametrize(
    "scope",
    [
        "{zones: [plant]}",
        "{zones: [office, dmz]}",
        "{conduits: [c-hist]}",
        "{assets: [plc1]}",
        "{assets: [hist1]}",
        "{client: [hist1]}",
        "{client: [10.35.0.0/24], server: [10.20.0.11]}",
        "{service: [modbus], server: [plc1]}",
    ],
)
def test_tags_what_lies_in_the_scope_and_changes_nothing_else(scope: str) -> None:
    before = one()
    (after,) = Suppressions(site(scope)).tagged([before])
    assert after.suppression is not None
    assert after.suppression.model_dump() == {
        "id": "s1",
        "owner": "ot",
        "reason": "tuning",
        "until": "2026-12-01",
    }
    assert after.model_copy(update={"suppression": None}) == before


@pytest.mark.parametrize(
    "scope",
    [
        "{zones: [office]}",
        "{conduits: [c-office]}",
        "{assets: [vsd1]}",
        "{client: [plc1]}",
        "{client: [10.35.0.11]}",
        "{server: [hist1]}",
        "{service: [opcua]}",
        "{zones: [plant], service: [opcua]}",
    ],
)
def test_leaves_what_lies_outside(scope: str) -> None:
    suppressions = Suppressions(site(scope))
    assert suppressions.tagged([one()]) == [one()]
    assert [use.idle for use in suppressions.uses()] == [True]


def test_leaves_other_kinds() -> None:
    assert Suppressions(site(what="SEG-01")).tagged([one()]) == [one()]


def test_ends_at_the_site_s_midnight_and_speaks_up_then() -> None:
    suppressions = Suppressions(site())
    last, first = suppressions.tagged([one(), one(first_ns=MIDNIGHT_NS)])
    assert last.suppression is not None
    assert first.suppression is None
    assert first.why.endswith("Suppression s1 (ot) covered this until 2026-12-01 and has expired.")
    (use,) = suppressions.uses()
    assert (use.suppressed, use.expired, use.idle) == (1, 1, False)


def test_one_that_holds_is_found_behind_an_expired_one() -> None:
    later = site(expires="2027-01-01").suppressions[0].model_copy(update={"id": "s2"})
    both = site(expires="2025-01-01").model_copy(
        update={"suppressions": (*site(expires="2025-01-01").suppressions, later)}
    )
    (tagged,) = Suppressions(both).tagged([one()])
    assert tagged.suppression is not None
    assert tagged.suppression.id == "s2"
    assert "expired" not in tagged.why


def test_a_finding_with_nobody_known_is_under_no_client() -> None:
    nobody = one(src_ip="", src_asset="")
    assert Suppressions(site("{client: [10.35.0.0/24]}")).tagged([nobody]) == [nobody]
