"""Which estimator has how many samples in each shared capture, and why one has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from analyzers.conversations import Conversations
from analyzers.sla import Meter
from sensors.engine import decode
from tests.policy.factories import compiled
from tests.shared_captures.captures import FOLDER, NAMES, rows

#: Modbus in the clear, of three publishers.
MODBUS_NAMES: Final = NAMES[:3]


@dataclass(frozen=True, slots=True)
class Estimate:
    """One estimator on one capture."""

    estimator: str
    samples: int
    why_not: str


@cache
def sla_minutes(name: str) -> pl.DataFrame:
    """Rows of SLA_MINUTES of a shared capture."""
    site = compiled()
    conversations, meter = Conversations(site), Meter(site)
    with decode(FOLDER / name) as run:
        for batches in run:
            meter.feed(conversations.enrich(batches), batches.get("coverage"))
    return pl.DataFrame(meter.finish())


@cache
def estimates(name: str) -> tuple[Estimate, ...]:
    """Every estimator, with its samples, or why it has none."""
    samples, flows, minutes = rows(name, "rtt"), rows(name, "flows"), sla_minutes(name)
    lone = samples.filter(~pl.col("piggybacked"))["kind"].cast(pl.String)
    handshakes = int((lone == "handshake_server").sum())
    acks = int(lone.is_in(["ack_client", "ack_server"]).sum())
    trips, answers, server = (
        int(minutes[f"{what}_counts"].explode().sum() or 0) for what in ("rtt", "transaction", "server_time")
    )
    tcp = flows.filter(pl.col("ip_proto") == 6)
    return (
        Estimate("handshake", handshakes, _no_handshake(tcp)),
        Estimate(
            "data, then ACK alone", acks, "every ACK rides on data, or is of a FIN, a reset or a repeat"
        ),
        Estimate("round trip of both sides", trips, "neither of the two on both sides of the tap"),
        Estimate("request to answer", answers, _no_answer(minutes)),
        Estimate(
            "server time",
            server,
            "no answer" if not answers else "no way to the server in an answer's minute",
        ),
    )


def _no_handshake(tcp: pl.DataFrame) -> str:
    if not len(tcp):
        return "no TCP"
    if not tcp["syn_frame"].is_not_null().sum():
        return "the capture begins after its connections were opened"
    return "no SYN is answered by a SYN-ACK"


def _no_answer(minutes: pl.DataFrame) -> str:
    whys = (
        ("not_measurable_encrypted", "encrypted"),
        ("not_measurable_one_sided", "only one direction was seen"),
        ("not_measurable_unmatched", "the questions were not seen"),
    )
    column, words = max(whys, key=lambda why: int(minutes[why[0]].sum()))
    if int(minutes[column].sum()):
        return words
    return (
        "asked, never answered"
        if int(minutes["transactions"].sum())
        else "no protocol whose answers are read"
    )


def estimator_lines() -> Iterator[str]:
    """The table, as Markdown."""
    heads = [one.estimator for one in estimates(NAMES[0])]
    yield "## What can be measured of each capture"
    yield ""
    yield "Samples of each estimator; without any, why. *Round trip* and *server time* are what the report shows;"
    yield "the estimators before them are what they are made of ([sla.md](sla.md))."
    yield ""
    yield f"| capture | {' | '.join(heads)} |"
    yield f"|---|{'---:|' * len(heads)}"
    for name in NAMES:
        cells = (f"{one.samples:,}" if one.samples else f"none: {one.why_not}" for one in estimates(name))
        yield f"| {name} | {' | '.join(cells)} |"
