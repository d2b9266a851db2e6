"""The numbers of a capture, held against tshark itself on captures made here, and against hand-counted frames."""

from __future__ import annotations

import shutil
import struct
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sensors import flow_list
from sensors.capture import CaptureUnreadable
from sensors.flow_list import FlowList
from sensors.stats import stats
from tests.sensors.talks import adu, read_request, read_response, talk, write_pcap
from tests.support.pcap_bytes import ACK, PSH, SYN, tcp_frame


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    """Two conversations, the second with an exception and an unanswered request."""
    up: dict[str, Any] = {"src": "10.1.0.6", "dst": "10.1.0.9", "sport": 40_100, "dport": 502}
    down: dict[str, Any] = {"src": "10.1.0.9", "dst": "10.1.0.6", "sport": 502, "dport": 40_100}
    refused, exception = adu(1, read_request(9_999)), adu(1, b"\x83\x02")
    second = [
        tcp_frame(**up, seq=100, ack=0, flags=SYN),
        tcp_frame(**down, seq=700, ack=101, flags=SYN | ACK),
        tcp_frame(**up, seq=101, ack=701, flags=ACK),
        tcp_frame(**up, seq=101, ack=701, flags=ACK | PSH, payload=refused, ip_id=2),
        tcp_frame(**down, seq=701, ack=101 + len(refused), flags=ACK | PSH, payload=exception),
        tcp_frame(
            **up,
            seq=101 + len(refused),
            ack=701 + len(exception),
            flags=ACK | PSH,
            payload=adu(2, read_request(1)),
            ip_id=3,
        ),
    ]
    return write_pcap(tmp_path / "busy.pcap", talk(5) + second)


def test_counts_what_was_put_into_the_capture(busy: Path) -> None:
    answer = stats(busy)
    assert (answer["file"], answer["ok"], answer["frames"]) == (str(busy), True, len(talk(5)) + 6)
    assert {
        key: answer["tcp"][key] for key in ("flows", "flows_with_syn", "udp_flows", "retransmissions")
    } == {
        "flows": 2,
        "flows_with_syn": 2,
        "udp_flows": 0,
        "retransmissions": 0,
    }
    modbus = answer["modbus"]
    assert modbus["messages"] == 13
    assert modbus["by_fc"] == {"3 request": 7, "3 response": 5, "3 exception": 1}
    assert modbus["exceptions"] == {"fc3 code2": 1}
    assert modbus["units"] == {"1": 13}
    assert (modbus["responses_matched"], modbus["responses_unmatched"], modbus["requests_unanswered"]) == (
        6,
        0,
        1,
    )
    # Frames are a millisecond apart, and so is every response from its request.
    assert modbus["response_time_s"]["own"] == {"n": 6, "min": 1e-3, "median": 1e-3, "p95": 1e-3, "max": 1e-3}


def test_lists_flows_largest_first_with_their_round_trips(busy: Path) -> None:
    first, second = stats(busy)["flow_list"]
    assert (first["first_frame"], first["client"], first["server"]) == (1, "10.1.0.5:40000", "10.1.0.9:502")
    assert (second["first_frame"], second["client"], second["packets"]) == (
        len(talk(5)) + 1,
        "10.1.0.6:40100",
        6,
    )
    assert first["handshake_rtt_s"] == pytest.approx(2e-3)
    assert first["payload_c2s"] == 5 * len(adu(1, read_request(1)))
    assert first["payload_s2c"] == 5 * len(adu(1, read_response(1, 2)))
    assert (first["fin"], first["rst"], first["syn"]) == (2, 0, True)


def test_what_is_not_decoded_is_absent_or_null_and_noted(busy: Path) -> None:
    answer = stats(busy)
    assert answer["opcua"] is None
    assert answer["mqtt"] is None
    assert any("protocols: frames by application protocol" in note for note in answer["notes"])
    assert "duplicate_ack" not in answer["tcp"]["analysis"]


def test_a_capture_without_modbus_has_no_modbus_section(tmp_path: Path) -> None:
    frame = tcp_frame("10.0.0.1", "10.0.0.2", 40_000, 80, seq=1, ack=0, flags=SYN)
    answer = stats(write_pcap(tmp_path / "web.pcap", [frame]))
    assert answer["modbus"] is None
    assert answer["flow_list"][0]["ack_rtt_n"] == 0
    assert answer["flow_list"][0]["ack_rtt_median_s"] is None


def test_a_capture_of_no_frames_counts_nothing(tmp_path: Path) -> None:
    answer = stats(write_pcap(tmp_path / "none.pcap", []))
    assert (answer["frames"], answer["tcp"]["flows"], answer["flow_list"]) == (0, 0, [])
    assert answer["tcp"]["ack_rtt_s"] == {"n": 0, "min": None, "median": None, "p95": None, "max": None}


def test_a_cut_capture_is_counted_up_to_the_cut_and_noted(busy: Path) -> None:
    whole = stats(busy)
    busy.write_bytes(busy.read_bytes()[:-1])
    answer = stats(busy)
    assert answer["frames"] == whole["frames"] - 1
    assert [note for note in answer["notes"] if note not in whole["notes"]] == [
        f"the capture ends early, at byte {busy.stat().st_size}: what is before it was read"
    ]


