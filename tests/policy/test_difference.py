"""What a change of a policy means: each section, and that writing it otherwise is none."""

from __future__ import annotations

import pytest

from policy.difference import Change, differences
from policy.loader import loads
from tests.policy.access import TEXT

WHOLE = TEXT + (
    "sla: [{id: s1, scope: {zone: plant}, class: C2}]\n"
    'changes:\n- {ref: CHG-5, start: "2026-11-23T11:00:00Z", end: "2026-11-23T15:00:00Z", assets: [plc1, sis1]}\n'
    "suppressions:\n- {id: s1, what: [SEG-05], scope: {zones: [plant]}, reason: test, owner: ot, expires: 2026-12-01}\n"
)


def changes(old: str, new: str) -> list[Change]:
    assert old in WHOLE, old
    return differences(loads(WHOLE).site, loads(WHOLE.replace(old, new)).site)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("assets:\n", "# a comment\nassets:\n"),
        ("functions: [3, 4, 6, 16, 22, 23]", "functions: [23, 3, 4, 16, 6, 22]"),
        ("write: [[300, 309], [310, 319]]", "write: [[300, 319]]"),
        ("max_session: PT2H", "max_session: PT120M"),
        (
            "owner: ot, expires: 2027-06-30}\n- id: c-office",
            "owner: ot, expires: '2027-06-30'}\n- id: c-office",
        ),
        ("- id: c-office\n", "- id: c-office\n  cleartext: allow\n"),
        ("assets: [plc1, sis1]", "assets: [sis1, plc1]"),
        (
            'start: "2026-11-23T11:00:00Z", end: "2026-11-24T',
            'start: "2026-11-23T08:00:00-03:00", end: "2026-11-24T',
        ),
    ],
)
def test_writing_it_otherwise_is_no_change(old: str, new: str) -> None:
    assert changes(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "section", "entry", "key", "before", "after"),
    [
        ("[10.40.0.0/24]", "[10.40.0.0/23]", "zones", "office", "cidrs", "[10.40.0.0/24]", "[10.40.0.0/23]"),
        ("role: drive", "role: plc", "assets", "vsd1", "role", "drive", "plc"),
        ("  from: dmz\n", "  from: dmz\n  cleartext: deny\n", "conduits", "c-hist", "cleartext", "allow", "deny"),
        ("units: [1]", "units: [1, 2]", "rules", "r1", "units", "[1]", "[1, 2]"),
        ("{id: r2, service: https", "{id: r2, port: 443, service: https", "rules", "r2", "port", "", "443"),
        ('start: "08:00"', 'start: "09:00"', "remote_access", "ra-1", "windows", None, None),
        ("class: C2}", "class: C1}", "sla", "s1", "class", "C2", "C1"),
        ("expires: 2026-12-01", "expires: 2027-12-01", "suppressions", "s1", "expires", "2026-12-01", "2027-12-01"),
        ("tz: America/Santiago", "tz: UTC", "site", "site", "tz", "America/Santiago", "UTC"),
    ],
)  # fmt: skip
def test_a_key_that_says_something_else_is_told(
    old: str, new: str, section: str, entry: str, key: str, before: str | None, after: str | None
) -> None:
    (change,) = changes(old, new)
    assert (change.section, change.entry, change.what) == (section, entry, "changed")
    (one,) = change.keys
    assert one.key == key
    if before is not None:
        assert (one.before, one.after) == (before, after)
    assert not change.only_words


def test_a_new_and_a_gone_entry_are_told_whole() -> None:
    line = "- {id: vsd1, zone: plant, ip: 10.20.0.13, role: drive}\n"
    without = WHOLE.replace(line, "").replace(", vsd1]", "]")
    gone = differences(loads(WHOLE).site, loads(without).site)
    assert [(one.section, one.entry, one.what) for one in gone] == [
        ("assets", "vsd1", "removed"),
        ("rules", "r1", "changed"),
    ]
    fresh = differences(loads(without).site, loads(WHOLE).site)
    assert (fresh[0].section, fresh[0].entry, fresh[0].what) == ("assets", "vsd1", "added")
    assert ("ip", "10.20.0.13") in [(one.key, one.after) for one in fresh[0].keys]


def test_a_threshold_and_a_switch_are_told() -> None:
    found = differences(
        loads(WHOLE).site, loads(WHOLE + "detections: {switched_off: [O3], M8: {units: 20}}\n").site
    )
    assert [(one.section, one.entry, one.keys[0].before, one.keys[0].after) for one in found] == [
        ("detections", "M8", "10", "20"),
        ("detections", "switched_off", "[]", "[O3]"),
    ]


def test_a_reason_is_words() -> None:
    (change,) = changes("reason: trending", "reason: trends")
    assert change.only_words
