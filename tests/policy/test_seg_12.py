"""SEG-12: an expired or ownerless rule in use. Rule r1 expires where the test says; the site is in Santiago, UTC-3."""

from __future__ import annotations

import polars as pl
import pytest

from policy.checks.seg_12 import ExpiredRuleInUse
from tests.policy.factories import DRIVE, HISTORIAN, NOON, PLC, SECOND, SITE, compiled, conversation, only

CHECK = ExpiredRuleInUse()
HOUR = 3_600 * SECOND
#: Midnight of 23 November 2026 in Santiago.
MIDNIGHT = NOON - 9 * HOUR
OTHER = (
    "  - {id: r9, src: [hist1], dst: [plc1], service: modbus, reason: trending, owner: ot, expires: 2027-06-30}\n"
    "- id: c-office"
)


def _site(expires: str = "2026-11-23", owner: str = "owner: ot, ") -> str:
    return SITE.replace("owner: ot, expires: 2027-06-30", f"{owner}expires: {expires}", 1)


def _found(site: str, at: int = NOON, server: str = PLC) -> pl.DataFrame:
    mine = compiled(site)
    wire = conversation(HISTORIAN, server, at=at, service="modbus", confidence="structure")
    return CHECK.violations(mine, wire.judged(mine))


@pytest.mark.parametrize(("at", "fires"), [(MIDNIGHT - 1, False), (MIDNIGHT, True), (NOON, True)])
def test_the_day_begins_at_midnight_where_the_site_is(at: int, *, fires: bool) -> None:
    assert _found(_site(), at).height == fires


def test_says_which_rule_and_since_when() -> None:
    found = only(_found(_site()))
    assert found["what"] == "expired"
    assert found["examples"][0]["nearest"] == "r1: wanted until 2026-11-23"
    assert "rule r1, which was wanted until 2026-11-23" in CHECK.why(compiled(_site()), found)
    assert CHECK.title_of(found) == "a rule in use that has expired"


def test_another_rule_that_still_holds_is_enough() -> None:
    site = _site().replace("- id: c-office", OTHER)
    assert _found(site).is_empty()
    assert _found(site, server=DRIVE).height == 1


def test_of_several_expired_rules_the_last_one_counts() -> None:
    site = _site().replace("- id: c-office", OTHER.replace("2027-06-30", "2026-10-01"))
    assert only(_found(site))["examples"][0]["nearest"] == "r1: wanted until 2026-11-23"


def test_a_rule_without_an_end_or_with_one_to_come_is_silent() -> None:
    assert _found(_site("2027-06-30")).is_empty()
    assert _found(SITE.replace(", expires: 2027-06-30}", "}")).is_empty()


def test_reports_a_rule_that_nobody_owns() -> None:
    site = _site("2027-06-30", owner="")
    found = only(_found(site))
    assert found["what"] == "ownerless"
    assert found["examples"][0]["nearest"] == "r1: without an owner"
    assert "nobody answers" in CHECK.why(compiled(site), found)
    assert _found(site.replace("- id: c-office", OTHER)).is_empty()


def test_what_no_rule_allows_is_not_judged_here() -> None:
    mine = compiled(_site())
    wire = conversation(HISTORIAN, PLC, 22, service="ssh", confidence="handshake")
    assert CHECK.violations(mine, wire.judged(mine)).is_empty()
