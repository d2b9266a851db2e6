"""M13: answers that nobody asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.modbus_rows import answered_flows
from analyzers.detections.rows import told, violations_of
from analyzers.detections.seen import FirstTimes
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.violations import VIOLATION, merged
from policy.zoning import CompiledSite

_KINDS: Final = ("orphan_response", "duplicate_response")


class ModbusUnaskedResponse(Detection):
    """A Modbus response that nobody asked for, or a second one to the same request.

    Reports
        Responses that no request waits for, and responses to a request that was answered already, in a conversation
        whose requests are seen: where only one direction is, every response would be one.

    Why it matters
        Whoever can put packets into a connection can tell an operator what he wants to see, while the device does
        something else.

    Benign causes
        A gateway that answers after the client has given up; a request that the capture lost.

    Evidence
        The responses with their frames. Compare them with the device's own of the same time.

    How to tune
        It has no threshold. Where a gateway is known to answer late, lengthen its client's time limit.
    """

    id = "M13"
    title = "Modbus responses that nobody asked for"
    base_severity = 4
    reads = ("modbus", "anomalies")
    techniques = ("T0856", "T0830")

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._gathered = Gathered()
        #: Connections whose requests are seen, and since when.
        self._whole = FirstTimes({"flow_id": pl.UInt32()})

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        self._whole.add(answered_flows(traffic), pl.col("seen_ns"), pl.col("latest_ns"))
        rows = traffic.anomalies.filter(
            (pl.col("layer") == "modbus") & pl.col("kind").is_in(_KINDS) & pl.col("flow_id").is_not_null()
        )
        # By connection while it is gathered: what is seen of each decides.
        what = pl.col("flow_id")
        self._gathered.add(violations_of(told(rows, "modbus", "respond", what=what), pl.col("detail")))

    def settle(self, before_ns: int) -> None:
        """Connections too: those that were answered since are still there."""
        super().settle(before_ns)
        self._whole.forget(before_ns)

    def violations(self) -> pl.DataFrame:
        """Those of connections whose requests were seen and answered before, by conversation."""
        by_flow = self._gathered.all().with_columns(what=pl.lit(""), flow_id=pl.col("what").cast(pl.UInt32))
        known = by_flow.join(self._whole.all(), on="flow_id", how="inner")
        return merged(known.filter(pl.col("seen_ns") < pl.col("last_ns")).select(*VIOLATION)).select(
            *VIOLATION
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"{violation['count']} responses came that no request waited for, first: "
            f"{violation['examples'][0]['text']}."
        )
