"""Targets and excluded windows that contradict themselves: one remark each, with its place, and none on sound ones."""

from __future__ import annotations

import pytest

from policy.lints import Lint, lint
from policy.loader import PolicyError, loads
from policy.report import check_report
from tests.policy.factories import SITE

SOUND = """\
changes:
- {ref: CHG-1, start: "2026-11-23T12:00:00Z", end: "2026-11-23T13:00:00Z", assets: [plc1], sla_exclude: true}
- {ref: CHG-2, start: "2026-11-23T14:00:30Z", end: "2026-11-23T15:00:00Z", assets: [plc1], kind: emergency}
sla:
- {id: s-plant, scope: {zone: plant}, class: C2, transaction_p99_ms: 400, deadline_ms: 400, rtt_p99_ms: 100}
- {id: s-hist, scope: {conduit: c-hist}, class: C4}
"""


def remarks(text: str) -> list[Lint]:
    return lint(loads(SITE + text).site)


def test_sound_targets_and_windows_have_no_remark() -> None:
    assert remarks(SOUND) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "where"),
    [
        ("deadline_ms: 400", "deadline_ms: 399", "deadline-below-target", "sla[0].deadline_ms"),
        # the class's deadline of 1 s
        (
            "transaction_p99_ms: 400, deadline_ms: 400",
            "transaction_p99_ms: 1001",
            "deadline-below-target",
            "sla[0].transaction_p99_ms",
        ),
        ("rtt_p99_ms: 100", "rtt_p99_ms: 401", "round-trip-above-answer", "sla[0].rtt_p99_ms"),
        (
            "transaction_p99_ms: 400, deadline_ms: 400, rtt_p99_ms: 100",
            "transaction_p99_ms: 99",
            "round-trip-above-answer",
            "sla[0].transaction_p99_ms",
        ),
        (
            "class: C2, transaction_p99_ms: 400, deadline_ms: 400, rtt_p99_ms: 100",
            "class: C3",
            "sla-below-criticality",
            "sla[0].class",
        ),
        (
            "kind: emergency}",
            "kind: emergency, sla_exclude: true}",
            "emergency-excluded",
            "changes[1].sla_exclude",
        ),
        (
            "[plc1], sla_exclude",
            "[plc1, vsd1], sla_exclude",
            "excluded-asset-without-address",
            "changes[0].assets",
        ),
        ("T12:00:00Z", "T12:00:01Z", "excluded-part-of-a-minute", "changes[0].start"),
        ("T13:00:00Z", "T12:59:59Z", "excluded-part-of-a-minute", "changes[0].end"),
    ],
)
def test_one_contradiction_is_one_remark_at_its_place(old: str, new: str, code: str, where: str) -> None:
    assert SOUND.count(old) == 1
    site = SITE.replace("ip: 10.20.0.13, ", "") if "vsd1" in new else SITE
    found = [f for f in lint(loads(site + SOUND.replace(old, new)).site) if f.code != "asset-without-address"]
    assert [(f.code, f.where) for f in found] == [(code, where)]


def test_a_remark_names_its_line_and_its_repair() -> None:
    text = SITE + SOUND.replace("deadline_ms: 400", "deadline_ms: 250")
    (remark,) = check_report(loads(text, "site.yaml")).remarks
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "deadline_ms: 250" in row)
    assert remark.located("site.yaml") == (
        f"site.yaml:{line} sla[0].deadline_ms: SLA s-plant: an answer after 400 ms still meets the transaction target, "
        "but after 250 ms it counts as late; raise `deadline_ms` to 400 or lower `transaction_p99_ms` "
        "[deadline-below-target]"
    )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "{conduit: c-hist}, class: C4",
            "{zone: plant}, class: C2",
            r"site.yaml:\d+ sla\[1\].scope: .*keep one",
        ),
        ("rtt_p99_ms: 100", "rtt_p95_ms: 101", r"site.yaml:\d+ sla\[0\]: .*lower `rtt_p95_ms`"),
    ],
)
def test_what_cannot_be_judged_at_all_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        loads(SITE + SOUND.replace(old, new), "site.yaml")
