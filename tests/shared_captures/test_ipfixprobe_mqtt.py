"""Field by field: the flow records that ipfixprobe's MQTT plugin exports for its capture, and our flows and rows."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import Any, Final

import polars as pl
import pytest

from sensors.addresses import address_text, mac_text
from tests.shared_captures.captures import NAMES, expected, needs_captures, rows

pytestmark = needs_captures

CAPTURE: Final = NAMES[9]
#: Linux cooked capture's header, which ipfixprobe's byte counts leave out.
SLL_BYTES: Final = 16

TYPES: Final = {"connect": 1, "publish": 3, "subscribe": 8, "pingreq": 12, "disconnect": 14}
ANSWERS: Final = {"connect": 2, "subscribe": 9, "pingreq": 13}
VERSIONS: Final = {"3.1": 3, "3.1.1": 4, "5": 5}

Row = dict[str, Any]


def records() -> list[dict[str, str]]:
    """Its records; the header stands in the last line."""
    *lines, header = expected(CAPTURE, "tests__functional__outputs__mqtt").read_text().splitlines()
    names = [column.split()[1] for column in header.split(",")]
    return [dict(zip(names, cells, strict=True)) for cells in csv.reader(lines)]


def pairs() -> list[tuple[dict[str, str], Row, list[Row]]]:
    """Each record with our flow and its MQTT rows."""
    flows = {flow["client_port"]: flow for flow in rows(CAPTURE, "flows").to_dicts()}
    found = []
    for record in records():
        flow = flows[int(record["SRC_PORT"])]
        messages = rows(CAPTURE, "mqtt").filter(pl.col("flow_id") == flow["flow_id"]).to_dicts()
        found.append((record, flow, messages))
    assert len(found) == len(flows) == 5
    return found


def test_ends_and_macs() -> None:
    for theirs, flow, _ in pairs():
        assert (address_text(flow["client_ip"]), flow["client_port"]) == (
            theirs["SRC_IP"],
            int(theirs["SRC_PORT"]),
        )
        assert (address_text(flow["server_ip"]), flow["server_port"]) == (
            theirs["DST_IP"],
            int(theirs["DST_PORT"]),
        )
        assert flow["ip_proto"] == int(theirs["PROTOCOL"])
        # The cooked header holds the sender's address only.
        assert mac_text(flow["client_mac"]) == theirs["SRC_MAC"]


def test_packets_bytes_and_times() -> None:
    for theirs, flow, _ in pairs():
        packets = flow["packets_c2s"], flow["packets_s2c"]
        assert packets == (int(theirs["PACKETS"]), int(theirs["PACKETS_REV"]))
        assert flow["wire_bytes_c2s"] - SLL_BYTES * packets[0] == int(theirs["BYTES"])
        assert flow["wire_bytes_s2c"] - SLL_BYTES * packets[1] == int(theirs["BYTES_REV"])
        for column, name in (("ts", "TIME_FIRST"), ("last_ts", "TIME_LAST")):
            seconds = (
                flow[column] - datetime.fromisoformat(theirs[name]).replace(tzinfo=UTC)
            ).total_seconds()
            assert seconds == pytest.approx(0, abs=2e-6)


def test_types_of_the_control_packets() -> None:
    """Its bit field has a bit for each type (MQTT 3.1.1, 2.2.1) that was seen; type 0 stands for "session present"."""
    for theirs, _, messages in pairs():
        seen = {0} if any(row["session_present"] for row in messages) else set()
        for row in messages:
            seen.add(TYPES[row["packet_type"]])
            if row["response_frame"] is not None:
                seen.add(3 + row["qos"] if row["packet_type"] == "publish" else ANSWERS[row["packet_type"]])
            seen |= {number for number, column in ((6, "pubrel_frame"), (7, "pubcomp_frame")) if row[column]}
        assert sum(1 << number for number in seen) == int(theirs["MQTT_TYPE_CUMULATIVE"])


def test_what_the_connection_asks_for_and_gets() -> None:
    for theirs, _, messages in pairs():
        (connect,) = [row for row in messages if row["packet_type"] == "connect"]
        assert VERSIONS[connect["version"]] == int(theirs["MQTT_VERSION"])
        assert connect["keep_alive_s"] == int(theirs["MQTT_KEEP_ALIVE"])
        assert (connect["reason_code"] or 0) == int(theirs["MQTT_CONNECTION_RETURN_CODE"])
        # Connect flags (MQTT 3.1.1, 3.1.2.3): user name, password, clean session.
        flags = connect["has_user_name"] << 7 | connect["has_password"] << 6 | connect["clean_start"] << 1
        assert flags == int(theirs["MQTT_CONNECTION_FLAGS"])
        assert connect["will_topic"] == ""


def test_flags_of_the_publications() -> None:
    """Its field is the union of the publications' DUP, QoS and RETAIN bits."""
    for theirs, _, messages in pairs():
        union = 0
        for row in messages:
            if row["packet_type"] == "publish":
                union |= row["dup"] << 3 | (row["qos"] or 0) << 1 | row["retain"]
        assert union == int(theirs["MQTT_PUBLISH_FLAGS"])
