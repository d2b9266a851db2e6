"""Batches in; rows that know their conversation out."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers.conversations import Conversations
from policy.traffic import FLOW_MINUTE_SCHEMA, MODBUS_SCHEMA, RTT_SCHEMA, Traffic
from sensors.records import FLOW_MINUTES, FLOW_STARTS, RTT
from tests.policy.factories import HISTORIAN, PLC, PUBLIC, Wire, batch, compiled, packed, row

SITE = compiled()


def _wire() -> Wire:
    wire = Wire()
    for server in (PLC, PUBLIC):
        wire.minute(wire.flow(HISTORIAN, server))
    wire.modbus(1, 3, address=0, quantity=2)
    wire.samples.append(row(RTT, ts=5, flow_id=2, frame=9, kind="path", rtt_ns=7))
    return wire


def test_rows_learn_addresses_zones_and_conduit() -> None:
    traffic = _wire().traffic(SITE)
    first, second = traffic.flow_minutes.rows(named=True)
    assert (first["client_zone"], first["server_zone"], first["conduit"]) == ("dmz", "plant", "c-hist")
    assert (second["client_zone"], second["server_zone"], second["conduit"]) == ("dmz", "", "")
    assert (first["client_ip"], first["server_port"], first["ip_proto"]) == (packed(HISTORIAN), 502, 6)
    assert first["crosses"] and second["crosses"]
    assert traffic.modbus["server_zone"].to_list() == ["plant"]
    assert traffic.rtt["server_ip"].to_list() == [packed(PUBLIC)]


def test_frames_have_the_declared_columns_and_types() -> None:
    for traffic in (_wire().traffic(SITE), Conversations(SITE).enrich({}), Traffic.empty()):
        assert dict(traffic.flow_minutes.schema) == FLOW_MINUTE_SCHEMA
        assert dict(traffic.modbus.schema) == MODBUS_SCHEMA
        assert dict(traffic.rtt.schema) == RTT_SCHEMA


def test_no_rows_are_empty_frames() -> None:
    traffic = Conversations(SITE).enrich({})
    assert traffic.flow_minutes.is_empty() and traffic.modbus.is_empty() and traffic.rtt.is_empty()


def test_a_later_batch_knows_the_flows_of_an_earlier_one() -> None:
    wire, conversations = _wire(), Conversations(SITE)
    conversations.enrich({"flow_starts": batch(FLOW_STARTS, wire.starts)})
    later = conversations.enrich({"flow_minutes": batch(FLOW_MINUTES, list(reversed(wire.minutes)))})
    assert later.flow_minutes["flow_id"].to_list() == [2, 1]
    assert later.flow_minutes["server_zone"].to_list() == ["", "plant"]


def test_flows_of_several_batches_are_kept_apart() -> None:
    conversations = Conversations(SITE)
    wire = Wire()
    for number in range(300):
        flow = wire.flow(HISTORIAN, f"10.20.0.{number % 200 + 1}", port=1 + number)
        conversations.enrich({"flow_starts": batch(FLOW_STARTS, wire.starts[-1:])})
        wire.minute(flow)
    rows = conversations.enrich({"flow_minutes": batch(FLOW_MINUTES, wire.minutes)}).flow_minutes
    assert rows["server_port"].to_list() == list(range(1, 301))


def test_an_intra_zone_flow_crosses_nothing_and_has_no_conduit() -> None:
    wire = Wire()
    wire.minute(wire.flow(PLC, "10.20.0.12"))
    row_ = wire.traffic(SITE).flow_minutes.row(0, named=True)
    assert (row_["conduit"], row_["crosses"]) == ("", False)


def test_a_flow_nobody_announced_is_an_error_of_the_decoder() -> None:
    wire = _wire()
    with pytest.raises(ValueError, match="flows 1 to 2; known are 1 to 0"):
        Conversations(SITE).enrich({"flow_minutes": batch(FLOW_MINUTES, wire.minutes)})


def test_flow_ids_with_a_hole_are_an_error_of_the_decoder() -> None:
    wire = _wire()
    with pytest.raises(ValueError, match="do not go on from 0"):
        Conversations(SITE).enrich({"flow_starts": batch(FLOW_STARTS, wire.starts[1:])})


def test_words_of_closed_sets_come_as_text() -> None:
    assert _wire().traffic(SITE).flow_minutes["role_source"].dtype == pl.String
