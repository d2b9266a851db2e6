"""Remarks on what a policy may say but rarely should."""

from __future__ import annotations

import pytest

from policy.lints import lint
from policy.loader import loads
from policy.report import check_report
from tests.policy.factories import SITE

R1 = "- {id: r1, src: [hist1], dst: [plc1, sis1, vsd1], service: modbus, port: 502, units: [1],"
SLA = "sla:\n- {id: s, scope: {zone: plant}, class: C1}\n"
ACCESS = """\
remote_access:
- {id: ra, vendor: acme, intermediate: [hist1], approval: required,
   windows: [{days: [mon], start: "08:00", end: "12:00"}, {days: [mon, tue], start: "12:00", end: "13:00"}]}
"""
CHANGES = """\
changes:
- {ref: CHG-1, start: "2026-11-23T12:00:00Z", end: "2026-11-23T13:00:00Z", assets: [plc1, vsd1]}
- {ref: CHG-2, start: "2026-11-23T13:00:00Z", end: "2026-11-23T14:00:00Z", assets: [plc1]}
"""
READER = "id: r7, src: [hist1], dst: [plc1], service: modbus"
BY_ADDRESS = "id: r7, src: [10.35.0.10], dst: [10.20.0.11], service: modbus"
DOCUMENTED = "reason: a, owner: b, expires: 2030-01-01"


def codes(text: str) -> list[str]:
    return [found.code for found in lint(loads(text).site)]


def with_rule(rule: str) -> str:
    return SITE.replace("- id: c-office", f"  - {{{rule}, {DOCUMENTED}}}\n- id: c-office")


def test_a_poll_between_assets_without_address_is_a_remark_for_each() -> None:
    poll = "polls:\n- {client: hist1, server: vsd1, unit: 1, function: 3, address: 0, quantity: 1, period_ms: 1000}\n"
    assert codes(SITE + poll) == []
    nowhere = SITE.replace("ip: 10.20.0.13, ", "").replace("dst: [plc1, sis1, vsd1]", "dst: [plc1, sis1]")
    assert codes(nowhere + poll) == ["asset-without-address"]


def test_a_sound_policy_has_no_remarks() -> None:
    assert codes(SITE + SLA + ACCESS + CHANGES) == []


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("cidrs: [10.40.0.0/24], sensors: [s1]", "cidrs: [10.40.0.0/24]", "unseen-zone"),
        ("cidrs: [10.50.0.0/24], ", "", "empty-zone"),
        ("criticality: C2, cidrs: [10.20.0.0/24", "criticality: C1, cidrs: [10.20.0.0/24", "c1-without-sla"),
        ("reason: trending, ", "", "undocumented-rule"),
        ("owner: ot, ", "", "undocumented-rule"),
        (", expires: 2027-06-30}\n- id: c-office", "}\n- id: c-office", "undocumented-rule"),
        ("from: office\n  to: dmz", "from: office\n  to: plant", "skipped-level"),
        ("service: https, ", "", "any-to-any"),
        ("ip: 10.20.0.13, ", "", "asset-without-address"),
        ("write: [[300, 309], [310, 319]]", "write: []", "write-without-range"),
    ],
)  # fmt: skip
def test_one_unwise_word_is_one_remark(old: str, new: str, code: str) -> None:
    assert old in SITE
    assert codes(SITE.replace(old, new)) == [code]


def test_a_c1_zone_with_an_sla_is_well() -> None:
    text = SITE.replace(
        "id: plant, name: Concentrator, purdue: 2, criticality: C2", "id: plant, purdue: 2, criticality: C1"
    )
    assert codes(text) == ["c1-without-sla"]
    assert codes(text + SLA) == []


def test_modbus_without_any_limit() -> None:
    # Another pair of hosts, so that it covers no other rule.
    text = with_rule("id: r7, src: [10.35.0.77], dst: [plc1], service: modbus, port: 502")
    assert codes(text) == ["modbus-unlimited"]


@pytest.mark.parametrize(
    ("rule", "shadowed"),
    [
        (f"{READER}, port: 502, units: [1], functions: [3], read: [[5, 9]], write: []", True),
        (f"{READER}, port: 502, units: [1], functions: [3], read: [[5, 200]], write: []", False),
        (f"{READER}, port: 502, units: [1], functions: [1], read: [[5, 9]], write: []", False),
        (f"{READER}, port: 502, units: [2], functions: [3], read: [[5, 9]], write: []", False),
        (f"{READER}, port: 503, units: [1], functions: [3], read: [[5, 9]], write: []", False),
        ("id: r7, src: [hist1], service: modbus, port: 502, units: [1], functions: [3], read: [[5, 9]]", False),
        (f"{BY_ADDRESS}, port: 502, units: [1], functions: [3], read: [[5, 9]], write: []", True),
    ],
)  # fmt: skip
def test_a_rule_shadowed_by_another(rule: str, shadowed: bool) -> None:
    assert ("shadowed-rule" in codes(with_rule(rule))) == shadowed


def test_an_earlier_rule_may_be_shadowed_by_a_later_one() -> None:
    text = with_rule("id: r7, dst: [10.20.0.0/24], service: modbus, functions: [3, 4, 6, 16, 22, 23]")
    found = [found for found in lint(loads(text).site) if found.code == "shadowed-rule"]
    assert [f.where for f in found] == ["conduits[0].allow[0]"]
    assert "r1" in found[0].message and "r7" in found[0].message


def test_of_two_equal_rules_the_later_is_remarked_on() -> None:
    text = (
        SITE + "- {id: c2, from: dmz, to: office, allow: [{id: x1, service: dns}, {id: x2, service: dns}]}\n"
    )
    found = [found.where for found in lint(loads(text).site) if found.code == "shadowed-rule"]
    assert found == ["conduits[2].allow[1]"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("intermediate: [hist1], ", "", "vendor-without-jump-host"),
        ("approval: required", "approval: none", "vendor-without-approval"),
        ('start: "12:00"', 'start: "11:59"', "overlapping-windows"),
    ],
)
def test_remote_access(old: str, new: str, code: str) -> None:
    assert codes(SITE + ACCESS.replace(old, new)) == [code]


def test_own_staff_need_no_jump_host() -> None:
    assert codes(SITE + ACCESS.replace("vendor: acme, intermediate: [hist1], ", "")) == []


def test_changes_of_one_asset_that_overlap() -> None:
    assert codes(SITE + CHANGES.replace('start: "2026-11-23T13:00', 'start: "2026-11-23T12:59')) == [
        "overlapping-windows"
    ]
    assert (
        codes(
            SITE
            + CHANGES.replace('start: "2026-11-23T13:00', 'start: "2026-11-23T12:59').replace(
                "[plc1]", "[sis1]"
            )
        )
        == []
    )


def test_the_report_counts_and_names_lines() -> None:
    text = SITE.replace("service: https, ", "")
    report = check_report(loads(text, "site.yaml"))
    assert (report.counts["zones"], report.counts["assets"], report.counts["rules"]) == (4, 4, 2)
    line = next(n for n, words in enumerate(text.splitlines(), 1) if "id: r2" in words)
    (remark,) = report.remarks
    assert remark.located("site.yaml").startswith(f"site.yaml:{line} conduits[1].allow[0]: rule r2 ")
    assert str(remark.lint) == f"conduits[1].allow[0]: {remark.lint.message}"
