"""The worst conversation of a scope: by the 99th percentile of its answers, then of its round trips, then by loss."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from analyzers import sketch
from analyzers.sla_report_form import Worst
from sensors.addresses import address_text

_NS_PER_MS: Final = 1_000_000


def worst_conversation(totals: pl.DataFrame) -> Worst | None:
    """Of rows of `sla_totals.conversation_totals`; None where none has a time or a lost segment.

    The same order as the pages' list of worst conversations.
    """
    found = min((_ranked(row) for row in totals.iter_rows(named=True)), key=lambda one: one[0], default=None)
    return found[1] if found else None


def _ranked(row: dict[str, Any]) -> tuple[tuple[object, ...], Worst | None]:
    answer_ns, trip_ns = (
        sketch.percentile(row[f"{what}_buckets"], row[f"{what}_counts"], 0.99)
        for what in ("transaction", "rtt")
    )
    lost = row["lost_segments"]
    loss = lost / row["data_segments"] if row["data_segments"] else 0.0
    slots = row["transactions"] + row["missed"]
    server = address_text(row["server_ip"])
    # an IPv6 server in brackets (RFC 3986, 3.2.2)
    where = f"[{server}]" if ":" in server else server
    label = f"{address_text(row['client_ip'])} → {where}:{row['server_port']}"
    rank = (-(answer_ns or 0), -(trip_ns or 0), -loss, label, row["service"])
    if answer_ns is None and trip_ns is None and not lost:
        return rank, None
    p99_ns = trip_ns if answer_ns is None else answer_ns
    return rank, Worst(
        conversation=label,
        service=row["service"],
        indicator="transaction" if answer_ns is not None else "rtt" if trip_ns is not None else "loss",
        p99_ms=None if p99_ns is None else p99_ns / _NS_PER_MS,
        achieved_percent=row["good"] * 1_000_000 // slots / 10_000 if slots else None,
        loss_percent=round(100 * loss, 6) if row["data_segments"] else None,
    )
