"""Round trips beside Wireshark's and tcptrace's, where the definitions are the same."""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

import polars as pl
import pytest

from sensors.addresses import address_text
from sensors.stats import stats
from tests.shared_captures.captures import FOLDER, NAMES, expected, needs_captures, oracle, rows

pytestmark = needs_captures

TCPTRACE: Final = NAMES[11]
MICROSECOND: Final = 1e-6 + 1e-12

Flow = dict[str, Any]


@cache
def listed(name: str) -> dict[tuple[str, str], tuple[Flow, Flow]]:
    """Our and Wireshark's flow, by client and server: no pair of ports is used twice in these captures."""
    ours = {(f["client"], f["server"]): f for f in stats(FOLDER / name)["flow_list"]}
    theirs = {(f["client"], f["server"]): f for f in oracle()[name]["flow_list"]}
    return {key: (ours[key], theirs[key]) for key in ours.keys() & theirs.keys()}


def test_handshake_round_trips_agree_within_a_microsecond() -> None:
    pairs = [
        (name, theirs["stream"], ours["handshake_rtt_s"], theirs["handshake_rtt_s"])
        for name in NAMES
        for ours, theirs in listed(name).values()
        if theirs["handshake_rtt_s"] is not None
    ]
    differing = {
        (name, stream)
        for name, stream, ours, theirs in pairs
        if ours is None or abs(ours - theirs) > MICROSECOND
    }
    assert len(pairs) >= 20
    assert differing == {
        # The SYN was refused by a reset: Wireshark calls that a handshake, we do not.
        (TCPTRACE, 0),
        (TCPTRACE, 1),
        # The tap saw the SYN twice (same IP id, TTL 255 and 254): Wireshark starts at the copy, 1.031 ms late.
        (TCPTRACE, 4),
    }
    ((first, copy),) = [
        (ours, theirs) for name, stream, ours, theirs in pairs if (name, stream) == (TCPTRACE, 4)
    ]
    assert first - copy == pytest.approx(0.001031, abs=MICROSECOND)


def test_flows_without_handshake_have_no_handshake_round_trip() -> None:
    silent = [
        ours["handshake_rtt_s"]
        for name in NAMES
        for ours, theirs in listed(name).values()
        if not theirs["syn"]
    ]
    assert len(silent) >= 25
    assert set(silent) == {None}


def test_acknowledged_data_round_trips_agree_where_wireshark_follows_karn() -> None:
    """Flows without any repeat or FIN: the same segments, the same ACKs, within a microsecond."""
    compared = 0
    for name in NAMES:
        for ours, theirs in listed(name).values():
            if (
                theirs["retrans"]
                or theirs["out_of_order"]
                or theirs["lost_segment"]
                or theirs["fin"]
                or theirs["rst"]
            ):
                continue
            assert ours["ack_rtt_n"] == theirs["ack_rtt_n"], (name, ours["client"])
            for key in ("ack_rtt_median_s", "ack_rtt_p95_s"):
                assert ours[key] == pytest.approx(theirs[key], abs=MICROSECOND), (name, ours["client"])
            compared += theirs["ack_rtt_n"]
    assert compared >= 4_000


@pytest.mark.parametrize("name", NAMES)
def test_packets_and_payload_bytes_of_each_flow_agree(name: str) -> None:
    assert listed(name).keys() == {(f["client"], f["server"]) for f in oracle()[name]["flow_list"]}
    for ours, theirs in listed(name).values():
        # SPAN duplicates are packets of the capture, and nothing else of ours.
        doubled = (name, theirs["stream"]) == (TCPTRACE, 4)
        for key in ("packets", "syn", "rst", *(() if doubled else ("fin", "payload_c2s", "payload_s2c"))):
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
    flows = rows(TCPTRACE, "flows").sort("first_frame").to_dicts()
    assert len(tcptrace()) == len(flows) == 5
    return [(a, b, flow) for (a, b), flow in zip(tcptrace(), flows, strict=True)]


