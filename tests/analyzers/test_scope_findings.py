"""Budgets that burn and loss over the target: each fires on what is bad enough, and stays silent beside it."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest

from analyzers import sketch
from analyzers.findings import Finding, canonical_line
from analyzers.measurements import SLA_MINUTES
from analyzers.scope_watch import KEEP_MINUTES, Cell, Conversation, ScopeWatch
from tests.policy.factories import DRIVE, HISTORIAN, MINUTE, NOON, PLC, SITE, batch, compiled, packed, row

MINE = compiled()
POLLED: Conversation = (packed(HISTORIAN), packed(PLC), 6, 502)
MS = 1_000_000


def minute(number: int, *, server: str = PLC, **more: Any) -> dict[str, Any]:
    """A minute of the historian's polls of a controller of class C2, by default sixty and all good."""
    at = NOON + number * MINUTE
    given: dict[str, Any] = {
        "minute": at,
        "valid": True,
        "from_zone": "dmz",
        "to_zone": "plant",
        "conduit": "c-hist",
        "client_ip": packed(HISTORIAN),
        "server_ip": packed(server),
        "server_port": 502,
        "ip_proto": 6,
        "service": "modbus",
        "first_ts": at + 5,
        "last_ts": at + 6,
        "first_frame": number * 100 + 1,
        "transactions": 60,
        "good": 60,
        "data_segments": 120,
    }
    return row(SLA_MINUTES, **{**given, **more})


def findings(
    rows: list[dict[str, Any]],
    *,
    polled: set[Conversation] | None = None,
    told: set[Cell] | None = None,
    site: str = SITE,
) -> list[Finding]:
    watch = ScopeWatch(compiled(site), "p" * 64, "1")
    watch.feed(batch(SLA_MINUTES, rows))
    return watch.finish({POLLED} if polled is None else polled, told or set(), "c" * 64)


def only(rows: list[dict[str, Any]], **more: Any) -> Finding:
    found = findings(rows, **more)
    assert len(found) == 1, found
    return found[0]


def test_a_quiet_hour_burns_and_loses_nothing() -> None:
    assert findings([minute(number) for number in range(60)]) == []
    assert findings([]) == []


def test_a_budget_that_burns_is_one_finding_of_its_conduit() -> None:
    rows = [minute(number) for number in range(55)]
    rows += [minute(number, good=40, late=20) for number in range(55, 60)]
    finding = only(rows)
    assert (finding.kind, finding.conduit, finding.severity) == ("SLA-03", "c-hist", 3)
    assert finding.count == 100
    assert (finding.first_ns, finding.last_ns) == (NOON + 55 * MINUTE, NOON + 60 * MINUTE - 1)
    # The worst hour ends four minutes after the last: 100 of 56 x 60 slots, where one of a thousand is allowed.
    assert "29.8 times as fast" in finding.why and "100 late" in finding.why
    assert [one.frame for one in finding.evidence.operations] == [5501, 5601, 5701, 5801, 5901]


def test_what_the_target_allows_is_no_finding() -> None:
    rows = [minute(number, good=59 if number % 30 == 0 else 60) for number in range(60)]
    assert findings(rows) == []


@pytest.mark.parametrize("bad", [2, 3])
def test_two_bad_slots_are_chance(bad: int) -> None:
    rows = [minute(number, transactions=5, good=5) for number in range(30)]
    rows[-1] = minute(29, transactions=5, good=5 - bad)
    assert len(findings(rows)) == (bad >= 3)


def test_slots_that_nobody_asked_in_are_bad_ones_too() -> None:
    rows = [minute(number) for number in range(10)] + [minute(10, transactions=30, good=30, missed=30)]
    assert "30 missed" in only(rows).why


def test_what_an_outage_tells_is_not_told_again() -> None:
    rows = [minute(number) for number in range(10)] + [minute(10, good=20, unanswered=40)]
    assert only(rows).kind == "SLA-03"
    assert findings(rows, told={(POLLED, NOON + 10 * MINUTE)}) == []
    other = {((packed(HISTORIAN), packed(DRIVE), 6, 502), NOON + 10 * MINUTE)}
    assert only(rows, told=other).kind == "SLA-03"


def test_a_strangers_survey_spends_nobodys_budget() -> None:
    rows = [minute(number) for number in range(10)]
    rows += [minute(5, server=DRIVE, transactions=200, good=0, exceptions=200)]
    assert findings(rows) == []
    assert only(rows, polled={POLLED, (packed(HISTORIAN), packed(DRIVE), 6, 502)}).dst_ip == DRIVE


def test_invalid_and_excluded_minutes_burn_nothing() -> None:
    bad: dict[str, Any] = {"good": 0, "unanswered": 60}
    rows = [minute(number) for number in range(60)]
    assert findings([*rows, minute(60, exclusion="CHG-1", **bad)]) == []
    assert findings([*rows, minute(60, valid=False, **bad)]) == []
    assert only([*rows, minute(60, **bad)]).kind == "SLA-03"


def test_slow_answers_spend_the_budget_of_transaction_time() -> None:
    def timed(slow: int) -> dict[str, Any]:
        inside, outside = (int(sketch.buckets(pl.Series([ms * MS]))[0]) for ms in (20, 700))
        return {"transaction_buckets": [inside, outside], "transaction_counts": [60 - slow, slow]}

    # C2 allows one of a hundred above 500 ms; a quarter is 25 times as many, a twentieth 5 times: 6 are told.
    finding = only([minute(number, **timed(15)) for number in range(10)])
    assert "transaction time within 500 ms" in finding.why and "25.0 times" in finding.why
    assert finding.count == 150
    assert findings([minute(number, **timed(3)) for number in range(10)]) == []


