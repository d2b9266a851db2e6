"""Hostile bytes at the Python seam: nothing but CaptureUnreadable, and what came before the harm stays as it was.

The shorter half of the hunt: the longer one is coverage-guided, in the engine's own language. Real conversations come
from the shared captures where those are there; two of our own are always there.
"""

from __future__ import annotations

import gzip
import itertools
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensors.capture import CaptureUnreadable
from sensors.engine import EngineLimits, decode
from tests.sensors.talks import Rows, adu, decoded, read_request, read_response
from tests.shared_captures.captures import FOLDER, NAMES
from tests.support.byte_streams import connections
from tests.support.pcap_records import as_pcap, block_ends, records, unpacked
from tests.support.tcp_talk import Sent, Turn, cut, nanosecond_pcap, talk, turns

#: Many small runs: one slow machine makes none of them fail, and the same ones run everywhere.
few = settings(max_examples=25, deadline=None, derandomize=True, database=None)
many = settings(max_examples=150, deadline=None, derandomize=True, database=None)

#: Limits so low that every one of them is met.
TIGHT: Final = EngineLimits(
    flow_limit=4,
    reassembly_bytes_per_flow=2048,
    reassembly_bytes=4096,
    reassembly_pieces=4,
    pending_limit=3,
    pending_limit_all=5,
    anomalies_per_flow_kind=2,
    anomalies_per_kind=4,
)

#: Tables of messages; their rows have to be the same however the bytes came.
TABLES: Final = ("modbus", "opcua", "mqtt")

#: Columns that say where and when a message was, or how well it is known, not what it says.
_WHERE: Final = frozenset({"ts", "latency_ns", "flow_id", "confidence", "after_gap", "sparkplug_ts"})


@dataclass(frozen=True, slots=True)
class Conversation:
    """What two ends said, and where the server listens."""

    name: str
    said: tuple[Turn, ...] = field(repr=False)
    server_port: int


def _modbus(port: int) -> Conversation:
    said: list[Turn] = []
    for number in range(12):
        said.append(
            (True, b"".join(adu(number * 4 + n, read_request(n, 2 + n)) for n in range(number % 3 + 1)))
        )
        answers = [adu(number * 4 + n, read_response(*range(2 + n))) for n in range(number % 3 + 1)]
        said.append((False, b"".join(answers)))
    return Conversation(f"modbus on {port}", tuple(said), port)


def _real() -> Iterator[Conversation]:
    """The largest conversation of each kind in the shared captures."""
    if not FOLDER.is_dir():
        return
    for name, service in (
        (NAMES[0], "modbus"),
        (NAMES[2], "modbus"),
        (NAMES[3], "opcua"),
        (NAMES[7], "mqtt"),
    ):
        flows = [flow for flow in decoded(FOLDER / name)["flows"] if flow["service"] == service]
        if not flows:
            continue
        flow = max(flows, key=lambda flow: int(flow["payload_bytes_c2s"]))
        client = flow["client_ip"], flow["client_port"]
        both = {client, (flow["server_ip"], flow["server_port"])}
        one = next(c for c in connections(records(FOLDER / name)) if set(c.sides) == both)
        said = turns(one, client)[:60]
        yield Conversation(f"{service} of {name[:2]}", tuple(said), flow["server_port"])


@cache
def conversations() -> tuple[Conversation, ...]:
    return tuple(one for one in (_modbus(502), *_real()) if plainly(one))


def named(conversation: Conversation) -> str:
    return conversation.name


def decode_bytes(data: bytes, **options: Any) -> Rows:
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(data)
        file.flush()
        return decoded(Path(file.name), **options)


def survives(data: bytes) -> int:
    """Decode what may be no capture at all; how many Modbus transactions were answered in it."""
    answered = 0
    try:
        with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
            file.write(data)
            file.flush()
            with decode(file.name) as run:
                for batches in run:
                    if "modbus" in batches:
                        answered += batches["modbus"].column("outcome").to_pylist().count("answered")
    except CaptureUnreadable:
        pass
    return answered


def content(row: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (key, repr(row[key])) for key in sorted(row) if key not in _WHERE and not key.endswith("_frame")
    )


def said_by(rows: Rows) -> Counter[Any]:
    """What all message rows say."""
    return Counter((table, content(row)) for table in TABLES for row in rows.get(table, []))


@cache
def plainly(conversation: Conversation) -> Counter[Any]:
    """The rows of a conversation whose turns come in one segment each."""
    return said_by(decode_bytes(nanosecond_pcap(talk(conversation.said, conversation.server_port))))


