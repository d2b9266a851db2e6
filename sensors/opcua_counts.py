"""OPC UA messages of a capture, counted as Wireshark counts them: each chunk is one.

A row of the `opcua` table is a request and its response, so each half counts on its own.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import polars as pl

from sensors.distribution import Distribution
from sensors.engine import Summary

#: What answers a message, where that is of another type.
_ANSWERED_BY: Final = {"HEL": "ACK"}

#: The type of a failure (OPC 10000-6, A.3).
_SERVICE_FAULT: Final = 397

_COLUMNS: Final = (
    "message_type",
    "service",
    "outcome",
    "request_frame",
    "response_frame",
    "request_type",
    "response_type",
    "request_chunks",
    "response_chunks",
    "security_policy",
    "status",
    "encrypted",
)


class OpcUaCounts:
    """Messages by type, service and policy."""

    def __init__(self) -> None:
        self._types: Counter[str] = Counter()
        self._services: Counter[str] = Counter()
        self._policies: Counter[str] = Counter()
        self._outcomes: Counter[str] = Counter()
        self._encrypted = 0
        self._errors: Counter[str] = Counter()
        self._bad_results = 0
        self._latency = Distribution()

    def feed(self, rows: pl.DataFrame) -> None:
        """Add the transactions of one call."""
        self._latency.add(rows["latency_ns"].drop_nulls())
        words = [pl.col(name).cast(pl.String) for name in ("message_type", "service", "outcome")]
        # Frames are of no interest beyond whether they are there, so that rows fall into few kinds.
        seen = rows.select(*_COLUMNS).with_columns(
            *words,
            pl.col("request_frame").is_not_null(),
            pl.col("response_frame").is_not_null(),
        )
        for row in seen.group_by(*_COLUMNS, maintain_order=True).len("times").iter_rows(named=True):
            self._count(row)

    def _count(self, row: dict[str, Any]) -> None:
        """Add rows that are alike."""
        times, kind, outcome = row["times"], row["message_type"], row["outcome"]
        self._outcomes[outcome] += times
        # An error takes the place of the answer that opens a connection or a channel.
        refused = outcome == "exception" and row["response_type"] is None
        for half in ("request", "response"):
            if not row[f"{half}_frame"]:
                continue
            word = _ANSWERED_BY.get(kind, kind) if half == "response" else kind
            if half == "response" and refused and kind in ("HEL", "OPN"):
                word = "ERR"
            aborted = outcome == "aborted" and (half == "response" or not row["response_frame"])
            chunks = row[f"{half}_chunks"]
            self._types[word + ("A" if aborted else "F")] += times
            if chunks > 1:
                self._types[word + "C"] += times * (chunks - 1)
            if word == "OPN":
                self._policies[row["security_policy"]] += times
            if word == "ERR":
                self._errors[f"0x{row['status'] or 0:08x}"] += times
            if (number := row[f"{half}_type"]) is not None:
                name = "ServiceFault" if number == _SERVICE_FAULT else f"{row['service']}{half.capitalize()}"
                self._services[f"{number} {name}"] += times
            elif row["encrypted"] and kind in ("MSG", "CLO"):
                self._encrypted += times
        if row["response_type"] is not None and row["status"]:
            self._bad_results += times

    def result(self, summary: Summary) -> dict[str, Any] | None:
        """The OPC UA section; None where there was no OPC UA."""
        if not self._types:
            return None
        by_type: Counter[str] = Counter()
        for word, count in self._types.items():
            by_type[word[:3]] += count
        return {
            "messages": self._types.total(),
            "by_type": _ordered(by_type),
            "by_type_chunk": _ordered(self._types),
            "services": _ordered(self._services),
            "encrypted_messages": self._encrypted,
            "policies": _ordered(self._policies),
            "frames_multi_pdu": summary["opcua_frames_multi_pdu"],
            "errors": _ordered(self._errors),
            "service_results_bad": self._bad_results,
            "outcomes": _ordered(self._outcomes),
            "response_time_s": {"own": self._latency.seconds()},
        }


def _ordered(counts: Counter[str]) -> dict[str, int]:
    """Most frequent first, ties by name: the oracle's order."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
