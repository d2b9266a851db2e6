"""A month's page from roll-ups beside the same page from minutes: 100 million transactions in an embedded store.

Rows of `sla_minutes` are generated, not packets: what is measured is the store. Every figure of the page is compared.

usage: python -m benchmarks.rollups [--conversations 50] [--days 30] [--store DIR] [--rounds 5] [--report-only]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from analyzers.periods import Period
from analyzers.sla_report import Source, sla_report
from analyzers.sla_report_form import SlaReport
from analyzers.sla_totals import MINUTE
from benchmarks.machine import describe
from policy.loader import loads
from policy.zoning import compile_site
from store.client import Store, open_store
from store.queries import reported, rolled, sla
from store.rollups import SLA_COURSE

RESULTS: Final = Path(__file__).resolve().parent / "results" / "rollups.md"
START: Final = datetime(2026, 11, 1, tzinfo=UTC)
ZONE: Final = "zone1"
_STEP_S: Final = 10_800
#: Requests of a conversation in a minute: a poll every 1.25 s.
_REQUESTS: Final = 48

#: The zones and conduits of these minutes.
_POLICY: Final = "\n".join(
    [
        "schema: 1",
        "site: {id: bench, name: Benchmark, tz: UTC}",
        "zones:",
        *(
            f"- {{id: zone{n}, name: Zone {n}, purdue: 1, criticality: C2, cidrs: [10.0.{n}.0/24]}}"
            for n in range(5)
        ),
        "conduits:",
        *(
            f"- {{id: conduit{n}, from: zone{n % 5}, to: zone{(n + 1 + n // 5) % 5}, "
            f"allow: [{{id: r{n}, service: modbus, reason: polls, owner: ot}}]}}"
            for n in range(8)
        ),
    ]
)

_Answer = TypeVar("_Answer")

#: A day of minutes: five zones, eight conduits, one minute in 101 invalid, 10 to 14 buckets a histogram.
_DAY: Final = """
INSERT INTO sla_minutes (site, replay, minute, valid, from_zone, to_zone, conduit, client_ip, server_ip, server_port,
    ip_proto, service, first_ts, last_ts, first_frame, packets, wire_bytes, data_segments, lost_segments,
    lost_after_tap, transactions, good, unanswered, rtt_buckets, rtt_counts, transaction_buckets,
    transaction_counts, server_time_buckets, server_time_counts)
WITH number % {conversations:UInt64} AS c, intDiv(number, {conversations:UInt64}) AS m, cityHash64(number) AS h,
    c % 8 AS k, {day:Int64} AS day,
    fromUnixTimestamp64Nano({day:Int64} + toInt64(m) * 60000000000, 'UTC') AS at
SELECT 'bench', 'month', at, cityHash64(day, m) % 101 != 0, concat('zone', toString(k % 5)),
    concat('zone', toString((k + 1 + intDiv(k, 5)) % 5)), concat('conduit', toString(k)),
    toIPv6(concat('10.0.1.', toString(c % 250))), toIPv6(concat('10.0.2.', toString(c % 40))),
    502, 6, 'modbus', at, at + toIntervalSecond(57), number + 1, 96,
    12000, 48, h % 300 = 0, h % 300 = 0, {requests:UInt64}, {requests:UInt64} - (h % 500 = 0), h % 500 = 0,
    arrayMap(i -> toInt16(700 + c % 50 + i * 2), range(10 + h % 5)),
    arrayMap(i -> toUInt32(1 + i % 3), range(10 + h % 5)),
    arrayMap(i -> toInt16(800 + c % 30 + i), range(10 + h % 5)),
    arrayMap(i -> toUInt32(1 + i % 4), range(10 + h % 5)),
    arrayMap(i -> toInt16(780 + c % 30 + i), range(10 + h % 5)),
    arrayMap(i -> toUInt32(1 + i % 4), range(10 + h % 5))
FROM numbers(1440 * {conversations:UInt64})
"""


@dataclass(frozen=True, slots=True)
class Timed:
    """One part of the page: waited and worked, ms, from roll-ups and from minutes; whether the figures are the same."""

    name: str
    rolled_ms: tuple[float, float]
    raw_ms: tuple[float, float]
    same: bool


def fill(store: Store, conversations: int, days: int) -> float:
    """Make the month; how long the inserts took, s."""
    store.command("INSERT INTO replays (id, step, state, site) VALUES ('month', 2, 'done', 'bench')")
    started = time.monotonic()
    for day in range(days):
        at = int((START + timedelta(days=day)).timestamp()) * 1_000_000_000
        bound = {"conversations": conversations, "day": at, "requests": _REQUESTS}
        store.command(_DAY, bound)
        sys.stderr.write(f"\rday {day + 1} of {days}")
        sys.stderr.flush()
    sys.stderr.write("\n")
    return time.monotonic() - started


def page(store: Store, days: int) -> Mapping[str, Callable[[], object]]:
    """What a zone's page over the whole time asks for."""
    start, end = START, START + timedelta(days=days)
    return {
        "zone, its figures by 3 h": lambda: sla.zone_series(store, ZONE, start, end, _STEP_S, site="bench"),
        "zone, in total, with its worst conversation": lambda: sla.zone_summary(
            store, ZONE, start, end, site="bench"
        ),
        "all zones, in total": lambda: sla.zone_summaries(store, start, end, site="bench"),
        "all conduits by 3 h": lambda: sla.conduit_hours(store, start, end, _STEP_S, site="bench"),
        "worst conversations": lambda: sla.worst_conversations(store, ZONE, start, end, 8, site="bench"),
        "who talks to whom": lambda: sla.conduit_use(store, start, end, site="bench"),
    }


