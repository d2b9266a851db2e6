"""Real captures, damaged: what is outside of the damage is read as before, the damage is said, nothing is invented.

`damage.py` says what is outside; `byte_streams.py` is the yardstick, which knows only TCP's byte numbers.
"""

from __future__ import annotations

import gzip
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sensors.talks import Rows, decoded
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures
from tests.shared_captures.damage import (
    MODBUS,
    PROTOCOLS,
    Damaged,
    Messages,
    Row,
    Whole,
    content,
    handshakes,
    invented,
    messages,
    read,
    unread,
    whole,
    without,
)
from tests.support.byte_streams import End, missing
from tests.support.pcap_records import as_pcap, block_ends, records, unpacked

pytestmark = needs_captures

#: The one flow whose SYN says another client than everything else in it (PROVENANCE.tsv): five exceptions that a
#: port 502 sends, which had sent the SYN. Without its SYN nobody can know.
ODD_SYN: Final = (NAMES[1], frozenset({4446, 502}))

#: Counters of a flow that copies of its packets must not change.
_COUNTERS: Final = (
    "payload_bytes",
    "data_segments",
    "retransmitted_segments",
    "filled_holes",
    "out_of_order_segments",
    "unseen_segments",
    "gap_bytes",
)


@cache
def tenth_lost(name: str, phase: int) -> Damaged:
    """A capture without every tenth of its frames."""
    lost = frozenset(n for n in range(1, len(whole(name).frames) + 1) if n % 10 == phase)
    with tempfile.TemporaryDirectory() as folder:
        return without(Path(folder), whole(name), lost)


#: A capture and which of ten tenths of its frames is lost: the plant capture is large, three will do.
TENTHS: Final = [(name, phase) for name in NAMES for phase in ((0, 4, 7) if name == NAMES[2] else range(10))]


def ends(flow: Row) -> frozenset[End]:
    return frozenset(((flow["client_ip"], flow["client_port"]), (flow["server_ip"], flow["server_port"])))


def roles(rows: Rows) -> dict[frozenset[End], set[End]]:
    """Who is the client between two ends."""
    found: dict[frozenset[End], set[End]] = {}
    for flow in rows.get("flows", []):
        found.setdefault(ends(flow), set()).add((flow["client_ip"], flow["client_port"]))
    return found


def of_services(rows: Rows) -> Rows:
    """The flows whose protocol is one that is read message by message."""
    services = {protocol.service for protocol in PROTOCOLS}
    return {"flows": [flow for flow in rows.get("flows", []) if flow["service"] in services]}


def same_frames(original: Whole) -> dict[int, int]:
    return {number: number for number in range(1, len(original.frames) + 1)}


def transactions(rows: Rows, protocol: Messages, frames: dict[int, int] | Any) -> Counter[Any]:
    return Counter(content(row, frames) for row in rows.get(protocol.table, []))


# The yardstick itself, against a third opinion.


def test_the_yardstick_finds_the_messages_of_the_plant_capture() -> None:
    """PROVENANCE.tsv: counted frame by frame, 3,585; tshark's default mode drops seven."""
    nothing_lost = Damaged(whole(NAMES[2]), frozenset(), whole(NAMES[2]).rows, same_frames(whole(NAMES[2])))
    found = messages(nothing_lost, MODBUS)
    assert len(found) == 3_585
    assert all(one.outside for one in found)
    assert len(read(nothing_lost, MODBUS)) == 3_585
    assert unread(nothing_lost, MODBUS) == []
    assert invented(nothing_lost, MODBUS) == []


# Without handshakes.


@pytest.mark.parametrize("name", NAMES)
def test_without_handshakes_every_message_is_read_and_nothing_is_called_lost(
    tmp_path: Path, name: str
) -> None:
    damaged = without(tmp_path, whole(name), handshakes(whole(name)))
    for protocol in PROTOCOLS:
        assert unread(damaged, protocol) == []
        assert invented(damaged, protocol) == []
        if name != ODD_SYN[0]:
            before = transactions(whole(name).rows, protocol, same_frames(whole(name)))
            assert transactions(damaged.rows, protocol, damaged.old) == before
    gaps = [flow["gap_bytes_c2s"] + flow["gap_bytes_s2c"] for flow in damaged.rows.get("flows", [])]
    assert set(gaps) <= {0}
    assert not any(flow["syn_frame"] or flow["syn_ack_frame"] for flow in damaged.rows.get("flows", []))