@pytest.fixture(params=conversations(), ids=named)
def conversation(request: pytest.FixtureRequest) -> Conversation:
    one: Conversation = request.param
    return one


# Segments.


@given(data=st.data())
@few
def test_any_segments_give_the_same_transactions(data: st.DataObject) -> None:
    conversation = data.draw(st.sampled_from(conversations()), label="conversation")
    sizes = data.draw(st.lists(st.integers(1, 400), min_size=1, max_size=12), label="sizes")
    frames = talk(conversation.said, conversation.server_port, lambda turn: cut(turn, itertools.cycle(sizes)))
    assert said_by(decode_bytes(nanosecond_pcap(frames))) == plainly(conversation)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 9])
def test_the_smallest_segments_give_the_same_transactions(conversation: Conversation, size: int) -> None:
    frames = talk(conversation.said, conversation.server_port, lambda turn: cut(turn, itertools.repeat(size)))
    assert said_by(decode_bytes(nanosecond_pcap(frames))) == plainly(conversation)


def test_the_smallest_segments_on_another_port_give_the_same_transactions() -> None:
    frames = talk(_modbus(5020).said, 5020, lambda turn: cut(turn, itertools.repeat(3)))
    rows = [row | {"server_port": 502} for row in decode_bytes(nanosecond_pcap(frames))["modbus"]]
    assert said_by({"modbus": rows}) == plainly(_modbus(502))


@given(data=st.data())
@few
def test_segments_out_of_order_and_twice_give_the_same_transactions(data: st.DataObject) -> None:
    conversation = data.draw(st.sampled_from(conversations()), label="conversation")
    chance = random.Random(data.draw(st.integers(0, 2**32), label="seed"))
    size = data.draw(st.integers(1, 300), label="size")

    def shuffled(turn: Turn) -> list[Sent]:
        segments = cut(turn, itertools.repeat(size))
        segments += chance.sample(segments, k=min(len(segments), 2))
        # Within the window that is kept while a hole is open.
        for start in range(0, len(segments), 8):
            part = segments[start : start + 8]
            chance.shuffle(part)
            segments[start : start + 8] = part
        return segments

    frames = talk(conversation.said, conversation.server_port, shuffled)
    assert said_by(decode_bytes(nanosecond_pcap(frames))) == plainly(conversation)


@given(data=st.data())
@few
def test_segments_that_overlap_give_the_same_transactions(data: st.DataObject) -> None:
    conversation = data.draw(st.sampled_from(conversations()), label="conversation")
    size = data.draw(st.integers(1, 200), label="size")
    back = data.draw(st.integers(1, 60), label="overlap")

    def overlapping(turn: Turn) -> list[Sent]:
        return [
            Sent(
                one.from_client,
                max(0, one.start - back),
                turn[1][max(0, one.start - back) : one.start + size],
            )
            for one in cut(turn, itertools.repeat(size))
        ]

    frames = talk(conversation.said, conversation.server_port, overlapping)
    assert said_by(decode_bytes(nanosecond_pcap(frames))) == plainly(conversation)


@given(data=st.data())
@few
def test_doubled_frames_give_the_same_transactions(data: st.DataObject) -> None:
    conversation = data.draw(st.sampled_from(conversations()), label="conversation")
    frames = talk(conversation.said, conversation.server_port)
    twice = data.draw(st.sets(st.integers(0, len(frames) - 1)), label="doubled")
    doubled = [frame for n, frame in enumerate(frames) for _ in range(2 if n in twice else 1)]
    assert said_by(decode_bytes(nanosecond_pcap(doubled))) == plainly(conversation)


# A conversation that breaks off, or goes bad.


def test_a_conversation_cut_at_every_byte_keeps_the_transactions_before(conversation: Conversation) -> None:
    whole = plainly(conversation)
    answered = {row for row in whole if ("outcome", "'answered'") in row[1]}
    for kept in _cuts(conversation.said):
        rows = said_by(decode_bytes(nanosecond_pcap(talk(kept, conversation.server_port)[:-3])))
        found = Counter({row: n for row, n in rows.items() if ("outcome", "'answered'") in row[1]})
        assert found - whole == Counter()
        assert set(found) <= answered


