"""Round trips beside Wireshark's and tcptrace's, where the definitions are the same."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import polars as pl
import pytest

from sensors.decode import address_text
from sensors.stats import stats
from tests.shared_captures.captures import FOLDER, NAMES, expected, needs_captures, oracle, rows

pytestmark = needs_captures

TCPTRACE: Final = NAMES[11]
MICROSECOND: Final = 1e-6 + 1e-12

Flow = dict[str, Any]


@cache
def listed(name: str) -> dict[tuple[int, str, str], tuple[Flow, Flow]]:
    """Our and Wireshark's flow, by stream and ends; only flows whose ends both see the same way round."""
    ours = {(f["stream"], f["client"], f["server"]): f for f in stats(FOLDER / name)["flow_list"]}
    theirs = {(f["stream"], f["client"], f["server"]): f for f in oracle()[name]["flow_list"]}
    return {key: (ours[key], theirs[key]) for key in ours.keys() & theirs.keys()}


def test_handshake_round_trips_agree_within_a_microsecond() -> None:
    pairs = [
        (ours["handshake_rtt_s"], theirs["handshake_rtt_s"])
        for name in NAMES
        for ours, theirs in listed(name).values()
        if theirs["handshake_rtt_s"] is not None
    ]
    assert len(pairs) >= 20
    agreeing = [pair for pair in pairs if pair[0] is not None and abs(pair[0] - pair[1]) <= MICROSECOND]
    assert len(agreeing) / len(pairs) >= 0.99, sorted(set(pairs) - set(agreeing))


def test_flows_without_handshake_have_no_handshake_round_trip() -> None:
    silent = [
        ours["handshake_rtt_s"]
        for name in NAMES
        for ours, theirs in listed(name).values()
        if not theirs["syn"]
    ]
    assert len(silent) >= 50
    assert set(silent) == {None}


@pytest.mark.parametrize("name", NAMES)
def test_payload_bytes_and_packets_of_each_flow_agree(name: str) -> None:
    assert listed(name)
    for ours, theirs in listed(name).values():
        for key in ("packets", "payload_c2s", "payload_s2c", "syn", "rst"):
            assert ours[key] == theirs[key], (ours["client"], key)
        assert ours["duration_s"] == pytest.approx(theirs["duration_s"], abs=2e-6)


@cache
def tcptrace() -> list[tuple[dict[str, str], dict[str, str]]]:
    """tcptrace's figures of each connection: of the side that opened it, and of the other."""
    text = next(expected(TCPTRACE).iterdir()).read_text()
    connections = []
    for section in re.split(r"^TCP connection \d+:$", text, flags=re.MULTILINE)[1:]:
        sides: tuple[dict[str, str], dict[str, str]] = ({}, {})
        hosts = re.findall(r"^\thost \w+: +(\S+)$", section, re.MULTILINE)
        for side, host in zip(sides, hosts, strict=True):
            side["host"] = host
        for name, a, b in re.findall(r"^ {5}(\S.*?): +(\S+)(?: \w+)? +\1: +(\S+)", section, re.MULTILINE):
            sides[0][name], sides[1][name] = a, b
        connections.append(sides)
    return connections


def pairs() -> list[tuple[dict[str, str], dict[str, str], Flow]]:
    """tcptrace's two sides of each connection, and our flow."""
    flows = rows(TCPTRACE, "flows").sort("flow_id").to_dicts()
    assert len(tcptrace()) == len(flows) == 5
    return [(a, b, flow) for (a, b), flow in zip(tcptrace(), flows, strict=True)]


def test_tcptrace_connections_have_our_ends_and_packets() -> None:
    for opener, other, flow in pairs():
        assert opener["host"] == f"{address_text(flow['client_ip'])}:{flow['client_port']}"
        assert other["host"] == f"{address_text(flow['server_ip'])}:{flow['server_port']}"
        assert flow["packets_c2s"] + flow["duplicate_packets_c2s"] == int(opener["total packets"])
        assert flow["packets_s2c"] + flow["duplicate_packets_s2c"] == int(other["total packets"])
        assert flow["payload_bytes_c2s"] + 0 <= int(opener["actual data bytes"])


def test_tcptrace_handshakes_of_each_side() -> None:
    """tcptrace's "RTT from 3WHS" is one leg for each side, in tenths of a millisecond; 0.0 where it has none."""
    for opener, other, flow in pairs():
        for side, ours in (
            (opener, flow["handshake_server_rtt_ns"]),
            (other, flow["handshake_client_rtt_ns"]),
        ):
            theirs = float(side["RTT from 3WHS"])
            if theirs:
                assert ours is not None
                assert ours / 1e6 == pytest.approx(theirs, abs=0.0501)


def test_tcptrace_retransmissions_of_each_side() -> None:
    for opener, other, flow in pairs():
        assert flow["retransmitted_segments_c2s"] + flow["filled_holes_c2s"] == int(opener["rexmt data pkts"])
        assert flow["retransmitted_segments_s2c"] + flow["filled_holes_s2c"] == int(other["rexmt data pkts"])


def test_tcptrace_round_trip_range_of_the_large_transfer() -> None:
    """Connection 3 retransmits nothing: Karn's rule leaves the same samples to both."""
    opener, _, flow = pairs()[2]
    samples = rows(TCPTRACE, "rtt").filter(
        (pl.col("flow_id") == flow["flow_id"])
        & pl.col("kind").cast(pl.String).is_in(["ack_server", "handshake_server"])
    )["rtt_ns"]
    milliseconds = samples.cast(pl.Float64) / 1e6
    assert milliseconds.min() == pytest.approx(float(opener["RTT min"]), abs=0.0501)
    assert milliseconds.max() == pytest.approx(float(opener["RTT max"]), abs=0.0501)
    assert milliseconds.mean() == pytest.approx(float(opener["RTT avg"]), abs=0.0501)
    assert len(samples) == int(opener["RTT samples"])
