"""Zeek's view of the doubly tagged session."""

from __future__ import annotations

from typing import Final

import polars as pl

from sensors.stats import stats
from tests.shared_captures.captures import FOLDER, NAMES, expected, needs_captures, rows

pytestmark = needs_captures

CAPTURE: Final = NAMES[10]


def test_one_flow_under_two_tags_with_the_outer_id_zeek_sees() -> None:
    folder = expected(CAPTURE, "scripts.base.protocols.vlan.vlan-0-qinq")
    header, *connections = [
        line.split("\t") for line in (folder / "conn.log.cut").read_text().splitlines() if line[0] != "#"
    ]
    flows = rows(CAPTURE, "flows")
    assert flows.height == len(connections) == 1
    assert str(flows["vlan"][0]) == connections[0][header.index("vlan")]
    assert stats(FOLDER / CAPTURE)["max_vlan_tags"] == 2


def test_the_session_inside_is_read_as_if_it_were_untagged() -> None:
    flow = rows(CAPTURE, "flows").row(0, named=True)
    assert (flow["ip_proto"], flow["server_port"], flow["end_reason"]) == (6, 80, "fin")
    assert rows(CAPTURE, "coverage").select(pl.sum("unread_packets", "malformed_packets")).row(0) == (0, 0)
