"""Batches in; rows that know their conversation out."""

from __future__ import annotations

import polars as pl
import pyarrow as pa
import pytest

from analyzers.conversations import Conversations
from policy.traffic import FLOW_MINUTE_SCHEMA, TRAFFIC_TABLES, Traffic, with_conversation
from sensors.records import ANOMALIES, FLOW_MINUTES, FLOW_STARTS, FLOWS, OPCUA, OPERATIONS, RTT, Table
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
        for name, table in TRAFFIC_TABLES.items():
            assert dict(getattr(traffic, name).schema) == with_conversation(table)
    assert with_conversation(FLOW_MINUTES) == FLOW_MINUTE_SCHEMA


def test_no_rows_are_empty_frames() -> None:
    traffic = Conversations(SITE).enrich({})
    assert all(getattr(traffic, name).is_empty() for name in TRAFFIC_TABLES)


def test_who_asks_is_the_client_also_where_the_flow_was_opened_to_it() -> None:
    wire = Wire()
    opened_by_server = wire.flow(PLC, HISTORIAN, 4840)
    usual = wire.flow(HISTORIAN, PLC, 4840)
    wire.add(OPCUA, opened_by_server, reversed=True, client_ip=packed(HISTORIAN), server_ip=packed(PLC))
    wire.add(OPCUA, usual)
    wire.minute(opened_by_server)
    traffic = wire.traffic(SITE)
    for asked in traffic.opcua.rows(named=True):
        assert (asked["client_zone"], asked["server_zone"]) == ("dmz", "plant")
        assert (asked["conduit"], asked["crosses"]) == ("c-hist", True)
    assert traffic.opcua["turned"].to_list() == [True, False]
    # The conversation as such stays the other way round.
    opened = traffic.flow_minutes.row(0, named=True)
    assert (opened["client_zone"], opened["server_zone"], opened["conduit"]) == ("plant", "dmz", "")
    assert not opened["turned"]


def test_a_row_without_a_flow_is_in_no_zone() -> None:
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    wire.add(OPERATIONS, None, service="goose", client_mac=0x010CCD010001)
    wire.add(OPERATIONS, flow, service="s7comm")
    wire.add(ANOMALIES, None, kind="ip_conflict")
    wire.add(ANOMALIES, flow, kind="malformed")
    traffic = wire.traffic(SITE)
    for rows in (traffic.operations, traffic.anomalies):
        assert rows["client_zone"].to_list() == ["", "dmz"]
        assert rows["crosses"].to_list() == [False, True]
    assert traffic.anomalies["client_ip"].to_list() == [None, packed(HISTORIAN)]


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


def _starts(numbers: list[int]) -> dict[str, pa.RecordBatch]:
    rows = [row(FLOW_STARTS, ts=5, flow_id=number, client_ip=packed(HISTORIAN)) for number in numbers]
    return {FLOW_STARTS.name: batch(FLOW_STARTS, rows)}


def _named(number: int, table: Table = ANOMALIES) -> dict[str, pa.RecordBatch]:
    return {table.name: batch(table, [row(table, flow_id=number)])}


def test_flows_that_have_ended_are_forgotten_and_the_others_are_not() -> None:
    conversations = Conversations(SITE)
    conversations.enrich(_starts([1, 2, 3]))
    conversations.enrich(_named(2, FLOWS))
    conversations.forget_ended()
    # Rows of a flow may come with its end, or a little after it.
    assert conversations.enrich(_named(2)).anomalies["client_ip"].to_list() == [packed(HISTORIAN)]
    conversations.forget_ended()
    assert conversations.kept == 2
    conversations.enrich(_starts([4]))
    for number in (1, 3, 4):
        traffic = conversations.enrich(_named(number))
        assert traffic.anomalies["client_ip"].to_list() == [packed(HISTORIAN)], number
    with pytest.raises(ValueError, match="ended long before"):
        conversations.enrich(_named(2))
    with pytest.raises(ValueError, match="known are 1 to 4"):
        conversations.enrich(_named(5))


def test_rows_of_no_flow_stay_so_where_flows_were_forgotten() -> None:
    conversations = Conversations(SITE)
    conversations.enrich({**_starts([1, 2]), **_named(1, FLOWS)})
    conversations.forget_ended()
    conversations.forget_ended()
    rows = [row(ANOMALIES, flow_id=None), row(ANOMALIES, flow_id=2)]
    traffic = conversations.enrich({ANOMALIES.name: batch(ANOMALIES, rows)})
    assert traffic.anomalies["client_ip"].to_list() == [None, packed(HISTORIAN)]
    nothing_known = Conversations(SITE)
    nothing_known.enrich({**_starts([1]), **_named(1, FLOWS)})
    nothing_known.forget_ended()
    nothing_known.forget_ended()
    assert nothing_known.kept == 0
    alone = nothing_known.enrich({ANOMALIES.name: batch(ANOMALIES, rows[:1])})
    assert alone.anomalies["client_ip"].to_list() == [None]