def test_what_is_no_capture_is_the_users_error(tmp_path: Path) -> None:
    with pytest.raises(CaptureUnreadable):
        stats(tmp_path)


def flow_rows(packets: list[int], first_id: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """flow_starts and flows rows of TCP flows with these many packets."""
    count = len(packets)
    ids = pl.Series("flow_id", range(first_id, first_id + count), dtype=pl.UInt32)
    address = b"\0" * 10 + b"\xff\xff" + struct.pack(">I", 0x0A000001)
    zeros = [
        f"{name}_{way}"
        for name in (
            "packets",
            "duplicate_packets",
            "fins",
            "resets",
            "retransmitted_segments",
            "filled_holes",
            "out_of_order_segments",
            "payload_bytes",
        )
        for way in ("c2s", "s2c")
    ]
    starts = pl.DataFrame({"flow_id": ids, "ip_proto": pl.repeat(6, count, dtype=pl.UInt8, eager=True)})
    flows = starts.with_columns(
        *(pl.lit(0, pl.UInt32).alias(name) for name in zeros),
        *(pl.lit(None, pl.UInt64).alias(name) for name in ("syn_frame", "syn_ack_frame")),
        *(pl.lit(None, pl.UInt64).alias(f"handshake_{side}_rtt_ns") for side in ("client", "server")),
        pl.col("flow_id").cast(pl.UInt64).alias("first_frame"),
        *(pl.lit(address).alias(name) for name in ("client_ip", "server_ip")),
        *(pl.lit(1, pl.UInt16).alias(name) for name in ("client_port", "server_port")),
        *(pl.lit(0).cast(pl.Datetime("ns", "UTC")).alias(name) for name in ("ts", "last_ts")),
    ).with_columns(pl.Series("packets_c2s", packets, dtype=pl.UInt32))
    return starts, flows


def test_the_flow_list_keeps_the_largest_and_forgets_samples_of_the_others() -> None:
    listed = FlowList()
    for first_id in range(1, 2001, 100):
        starts, flows = flow_rows([first_id + n for n in range(100)], first_id)
        listed.start(starts)
        listed.sample(flows.select("flow_id", pl.lit(1_000, pl.UInt64).alias("rtt_ns")))
        listed.end(flows)
    rows = listed.rows()
    assert [row["packets"] for row in rows] == list(range(2000, 1950, -1))
    assert [row["flow_id"] for row in rows] == list(range(2000, 1950, -1))
    assert {row["ack_rtt_n"] for row in rows} == {1}
    assert listed._samples.height == flow_list.FLOWS_LISTED


def test_a_flood_of_flows_costs_the_sparse_ones_their_round_trips_not_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flow_list, "DISTINCT_LIMIT", 100)
    listed = FlowList()
    starts, flows = flow_rows([5] * 500 + [9])
    listed.start(starts)
    busy = pl.DataFrame({"flow_id": [501] * 20, "rtt_ns": [1_000 * n for n in range(20)]})
    sparse = flows.select("flow_id", pl.lit(1_000, pl.UInt64).alias("rtt_ns"))
    listed.sample(pl.concat([sparse, busy.cast({"flow_id": pl.UInt32, "rtt_ns": pl.UInt64})]))
    assert listed._samples.height <= 100
    listed.end(flows)
    largest, *others = listed.rows()
    assert largest["ack_rtt_n"] == 21
    assert any("ack_rtt_n" not in row for row in others)


@pytest.fixture
def oracle() -> Any:
    """The project's tshark oracle, run for real."""
    script = Path(__file__).resolve().parents[3] / "shared" / "tools" / "oracle.py"
    if not script.is_file() or shutil.which("tshark") is None:
        pytest.skip("needs tshark and the shared tshark oracle beside the repository")
    spec = spec_from_file_location("oracle", script)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode
    spec.loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


def test_tshark_gives_the_same_numbers_for_the_same_keys(busy: Path, oracle: Any) -> None:
    theirs, ours = oracle.oracle(str(busy)), stats(busy)
    plain = (
        "file",
        "ok",
        "capinfo",
        "frames",
        "encaps",
        "max_vlan_tags",
        "truncated_frames",
        "time_goes_back",
    )
    assert {key: ours[key] for key in plain} == {key: theirs[key] for key in plain}
    tcp = ("flows", "flows_with_syn", "udp_flows", "retransmissions", "handshake_rtt_s")
    assert {key: ours["tcp"][key] for key in tcp} == {key: theirs["tcp"][key] for key in tcp}
    assert ours["modbus"]["response_time_s"]["own"] == theirs["modbus"]["response_time_s"]["own"]
    del ours["modbus"]["response_time_s"], theirs["modbus"]["response_time_s"]
    assert ours["modbus"] == {key: theirs["modbus"][key] for key in ours["modbus"]}
    for flow, their in zip(ours["flow_list"], theirs["flow_list"], strict=True):
        # Wireshark takes the ACK of a FIN for a round trip as well, one on each side of the first flow.
        fins = their.pop("fin")
        assert flow.pop("fin") == fins
        assert flow.pop("ack_rtt_n") == their.pop("ack_rtt_n") - fins
        assert {key: flow[key] for key in flow if key not in ("flow_id", "first_frame")} == {
            key: their[key] for key in their if key not in ("stream", "lost_segment")
        }