@pytest.mark.parametrize("name", NAMES)
def test_without_handshakes_clients_and_servers_are_the_same(tmp_path: Path, name: str) -> None:
    damaged = without(tmp_path, whole(name), handshakes(whole(name)))
    before, after = roles(whole(name).rows), roles(damaged.rows)
    other = {key for key in after if not after[key] <= before[key]}
    assert {(name, frozenset(port for _, port in key)) for key in other} <= {ODD_SYN}


# Frames lost by the capture.


@pytest.mark.parametrize(("name", "phase"), TENTHS)
def test_every_tenth_frame_lost_leaves_the_messages_outside_unchanged(name: str, phase: int) -> None:
    original = whole(name)
    damaged = tenth_lost(name, phase)
    for protocol in PROTOCOLS:
        assert unread(damaged, protocol) == []
        assert invented(damaged, protocol) == []
        left = transactions(damaged.rows, protocol, damaged.old)
        read_here = {(frame, identity) for frame, identity, _, _ in read(damaged, protocol)}
        before = [
            (row, all((row[column], identity) in read_here for column, identity in protocol.of_row(row)))
            for row in original.rows.get(protocol.table, [])
        ]
        # Who uses one id for all requests cannot be told which answer was lost.
        doubtful = {key(protocol, row) for row, is_left in before if not is_left}
        poorer = {row["flow_id"] for row, is_left in before if not is_left and protocol.is_context(row)}
        for row, is_left in before:
            if is_left and row["flow_id"] not in poorer and key(protocol, row) not in doubtful:
                assert left[content(row, same_frames(original))] >= 1, row


def key(protocol: Messages, row: Row) -> tuple[Any, ...]:
    """What a transaction shares with those that it can be taken for."""
    return ends(row), protocol.mistaken_for(row)


@pytest.mark.parametrize(("name", "phase"), TENTHS)
def test_an_answer_whose_request_was_lost_is_no_answer_that_nobody_asked_for(name: str, phase: int) -> None:
    damaged = tenth_lost(name, phase)
    for protocol in PROTOCOLS:
        orphans = {
            same["response_frame"]
            for same in whole(name).rows.get(protocol.table, [])
            if same["outcome"] == "orphan"
        }
        # Of a flow that is joined in its middle nobody knows what was asked before.
        whole_flows = {flow["flow_id"] for flow in damaged.rows["flows"] if flow["syn_frame"]}
        for row in damaged.rows.get(protocol.table, []):
            if row["flow_id"] not in whole_flows:
                continue
            if row["outcome"] == "orphan" and damaged.old.get(row["response_frame"]) not in orphans:
                assert row["after_gap"], row


@pytest.mark.parametrize("phase", range(10))
def test_one_lost_answer_does_not_shift_the_others(phase: int) -> None:
    """A client that uses one id for all waits for its answer: what comes after a gap answers the last request."""
    original = whole(NAMES[1])
    damaged = tenth_lost(NAMES[1], phase)
    pairs = {(row["request_frame"], row["response_frame"]) for row in original.rows["modbus"]}
    for row in damaged.rows["modbus"]:
        pair = damaged.old.get(row["request_frame"]), damaged.old.get(row["response_frame"])
        assert None in pair or pair in pairs


@pytest.mark.parametrize(("name", "phase"), TENTHS)
def test_every_tenth_frame_lost_leaves_clients_and_servers_of_known_protocols(name: str, phase: int) -> None:
    original = whole(name)
    damaged = tenth_lost(name, phase)
    before, after = roles(of_services(original.rows)), roles(of_services(damaged.rows))
    other = {key for key in after if not after[key] <= before.get(key, set())}
    assert {(name, frozenset(port for _, port in key)) for key in other} <= {ODD_SYN}


