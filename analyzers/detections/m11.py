"""M11: Modbus that breaks its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from analyzers.detections.base import RowDetection
from analyzers.detections.rows import told, violations_of
from policy.services import TCP
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: Of Modbus, by its registration.
_PORT: Final = 502

#: Breaches of the standard by a message's own bytes; what a lost segment can look like is not among them.
_KINDS: Final = (
    "protocol_id",
    "illegal_length",
    "not_modbus",
    "illegal_quantity",
    "illegal_value",
    "byte_count",
)


class ModbusMalformed(RowDetection):
    """Modbus that breaks its rules.

    Reports
        A protocol identifier that is not 0, a length that no message can have, a quantity over the limit, a byte
        count that does not fit, another protocol on the Modbus port (TCP 502), known by its own structure. Source:
        MODBUS Messaging on TCP/IP V1.0b, 3.1.3, and Application Protocol V1.1b3, 6.

    Why it matters
        Devices are written for well-formed messages. What is not well-formed is a broken device, a tool that looks
        for weaknesses, or an exploit of one.

    Benign causes
        A vendor's own extension of the protocol; another service on the Modbus port; a health probe.

    Evidence
        The frames, each with what is wrong in it.

    How to tune
        It has no threshold. Switch it off where a vendor's devices always speak so.
    """

    id = "M11"
    title = "Modbus messages that break the protocol's rules"
    base_severity = 4
    reads = ("flow_minutes", "anomalies")
    possible_techniques = ("T0866",)

    def found(self, traffic: Traffic) -> pl.DataFrame:
        """Anomalies of Modbus that no loss explains, and minutes in which its port spoke another protocol."""
        rows = traffic.anomalies.filter(
            (pl.col("layer") == "modbus") & pl.col("kind").is_in(_KINDS) & pl.col("flow_id").is_not_null()
        )
        strangers = traffic.flow_minutes.filter(
            (pl.col("ip_proto") == TCP)
            & (pl.col("server_port") == _PORT)
            & ~pl.col("service").is_in(["", "modbus"])
            & pl.col("confidence").is_in(["handshake", "structure"])
        ).with_columns(ts=pl.col("first_ts"), frame=pl.col("first_frame"), spoken=pl.col("service"))
        return pl.concat(
            [
                violations_of(told(rows, "modbus", "malformed"), pl.col("detail")),
                violations_of(
                    told(strangers, "modbus", "malformed"),
                    pl.format("{} on the port of Modbus", pl.col("spoken")),
                ),
            ]
        )

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"Messages between the two broke the protocol's rules {violation['count']} ×, first: "
            f"{violation['examples'][0]['text']}."
        )