def _cuts(said: Sequence[Turn], longest: int = 120) -> Iterator[tuple[Turn, ...]]:
    """A conversation that ends at every byte, or at `longest` places of a long one."""
    total = sum(len(turn) for _, turn in said)
    for at in range(1, total, max(1, total // longest)):
        kept: list[Turn] = []
        left = at
        for from_client, turn in said:
            kept.append((from_client, turn[:left]))
            left -= len(turn)
            if left <= 0:
                break
        yield tuple(kept)


@given(data=st.data())
@many
def test_garbage_in_the_middle_leaves_the_transactions_before(data: st.DataObject) -> None:
    conversation = data.draw(st.sampled_from(conversations()), label="conversation")
    place = data.draw(st.integers(2, len(conversation.said)), label="place")
    noise = data.draw(st.binary(min_size=1, max_size=300), label="noise")
    from_client = data.draw(st.booleans(), label="from client")
    said = (*conversation.said[:place], (from_client, noise), *conversation.said[place:])
    before = done_within(conversation.said[:place], conversation.server_port)
    assert before - said_by(decode_bytes(nanosecond_pcap(talk(said, conversation.server_port)))) == Counter()


def done_within(said: Sequence[Turn], port: int) -> Counter[Any]:
    """Transactions that are whole in a part of a conversation."""
    rows = said_by(decode_bytes(nanosecond_pcap(talk(said, port))))
    return Counter({row: n for row, n in rows.items() if ("outcome", "'answered'") in row[1]})


@given(data=st.data())
@many
def test_a_flipped_bit_leaves_the_transactions_before_its_frame(data: st.DataObject) -> None:
    conversation = data.draw(st.sampled_from(conversations()), label="conversation")
    capture = bytearray(nanosecond_pcap(talk(conversation.said, conversation.server_port)))
    bit = data.draw(st.integers(24 * 8, len(capture) * 8 - 1), label="bit")
    capture[bit // 8] ^= 1 << bit % 8
    flipped = bytes(capture)
    capture[bit // 8] ^= 1 << bit % 8
    frame = sum(end <= bit // 8 for end in block_ends(bytes(capture)))
    before = completed(decode_bytes(bytes(capture)), frame)
    try:
        after = completed(decode_bytes(flipped), frame)
    except CaptureUnreadable:
        return
    assert before - after == Counter()


def completed(rows: Rows, before_frame: int) -> Counter[Any]:
    """Transactions whose frames all come before one."""
    return Counter(
        (table, content(row))
        for table in TABLES
        for row in rows.get(table, [])
        if row["request_frame"] is not None
        and row["response_frame"] is not None
        and max(row["request_frame"], row["response_frame"]) < before_frame
    )


# Files.


@pytest.fixture(scope="module")
def small() -> bytes:
    """A capture with a few whole conversations."""
    return nanosecond_pcap(talk(_modbus(502).said[:4], 502) + talk(_modbus(1502).said[:2], 1502))


def test_a_file_cut_at_every_byte_is_read_or_refused(small: bytes) -> None:
    answered = 0
    for end in range(len(small)):
        before, answered = answered, survives(small[:end])
        assert answered >= before
    assert answered >= 3


def test_a_packed_file_cut_at_every_byte_is_read_or_refused(small: bytes) -> None:
    packed = gzip.compress(small)
    for end in range(len(packed)):
        survives(packed[:end])


@given(data=st.data())
@many
def test_a_file_with_other_bytes_is_read_or_refused(small: bytes, data: st.DataObject) -> None:
    changed = bytearray(small)
    for _ in range(data.draw(st.integers(1, 8), label="changes")):
        at = data.draw(st.integers(0, len(changed) - 1), label="at")
        new = data.draw(
            st.sampled_from([b"\0", b"\xff", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f"]), label="new"
        )
        changed[at : at + len(new)] = new
    survives(bytes(changed))


@given(st.binary(max_size=2000))
@many
def test_noise_behind_any_magic_is_read_or_refused(noise: bytes) -> None:
    for magic in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a", b"\x1f\x8b", b""):
        survives(magic + noise)


@given(st.lists(st.binary(max_size=200), max_size=40), st.sampled_from([0, 1, 101, 113, 228, 229, 276]))
@many
def test_frames_of_noise_on_any_link_are_counted(frames: list[bytes], link_type: int) -> None:
    file = bytearray(nanosecond_pcap(frames))
    file[20:24] = link_type.to_bytes(4, "little")
    rows = decode_bytes(bytes(file))
    assert sum(minute["packets"] for minute in rows.get("coverage", [])) == len(frames)


@given(data=st.data())
@many
def test_headers_that_lie_are_counted_as_malformed_or_read(data: st.DataObject) -> None:
    """Real frames with lying bytes in their first 60: lengths, versions, offsets, flags."""
    frames = talk(_modbus(502).said, 502)
    for _ in range(data.draw(st.integers(1, 20), label="lies")):
        number = data.draw(st.integers(0, len(frames) - 1), label="frame")
        at = data.draw(st.integers(12, 59), label="at")
        value = data.draw(st.sampled_from([0, 1, 0x7F, 0x80, 0xFF]), label="value")
        frame = bytearray(frames[number])
        frame[at % len(frame)] = value
        frames[number] = bytes(frame)
    rows = decode_bytes(nanosecond_pcap(frames))
    assert sum(minute["packets"] for minute in rows["coverage"]) == len(frames)


# Lengths at their limits.

_LENGTHS: Final = {
    "modbus": [
        b"\0\1\0\0" + length.to_bytes(2, "big") + b"\1" + bytes([function]) + b"\0" * 8
        for length in (0, 1, 2, 253, 254, 255, 256, 0x7FFF, 0xFFFF)
        for function in (0, 1, 3, 15, 16, 20, 43, 0x7F, 0x83, 0xFF)
    ],
    "opcua": [
        kind + b"F" + length.to_bytes(4, "little") + b"\xff" * 24
        for kind in (b"HEL", b"ACK", b"OPN", b"MSG", b"CLO", b"ERR", b"RHE")
        for length in (0, 1, 7, 8, 9, 12, 32, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
    ],
    "mqtt": [
        bytes([kind << 4 | flags]) + length + b"\xff" * 20
        for kind in range(16)
        for flags in (0, 2, 0xF)
        for length in (
            b"\0",
            b"\1",
            b"\x7f",
            b"\xff\xff\xff\x7f",
            b"\xff\xff\xff\xff\x01",
            b"\x80\x80\x80\x00",
        )
    ],
}
_PORTS: Final = {"modbus": 502, "opcua": 4840, "mqtt": 1883}


@pytest.mark.parametrize("protocol", _LENGTHS)
@pytest.mark.parametrize("from_client", [True, False], ids=["client", "server"])
def test_lengths_at_their_limits_harm_nobody_else(protocol: str, from_client: bool) -> None:
    """Each lies in a connection of its own, then an honest one comes: alone it gives the same rows."""
    frames = []
    for lie in _LENGTHS[protocol]:
        frames += talk([(from_client, lie), (not from_client, lie)], _PORTS[protocol])
    honest = _modbus(502)
    rows = decode_bytes(nanosecond_pcap(frames + talk(honest.said, honest.server_port)))
    last = len(frames)
    found = Counter(("modbus", content(row)) for row in rows["modbus"] if (row["request_frame"] or 0) > last)
    assert found == plainly(honest)


# Limits.


@given(data=st.data())
@few
def test_under_the_tightest_limits_nothing_breaks_and_loss_is_counted(data: st.DataObject) -> None:
    chance = random.Random(data.draw(st.integers(0, 2**32), label="seed"))
    frames = []
    for conversation in conversations():
        part = talk(conversation.said, conversation.server_port)
        chance.shuffle(part)
        frames += part
    rows = decode_bytes(nanosecond_pcap(frames), limits=TIGHT)
    assert sum(minute["packets"] for minute in rows["coverage"]) == len(frames)
    kinds = Counter((anomaly["flow_id"], anomaly["kind"]) for anomaly in rows.get("anomalies", []))
    assert all(
        count <= (TIGHT.anomalies_per_kind if flow_id is None else TIGHT.anomalies_per_flow_kind)
        for (flow_id, _), count in kinds.items()
    )


@given(data=st.data())
@few
def test_shuffled_real_captures_are_read_to_their_end(data: st.DataObject) -> None:
    if not FOLDER.is_dir():
        pytest.skip("the shared captures are not there")
    name = data.draw(st.sampled_from((*NAMES[:2], *NAMES[3:11])), label="capture")
    frames = records(FOLDER / name)
    random.Random(data.draw(st.integers(0, 2**32), label="seed")).shuffle(frames)
    rows = decode_bytes(as_pcap(frames))
    assert sum(minute["packets"] for minute in rows["coverage"]) == len(frames)


@pytest.mark.skipif(not FOLDER.is_dir(), reason="the shared captures are not there")
@pytest.mark.parametrize("name", [NAMES[6], NAMES[9]])
def test_real_files_cut_at_every_third_byte_are_read_or_refused(name: str) -> None:
    data = unpacked(FOLDER / name)
    for end in range(0, len(data), 3):
        survives(data[:end])
