"""What a replay saw, added up while the batches pass: the figures of the closing summary."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import polars as pl

from sensors.engine import Batches


@dataclass(slots=True)
class Tally:
    """Sums over all batches of one capture; of several that are as many, the first seen comes first."""

    packets: int = 0
    wire_bytes: int = 0
    unread_packets: int = 0
    malformed_packets: int = 0
    duplicate_packets: int = 0
    dropped_packets: int = 0
    unseen_segments: int = 0
    data_segments: int = 0
    flows: int = 0
    transactions: int = 0
    flows_by_service: Counter[tuple[str, str]] = field(default_factory=Counter)
    packets_by_service: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    anomalies: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, batches: Batches) -> None:
        """Add the rows of one batch."""
        if (coverage := batches.get("coverage")) is not None:
            sums = pl.DataFrame(coverage).select(pl.col(pl.UInt64).sum()).row(0, named=True)
            self.packets += sums["packets"]
            self.wire_bytes += sums["wire_bytes"]
            self.unread_packets += sums["unread_packets"]
            self.malformed_packets += sums["malformed_packets"]
            self.duplicate_packets += sums["duplicate_packets"]
            self.dropped_packets += sums["dropped_packets"]
            self.unseen_segments += sums["unseen_segments"]
            self.data_segments += sums["data_segments"]
        if (flows := batches.get("flows")) is not None:
            self._add_flows(pl.DataFrame(flows))
        if (modbus := batches.get("modbus")) is not None:
            self.transactions += modbus.num_rows
            counted = (
                pl.DataFrame(modbus).group_by(pl.col("outcome").cast(pl.String), maintain_order=True).len()
            )
            for outcome, count in counted.iter_rows():
                self.outcomes[outcome] += count
        if (anomalies := batches.get("anomalies")) is not None:
            kinds = pl.col("layer", "kind").cast(pl.String)
            counted = pl.DataFrame(anomalies).group_by(kinds, maintain_order=True).len()
            for layer, kind, count in counted.iter_rows():
                self.anomalies[layer, kind] += count

    def _add_flows(self, flows: pl.DataFrame) -> None:
        self.flows += len(flows)
        counted = flows.group_by(pl.col("service", "confidence").cast(pl.String), maintain_order=True).agg(
            pl.len(),
            (pl.col("packets_c2s").cast(pl.UInt64).sum() + pl.col("packets_s2c").cast(pl.UInt64).sum()),
        )
        for service, confidence, count, packets in counted.iter_rows():
            self.flows_by_service[service, confidence] += count
            self.packets_by_service[service] += packets

    @property
    def coverage(self) -> float | None:
        """Share of the wire that was seen, 0 to 1; None without packets.

        Seen / (seen + dropped + acknowledged but never seen): reads high where a lost frame left no trace.
        """
        if not self.packets:
            return None
        seen = self.packets - self.duplicate_packets
        return seen / (seen + self.dropped_packets + self.unseen_segments)
