"""Flow and round-trip rows in; the largest flows with their round-trip times out, in bounded memory."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from sensors.addresses import address_text
from sensors.distribution import DISTINCT_LIMIT, rounded, summarised

#: Flows listed: the largest by packets.
FLOWS_LISTED: Final = 50

_TCP: Final = 6

_OPEN: Final = {"flow_id": pl.UInt32}
_SAMPLES: Final = {"flow_id": pl.UInt32, "ns": pl.UInt64, "n": pl.UInt64}

#: What the list takes over from a `flows` row.
_KEPT: Final = (
    pl.col("flow_id", "first_frame", "client_ip", "server_ip", "client_port", "server_port"),
    # SPAN duplicates are packets of the capture, too: the oracle counts them.
    (
        pl.sum_horizontal("packets_c2s", "packets_s2c", "duplicate_packets_c2s", "duplicate_packets_s2c")
        .cast(pl.UInt64)
        .alias("packets")
    ),
    pl.col("payload_bytes_c2s").alias("payload_c2s"),
    pl.col("payload_bytes_s2c").alias("payload_s2c"),
    (pl.col("last_ts").cast(pl.Int64) - pl.col("ts").cast(pl.Int64)).alias("duration_ns"),
    (pl.col("syn_frame").is_not_null() | pl.col("syn_ack_frame").is_not_null()).alias("syn"),
    pl.sum_horizontal("fins_c2s", "fins_s2c").alias("fin"),
    pl.sum_horizontal("resets_c2s", "resets_s2c").alias("rst"),
    pl.sum_horizontal(
        "retransmitted_segments_c2s", "retransmitted_segments_s2c", "filled_holes_c2s", "filled_holes_s2c"
    ).alias("retrans"),
    pl.sum_horizontal("out_of_order_segments_c2s", "out_of_order_segments_s2c").alias("out_of_order"),
    (pl.col("handshake_server_rtt_ns") + pl.col("handshake_client_rtt_ns")).alias("handshake_ns"),
)


class FlowList:
    """The largest TCP flows so far; keeps samples of those and of the flows that are still open."""

    def __init__(self) -> None:
        self._open = pl.DataFrame(schema=_OPEN)
        self._samples = pl.DataFrame(schema=_SAMPLES)
        self._largest: pl.DataFrame | None = None
        self._forgotten: set[int] = set()

    def start(self, flow_starts: pl.DataFrame) -> None:
        """Note new TCP flows."""
        self._open = pl.concat([self._open, flow_starts.filter(pl.col("ip_proto") == _TCP).select("flow_id")])

    def sample(self, rtt: pl.DataFrame) -> None:
        """Count round-trip samples of flows that have not ended."""
        counts = (
            rtt.select("flow_id", pl.col("rtt_ns").alias("ns"))
            .group_by("flow_id", "ns")
            .agg(pl.len().cast(pl.UInt64).alias("n"))
        )
        self._samples = _merged(pl.concat([self._samples, counts]))
        if self._samples.height > DISTINCT_LIMIT:
            self._samples = _merged(self._samples.with_columns(rounded("ns")))
        if self._samples.height > DISTINCT_LIMIT:
            self._forget_sparse()

    def _forget_sparse(self) -> None:
        """Give up the samples of the flows with the fewest, so that a flood of flows cannot take all memory."""
        flows = self._samples.group_by("flow_id").agg(pl.sum("n").alias("samples"), pl.len().alias("rows"))
        kept = flows.sort(["samples", "flow_id"], descending=[True, False]).filter(
            pl.col("rows").cum_sum() <= DISTINCT_LIMIT // 2
        )
        self._forgotten |= set(flows.join(kept, on="flow_id", how="anti")["flow_id"])
        self._samples = self._samples.join(kept, on="flow_id", how="semi")

    def end(self, flows: pl.DataFrame) -> None:
        """Keep ended flows that are among the largest, forget the samples of the others."""
        ended = flows.join(self._open, on="flow_id").select(*_KEPT)
        both = ended if self._largest is None else pl.concat([self._largest, ended])
        self._largest = both.sort(["packets", "first_frame"], descending=[True, False]).head(FLOWS_LISTED)
        self._open = self._open.join(flows, on="flow_id", how="anti")
        wanted = pl.concat([self._open["flow_id"], self._largest["flow_id"]])
        self._samples = self._samples.filter(pl.col("flow_id").is_in(wanted.implode()))
        self._forgotten &= set(wanted)

    def rows(self) -> list[dict[str, Any]]:
        """The listed flows, largest first, durations in seconds."""
        if self._largest is None:
            return []
        return [self._row(flow) for flow in self._largest.iter_rows(named=True)]

    def _row(self, flow: dict[str, Any]) -> dict[str, Any]:
        rtt = summarised(self._samples.filter(pl.col("flow_id") == flow["flow_id"]))
        copied = ("packets", "payload_c2s", "payload_s2c", "syn", "fin", "rst", "retrans", "out_of_order")
        round_trips = {"ack_rtt_median_s": rtt["median"], "ack_rtt_p95_s": rtt["p95"], "ack_rtt_n": rtt["n"]}
        return {
            "flow_id": flow["flow_id"],
            "first_frame": flow["first_frame"],
            "client": f"{address_text(flow['client_ip'])}:{flow['client_port']}",
            "server": f"{address_text(flow['server_ip'])}:{flow['server_port']}",
            "duration_s": flow["duration_ns"] / 1e9,
            **{key: flow[key] for key in copied},
            "handshake_rtt_s": None if flow["handshake_ns"] is None else flow["handshake_ns"] / 1e9,
            **({} if flow["flow_id"] in self._forgotten else round_trips),
        }


def _merged(samples: pl.DataFrame) -> pl.DataFrame:
    return samples.group_by("flow_id", "ns").agg(pl.col("n").sum())