def course(store: Store, days: int, rounds: int) -> Timed:
    """What a report needs of every minute's slots: from its roll-up, and from rows made of the minutes as it is."""
    period = Period(START, START + timedelta(days=days))
    made = f"({SLA_COURSE.select()})"
    rolled_up, rolled_ms = _timed(lambda: reported.course_of(store, "bench", period), rounds)
    raw, raw_ms = _timed(lambda: reported.course_of(store, "bench", period, made), max(1, rounds // 2))
    same = rolled_up.sort(MINUTE).equals(raw.sort(MINUTE))
    return Timed("a report's slots by the minute", rolled_ms, raw_ms, same)


def report(store: Store, days: int) -> tuple[float, float]:
    """How long a whole report of the zones and conduits takes, from the store to its figures: waited, worked, ms."""
    period = Period(START, START + timedelta(days=days))
    compiled = compile_site(loads(_POLICY).site)

    def whole() -> SlaReport:
        measured = reported.measured(store, "bench", period)
        return sla_report(compiled, measured, period, Source((), "bench.yaml", "", ""))

    return _timed(whole, 1)[1]


def compare(store: Store, days: int, rounds: int) -> list[Timed]:
    """Every part of the page, from roll-ups and from minutes."""
    found = []
    ways = rolled.whole_steps
    for name, ask in page(store, days).items():
        answers, times = [], []
        for way, repeats in ((ways, rounds), (lambda *_: None, max(1, rounds // 2))):
            rolled.whole_steps = way
            answer, spent = _timed(ask, repeats)
            answers.append(repr(answer))
            times.append(spent)
        rolled.whole_steps = ways
        found.append(Timed(name, times[0], times[1], answers[0] == answers[1]))
        sys.stderr.write(f"{name}: {times[0][0]:.0f} ms, from minutes {times[1][0]:.0f} ms\n")
    return [*found, course(store, days, rounds)]


def _timed(ask: Callable[[], _Answer], repeats: int) -> tuple[_Answer, tuple[float, float]]:
    """The last answer; the least time waited and worked for one, ms."""
    spent = []
    for _ in range(repeats):
        waited, worked = time.perf_counter(), time.process_time()
        answer = ask()
        spent.append(((time.perf_counter() - waited) * 1000, (time.process_time() - worked) * 1000))
    return answer, (min(one for one, _ in spent), min(other for _, other in spent))


def text(found: list[Timed], rows: int, transactions: int, insert_s: float, sizes: Mapping[str, int]) -> str:
    """The results file."""
    made = f"; made and rolled up in {insert_s:.0f} s ({rows / insert_s:,.0f} rows/s)" if insert_s else ""
    machine = "; ".join(f"{name}: {value}" for name, value in describe().items())
    lines = [
        "# A month's page from roll-ups, and from minutes",
        "",
        "Written by `python -m benchmarks.rollups`. Embedded, warm; the least of some rounds: how long a reader waits",
        "and how long the processor works for it, all threads together, which tells more on a machine that others use.",
        "The figures of both ways are compared as text.",
        "",
        f"Machine: {machine}.",
        "",
        f"{transactions:,} transactions in {rows:,} conversation minutes{made}. On disk: "
        + ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
        + ".",
        "",
        "| part of the page | from roll-ups, ms (processor) | from minutes, ms (processor) | same figures |",
        "|---|--:|--:|---|",
    ]
    lines += [
        f"| {one.name} | {_both(one.rolled_ms)} | {_both(one.raw_ms)} | {'yes' if one.same else 'NO'} |"
        for one in found
    ]
    return "\n".join(lines) + "\n"


def _both(times_ms: tuple[float, float]) -> str:
    return f"{times_ms[0]:,.0f} ({times_ms[1]:,.0f})"


def measure(
    folder: Path, conversations: int, days: int, rounds: int, *, report_only: bool
) -> tuple[str, bool]:
    """Make the store where it is empty, ask; the results, and whether all figures were the same."""
    with open_store(folder) as store:
        filled = bool(store.one("SELECT count() AS n FROM sla_minutes"))
        insert_s = 0.0 if filled else fill(store, conversations, days)
        counts = store.rows("SELECT count() AS n, sum(transactions) AS t FROM sla_minutes").to_pylist()[0]
        found = [course(store, days, rounds)] if report_only else compare(store, days, rounds)
        sizes = store.rows(
            "SELECT table, sum(bytes_on_disk) AS size FROM system.parts WHERE active "
            "AND database = currentDatabase() AND startsWith(table, 'sla_') GROUP BY table ORDER BY table"
        ).to_pylist()
        result = text(found, counts["n"], counts["t"], insert_s, {row["table"]: row["size"] for row in sizes})
        whole = _both(report(store, days))
        result += f"\nA report of all zones and conduits, from the store to its figures: {whole} ms.\n"
    return result, all(one.same for one in found)


def main() -> None:
    """Measure, print, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=50)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--store", type=Path, help="keep the store here and use it again")
    parser.add_argument(
        "--report-only",
        action="store_true",
        help="leave the page out: what a report reads, and a whole report",
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="geophone-rollups-") as temporary:
        folder = options.store or Path(temporary) / "store"
        result, same = measure(
            folder, options.conversations, options.days, options.rounds, report_only=options.report_only
        )
    print(result)
    if options.store is None and not options.report_only:
        RESULTS.write_text(result, encoding="utf-8")
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