def test_tcptrace_connections_have_our_ends_and_packets() -> None:
    for opener, other, flow in pairs():
        assert opener["host"] == f"{address_text(flow['client_ip'])}:{flow['client_port']}"
        assert other["host"] == f"{address_text(flow['server_ip'])}:{flow['server_port']}"
        assert flow["packets_c2s"] + flow["duplicate_packets_c2s"] == int(opener["total packets"])
        assert flow["packets_s2c"] + flow["duplicate_packets_s2c"] == int(other["total packets"])
        if not flow["duplicate_packets_c2s"]:
            assert flow["payload_bytes_c2s"] == int(opener["actual data bytes"])
            assert flow["data_segments_c2s"] == int(opener["actual data pkts"])
        assert flow["payload_bytes_s2c"] == int(other["actual data bytes"]) == 0


def test_tcptrace_handshakes_of_each_side() -> None:
    """tcptrace's "RTT from 3WHS" is one leg for each side, in tenths of a millisecond; 0.0 where it has none."""
    compared = 0
    for opener, other, flow in pairs():
        if flow["syn_ack_frame"] is None:
            # Refused by a reset: a round trip for tcptrace, no handshake for us.
            assert flow["end_reason"] == "reset"
            assert flow["handshake_server_rtt_ns"] is None
            continue
        for side, ours in ((opener, "handshake_server_rtt_ns"), (other, "handshake_client_rtt_ns")):
            if theirs := float(side["RTT from 3WHS"]):
                assert flow[ours] / 1e6 == pytest.approx(theirs, abs=0.0501)
                compared += 1
    assert compared == 5


def test_tcptrace_retransmissions_and_reorderings() -> None:
    """Its rexmt is ours after the tap, its out of order is our filled hole: it cannot tell loss before the tap."""
    _, _, large, lossy, doubled = pairs()
    assert large[2]["retransmitted_segments_c2s"] == int(large[0]["rexmt data pkts"]) == 0
    assert (
        large[2]["filled_holes_c2s"] + large[2]["out_of_order_segments_c2s"]
        == int(large[0]["outoforder pkts"])
        == 2
    )
    # The fillers have IP ids behind those of later segments, 208 and 227 ms on: sent again, not overtaken.
    assert large[2]["filled_holes_c2s"] == 2
    # Wireshark finds 7 of the 51 spurious (the data was acknowledged already): no loss, so not ours.
    assert lossy[2]["retransmitted_segments_c2s"] == int(lossy[0]["rexmt data pkts"]) - 7 == 44
    # The client's packets are seen before and behind a router: tcptrace counts the copies as repeats, and warns of it.
    copies = int(doubled[0]["hardware dups"])
    assert doubled[2]["duplicate_packets_c2s"] == copies == 44
    copied_data = int(doubled[0]["actual data pkts"]) - doubled[2]["data_segments_c2s"]
    assert 0 < doubled[2]["retransmitted_segments_c2s"] <= int(doubled[0]["rexmt data pkts"]) - copied_data


def test_tcptrace_round_trips_of_the_large_transfer() -> None:
    """Connection 3 repeats nothing that the tap saw; tcptrace times the ACK of the FIN (0.369 ms) as well."""
    opener, _, flow = pairs()[2]
    samples = rows(TCPTRACE, "rtt").filter(
        (pl.col("flow_id") == flow["flow_id"])
        & pl.col("kind").cast(pl.String).is_in(["ack_server", "handshake_server"])
    )["rtt_ns"]
    milliseconds = [*(samples.cast(pl.Float64) / 1e6), 0.369]
    assert len(milliseconds) == int(opener["RTT samples"])
    assert min(milliseconds) == pytest.approx(float(opener["RTT min"]), abs=0.0501)
    assert max(milliseconds) == pytest.approx(float(opener["RTT max"]), abs=0.0501)
    assert sum(milliseconds) / len(milliseconds) == pytest.approx(float(opener["RTT avg"]), abs=0.0501)
