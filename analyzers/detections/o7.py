"""O7: an OPC UA Write by a new client, or to a new node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from analyzers.detections.learned import NewDetection
from analyzers.detections.opcua_rows import call_text, opcua_nodes
from policy.traffic import Traffic
from policy.zoning import CompiledSite


class OpcUaNewWrite(NewDetection):
    """An OPC UA Write by a new client, or to a new node.

    Reports
        Nodes that a client writes (service Write) and that the baseline does not know it to write on that server,
        whatever became of the request; one finding a conversation, counted by nodes. In encrypted channels it sees
        nothing. Without a baseline it finds nothing, and the report says so.

    Why it matters
        A Write changes a setpoint or a limit; in a plant the same few clients write the same few nodes for years.

    Benign causes
        A limit that is changed once in a season; a screen with a new button; a station exchanged for a spare; a server
        whose nodes got other names with an update.

    Evidence
        The requests with their node, frame and answer.

    How to tune
        Accept the node with who and why (`geophone baseline accept`), or learn for longer (`baseline.learn_for`). A
        change window lowers the severity and tags it.
    """

    id = "O7"
    title = "an OPC UA Write by a new client, or to a new node"
    base_severity = 4
    reads = ("opcua",)
    techniques = ("T0855", "T0836")
    fact = "opcua.write"
    by = ("client_ip", "server_ip", "server_port", "what")

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Writes, a row a node."""
        return opcua_nodes(traffic.opcua, "Write", "write"), call_text()

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How often, and the first of it."""
        return (
            f"The client wrote {violation['count']} × to nodes that it is not known to write, first: "
            f"{violation['examples'][0]['text']}."
        )