@pytest.mark.parametrize(("name", "phase"), TENTHS)
def test_every_tenth_frame_lost_is_reported_to_the_byte(name: str, phase: int) -> None:
    original = whole(name)
    damaged = tenth_lost(name, phase)
    wrong = []
    for connection in original.connections:
        flows = [
            flow
            for flow in damaged.rows["flows"]
            if set(connection.sides) <= ends(flow)
            and connection.first_frame <= damaged.old[flow["first_frame"]] <= connection.frames[-1]
        ]
        for sender, loss in missing(connection, damaged.lost).items():
            ways = ("c2s" if sender == (flow["client_ip"], flow["client_port"]) else "s2c" for flow in flows)
            reported = sum(flow[f"gap_bytes_{way}"] for flow, way in zip(flows, ways, strict=True))
            if not loss.unseen <= reported <= loss.unseen + loss.late + loss.closed:
                wrong.append((connection.first_frame, sender[1], loss, reported))
    assert wrong == []


# Frames twice.


@pytest.mark.parametrize("name", NAMES)
def test_every_frame_doubled_changes_no_transaction_role_or_measurement(tmp_path: Path, name: str) -> None:
    original = whole(name)
    file = tmp_path / "doubled.pcap"
    file.write_bytes(as_pcap(frame for frame in original.frames for _ in range(2)))
    twice = decoded(file)
    old = {number: (number + 1) // 2 for number in range(1, 2 * len(original.frames) + 1)}
    for protocol in PROTOCOLS:
        before = transactions(original.rows, protocol, same_frames(original))
        assert transactions(twice, protocol, old) == before
    assert roles(twice) == roles(original.rows)
    assert len(twice["flows"]) == len(original.rows["flows"])
    for one, two in zip(
        sorted(original.rows["flows"], key=lambda flow: flow["first_frame"]),
        sorted(twice["flows"], key=lambda flow: flow["first_frame"]),
        strict=True,
    ):
        for way in ("c2s", "s2c"):
            for counter in _COUNTERS:
                assert two[f"{counter}_{way}"] == one[f"{counter}_{way}"], counter
            seen = [flow[f"packets_{way}"] + flow[f"duplicate_packets_{way}"] for flow in (one, two)]
            assert seen[1] == 2 * seen[0]
        for leg in ("handshake_server_rtt_ns", "handshake_client_rtt_ns"):
            assert two[leg] == one[leg]
    assert [sample["rtt_ns"] for sample in twice.get("rtt", [])] == [
        sample["rtt_ns"] for sample in original.rows.get("rtt", [])
    ]


# Cut at ten places.


@pytest.mark.parametrize("name", NAMES)
def test_cut_at_ten_places_gives_what_the_whole_frames_before_the_cut_give(tmp_path: Path, name: str) -> None:
    data = unpacked(FOLDER / name)
    borders = block_ends(data)
    file = tmp_path / "cut"
    for tenth in range(1, 11):
        cut_at = borders[0] + (len(data) - borders[0]) * tenth // 11
        # Not between two frames: that would be a whole capture.
        cut_at += cut_at in borders
        before = max(border for border in borders if border <= cut_at)
        file.write_bytes(data[:before])
        prefix = decoded(file)
        file.write_bytes(data[:cut_at])
        cut = decoded(file)
        said = cut["anomalies"].pop()
        assert (said["layer"], said["kind"], said["flow_id"]) == ("capture", "capture_cut", None)
        if not cut["anomalies"]:
            del cut["anomalies"]
        assert cut == prefix
        assert_prefix_of(prefix, whole(name), len(records_of(file, data[:before])))


def records_of(file: Path, data: bytes) -> list[Any]:
    file.write_bytes(data)
    return records(file)


def assert_prefix_of(prefix: Rows, original: Whole, frames: int) -> None:
    """Transactions that were complete before the cut are those of the whole capture."""
    for protocol in PROTOCOLS:
        done = [
            row
            for row in original.rows.get(protocol.table, [])
            if row["response_frame"] and all(row[column] <= frames for column, _ in protocol.of_row(row))
        ]
        found = Counter(content(row, {}) for row in prefix.get(protocol.table, []))
        assert Counter(content(row, {}) for row in done) - found == Counter()


def test_a_cut_gzip_capture_says_so_and_keeps_what_is_before(tmp_path: Path) -> None:
    packed = (FOLDER / NAMES[11]).read_bytes()
    assert gzip.decompress(packed)
    file = tmp_path / "cut.pcap.gz"
    file.write_bytes(packed[: len(packed) * 3 // 4])
    cut = decoded(file)
    assert {anomaly["layer"] for anomaly in cut["anomalies"]} == {"capture"}
    assert 500 < sum(minute["packets"] for minute in cut["coverage"]) < 2_550