def test_loss_that_chance_does_not_explain_is_a_finding() -> None:
    # 7,200 segments in an hour: 0.1 % are 7.2. Poisson: 17 or more 0.12 % of the time, 18 or more 0.05 %.
    def hour(lost: int) -> list[dict[str, Any]]:
        return [
            minute(number, lost_segments=int(number < lost), lost_after_tap=int(number < lost))
            for number in range(60)
        ]

    assert findings(hour(17)) == []
    finding = only(hour(18))
    assert (finding.kind, finding.severity, finding.count) == ("SLA-04", 2, 18)
    assert "18 of 7,200 data segments lost (0.25%), target 0.10%" in finding.why
    assert "18 of them were lost behind the tap, 0 before it" in finding.why
    tail = 1 - sum(math.exp(-7.2) * 7.2**count / math.factorial(count) for count in range(18))
    assert tail < 0.001 < tail + math.exp(-7.2) * 7.2**17 / math.factorial(17)


def test_loss_within_a_zone_is_the_zones() -> None:
    rows = [
        minute(number, conduit="", from_zone="plant", lost_segments=2, lost_before_tap=2)
        for number in range(20)
    ]
    finding = only(rows)
    assert (finding.kind, finding.conduit, finding.title) == (
        "SLA-04",
        "",
        "loss over the target: zone Concentrator",
    )


def test_severity_follows_the_class() -> None:
    rows = [minute(number) for number in range(10)] + [minute(10, good=0, unanswered=60)]
    strict = SITE + "sla:\n- {id: s, scope: {conduit: c-hist}, class: C1}\n"
    loose = strict.replace("class: C1", "class: C4")
    assert [only(rows, site=site).severity for site in (strict, SITE, loose)] == [4, 3, 2]


def test_minutes_one_by_one_show_the_same_and_the_order_does_not_matter() -> None:
    rows = [minute(number, good=60 - number % 7, late=number % 7, lost_segments=1) for number in range(40)]
    whole = b"".join(map(canonical_line, findings(rows)))
    assert whole
    assert b"".join(map(canonical_line, findings(rows[::-1]))) == whole
    watch = ScopeWatch(MINE, "p" * 64, "1")
    for one in rows:
        watch.feed(batch(SLA_MINUTES, [one]))
    assert b"".join(map(canonical_line, watch.finish({POLLED}, set(), "c" * 64))) == whole


def told_live(
    rows: list[dict[str, Any]], told: dict[int, set[Cell]] | None = None, at_once: int = 1
) -> list[list[Finding]]:
    """What an interface tells that brings so many minutes at a time; `told`: outages, by when they are found."""
    watch, known, by_minute = ScopeWatch(MINE, "p" * 64, "1", keep_minutes=KEEP_MINUTES), set[str](), []
    for number in range(0, len(rows), at_once):
        watch.feed(batch(SLA_MINUTES, rows[number : number + at_once]))
        found = watch.finish({POLLED}, (told or {}).get(number, set()), "c" * 64)
        by_minute.append([finding for finding in found if finding.id not in known])
        known |= {finding.id for finding in found}
    return by_minute


def test_an_interface_remembers_a_bounded_time() -> None:
    watch = ScopeWatch(MINE, "p" * 64, "1", keep_minutes=KEEP_MINUTES)
    watch.feed(batch(SLA_MINUTES, [minute(0, good=0, unanswered=60), *(minute(n) for n in range(1, 29))]))
    assert watch.finish({POLLED}, set(), "c" * 64)
    watch.feed(batch(SLA_MINUTES, [minute(number) for number in range(29, 800)]))
    assert watch.finish({POLLED}, set(), "c" * 64) == []
    assert watch.remembered_since_ns == NOON + (800 - KEEP_MINUTES) * MINUTE


def test_what_goes_on_for_half_a_day_is_told_as_in_a_replay() -> None:
    rows = [minute(number, good=57, late=3, lost_segments=2) for number in range(12 * 60)]
    by_minute = told_live(rows, at_once=10)
    # One budget that burns all day, and one loss an hour: the same ids, however long ago they began.
    found = [finding for of in by_minute for finding in of]
    assert sorted(one.id for one in found) == sorted(one.id for one in findings(rows))
    assert [one.kind for one in found] == ["SLA-03"] + ["SLA-04"] * 12
    assert [len(of) for of in by_minute[:7]] == [2, 0, 0, 0, 0, 0, 1]


def test_what_an_outage_tells_later_is_no_part_of_what_burns() -> None:
    rows = [minute(number) for number in range(30)]
    rows[20] = minute(20, good=58, unanswered=2)
    rows[22] = minute(22, good=20, unanswered=40)
    cell = (POLLED, NOON + 22 * MINUTE)
    # Two bad slots are chance; the forty of an outage are told as that, here a minute after it was measured.
    assert any(told_live(rows))
    assert told_live(rows, {22: {cell}}) == [[]] * 30
    later = told_live(rows, {23: {cell}})
    assert [number for number, of in enumerate(later) if of] == [22]
    assert findings(rows, told={cell}) == []
