"""A session of days: what is long over is forgotten, and every finding is the one that a replay makes."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from analyzers.findings import Finding, canonical_line, canonical_order
from analyzers.judging import Judging
from analyzers.polls.watch import Polls
from analyzers.reporting import Reporter
from policy.checks.seg_01 import UndeclaredConversation
from policy.traffic import Traffic
from policy.violations import MINUTE_NS, VIOLATION
from tests.policy.factories import NOON, compiled, packed
from tests.support.repeated import repeated, site_of

CAPTURE = "c" * 64


def lines(findings: list[Finding]) -> list[bytes]:
    return [canonical_line(one) for one in sorted(findings, key=canonical_order)]


@pytest.mark.parametrize("name", ["unauthorised-write", "mqtt-misuse", "arp-flip"])
def test_findings_are_those_of_a_replay(name: str) -> None:
    session, replay = (Judging(site_of(name), "p" * 64, "0.1.0") for _ in range(2))
    told: dict[str, Finding] = {}
    open_at_the_end = 0
    # Windows of an hour, cut by what is forgotten: everything of more than two hours ago.
    for batches, now_ns in repeated(name, 9, 43):
        for traffic in batches:
            session.feed(traffic)
            replay.feed(traffic)
        told |= {one.id: one for one in session.finish(CAPTURE)}
        session.settle(now_ns)
        open_at_the_end = len(session.finish(CAPTURE))
    everything = replay.finish(CAPTURE)
    assert lines(list(told.values())) == lines(everything)
    assert 0 < open_at_the_end < len(everything)


@pytest.mark.parametrize("name", ["poll-flapping", "link-cut"])
def test_outages_and_flapping_of_hours_are_those_of_a_replay(name: str) -> None:
    live, replay = (Polls(site_of(name), "p" * 64, "0.1.0") for _ in range(2))
    told: list[Finding] = []
    for batches, _ in repeated(name, 5, 43):
        for traffic in batches:
            for polls in (live, replay):
                polls.feed(traffic, coverage_of(traffic))
            told += live.so_far(CAPTURE)
    told += live.so_far(CAPTURE, ended=True)
    assert len(told) == 5
    assert lines(told) == lines(replay.finish(CAPTURE))


def coverage_of(traffic: Traffic) -> pa.RecordBatch | None:
    """The rows of coverage, as the decoder hands them over."""
    if traffic.coverage.is_empty():
        return None
    return traffic.coverage.to_arrow(compat_level=pl.CompatLevel.oldest()).combine_chunks().to_batches()[0]


def kept(name: str, *, settled: bool) -> list[int]:
    """Rows held after each of so many repetitions, five hours apart."""
    session, counts = Judging(site_of(name), "p" * 64, "0.1.0"), []
    for batches, now_ns in repeated(name, 14, 300):
        for traffic in batches:
            session.feed(traffic)
        session.finish(CAPTURE)
        if settled:
            session.settle(now_ns)
            session.finish(CAPTURE)
        counts.append(sum(session.kept.values()))
    return counts


def test_what_is_kept_does_not_grow_with_time() -> None:
    counts = kept("mqtt-misuse", settled=True)
    # A day is the longest that anything of this traffic is remembered.
    assert counts[-1] == counts[-4] == counts[-7]


def test_what_is_kept_grows_where_nothing_is_forgotten() -> None:
    counts = kept("mqtt-misuse", settled=False)
    assert counts[-1] > counts[-4] > counts[-7]


def violations(first: int, subjects: int, hour: int) -> pl.DataFrame:
    """Conversations of one client with as many servers, in one minute of the hour."""
    at_ns = NOON + hour * 60 * MINUTE_NS
    rows = [
        {
            "client_ip": packed("10.40.0.7"),
            "server_ip": packed(f"10.20.{number // 250}.{number % 250 + 1}"),
            "ip_proto": 6,
            "server_port": 502,
            "what": "",
            "minute": at_ns // MINUTE_NS * MINUTE_NS,
            "client_zone": "office",
            "server_zone": "plant",
            "conduit": "",
            "reverse_conduit": "",
            "operation": "",
            "count": 1,
            "first_ns": at_ns + number,
            "last_ns": at_ns + number,
            "confirmed": False,
            "confidence_rank": 3,
            "decoded_service": "",
            "hinted_service": "modbus",
            "examples": [
                {"confirmed": False, "ts_ns": at_ns + number, "frame": number + 1, "text": "", "nearest": ""}
            ],
        }
        for number in range(first, first + subjects)
    ]
    return pl.DataFrame(rows, schema=VIOLATION)


@pytest.mark.parametrize("later", [0, 70, 300], ids=["the-same", "some-new", "all-new"])
def test_a_flood_is_folded_as_if_its_beginning_were_still_there(later: int) -> None:
    check, flood, more = UndeclaredConversation(), violations(0, 90, 0), violations(later, 90, 5)
    session, replay = (Reporter(compiled(), "p" * 64, "0.1.0") for _ in range(2))
    told = session.findings(check, flood, CAPTURE)
    session.settle(check, flood, NOON + 4 * 60 * MINUTE_NS)
    assert session.findings(check, flood.clear(), CAPTURE) == []
    told = [*told, *session.findings(check, more, CAPTURE)]
    assert lines(told) == lines(replay.findings(check, pl.concat([flood, more]), CAPTURE))
    # 64 of one client, and all others as one.
    assert len(told) == {0: 130, 70: 66, 300: 66}[later]
