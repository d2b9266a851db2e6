"""The seam to the native engine: what it takes, what it refuses, and in which form it gives its rows."""

from __future__ import annotations

import os
import random
import struct
import threading
import time
from pathlib import Path

import pyarrow as pa
import pytest

from sensors import _native
from sensors.records import TABLES, Kind
from tests.sensors.talks import talk, write_pcap

#: The closed sets of words that the declarations of `records.py` name in their docs.
WORDS = {
    ("flow_starts", "role_source"): ["syn", "syn_ack", "protocol", "port", "first_seen"],
    ("flows", "confidence"): ["none", "port", "structure", "handshake"],
    ("flows", "end_reason"): ["fin", "reset", "idle", "reused", "evicted", "end_of_capture"],
    ("modbus", "outcome"): [
        "answered",
        "exception",
        "unanswered",
        "orphan",
        "pending",
        "refused",
        "one_way",
        "encrypted",
        "aborted",
    ],
    ("rtt", "kind"): ["handshake_server", "handshake_client", "ack_server", "ack_client", "path"],
}


def batches(decoder: _native.Decoder, max_packets: int = 1_000) -> dict[str, pa.Table]:
    """All rows, by table."""
    rows: dict[str, list[pa.RecordBatch]] = {}
    while (some := decoder.next_batches(max_packets)) is not None:
        for name, batch in some.items():
            rows.setdefault(name, []).append(batch)
    return {name: pa.Table.from_batches(parts) for name, parts in rows.items()}


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write_pcap(tmp_path / "talk.pcap", talk(20))


def test_every_batch_has_its_declared_schema_and_is_valid(capture: Path) -> None:
    decoder = _native.Decoder(capture, {})
    declared = {table.name: table.schema() for table in TABLES}
    seen = set()
    while (some := decoder.next_batches(10)) is not None:
        for name, batch in some.items():
            seen.add(name)
            batch.validate(full=True)
            assert batch.schema.equals(declared[name])
            assert batch.num_rows > 0
    assert seen == {"flow_starts", "flow_minutes", "flows", "modbus", "observations", "rtt", "coverage"}


@pytest.mark.parametrize(("table", "column"), WORDS, ids=lambda name: str(name))
def test_a_name_column_has_its_closed_set_of_words(capture: Path, table: str, column: str) -> None:
    words = batches(_native.Decoder(capture, {}))[table].column(column).chunk(0).dictionary
    assert words.to_pylist() == WORDS[table, column]


def test_name_columns_are_dictionaries_of_distinct_words(capture: Path) -> None:
    rows = batches(_native.Decoder(capture, {}))
    for table in TABLES:
        for column in table.columns:
            if column.kind is Kind.NAME and table.name in rows:
                words = rows[table.name].column(column.name).chunk(0).dictionary.to_pylist()
                assert len(words) == len(set(words))


def test_rows_name_only_flows_that_were_introduced(capture: Path) -> None:
    decoder = _native.Decoder(capture, {})
    known: list[int] = []
    while (some := decoder.next_batches(1)) is not None:
        if starts := some.pop("flow_starts", None):
            known += starts.column("flow_id").to_pylist()
        for batch in some.values():
            if "flow_id" in batch.schema.names:
                assert set(batch.column("flow_id").to_pylist()) <= {*known, None}
    assert known == list(range(1, len(known) + 1))


def test_after_the_end_comes_the_end_again(capture: Path) -> None:
    decoder = _native.Decoder(capture, {})
    batches(decoder)
    assert decoder.next_batches(1) is None


def test_position_ends_at_the_size_of_the_file(capture: Path) -> None:
    decoder = _native.Decoder(capture, {})
    batches(decoder)
    assert decoder.position() == (capture.stat().st_size, capture.stat().st_size)


def test_a_path_may_be_text_and_may_be_no_utf8(tmp_path: Path, capture: Path) -> None:
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.pcap")
    Path(odd).write_bytes(capture.read_bytes())
    assert batches(_native.Decoder(odd, {}))["modbus"].num_rows == 20


@pytest.mark.parametrize(
    ("content", "offset"),
    [(b"", 0), (b"PK\x03\x04 not a capture", 0), (b"\xd4\xc3\xb2\xa1\x02\x00", 6)],
    ids=["empty", "another format", "cut header"],
)
def test_what_is_no_capture_is_refused_with_its_byte(tmp_path: Path, content: bytes, offset: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(_native.CaptureError) as refusal:
        _native.Decoder(file, {})
    message, byte = refusal.value.args
    assert byte == offset
    assert message


def test_a_folder_is_refused_as_such(tmp_path: Path) -> None:
    with pytest.raises(_native.CaptureError) as refusal:
        _native.Decoder(tmp_path, {})
    assert "folder" in refusal.value.args[0]
    assert refusal.value.args[1] is None


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _native.Decoder(tmp_path / "none.pcap", {})


def test_limits_are_told_with_default_and_meaning() -> None:
    for name, (default, meaning) in _native.limits().items():
        assert default >= 1, name
        assert meaning.endswith("."), name


def test_every_limit_can_be_given(capture: Path) -> None:
    chosen = {name: default for name, (default, _) in _native.limits().items()}
    assert batches(_native.Decoder(capture, chosen))["modbus"].num_rows == 20


def test_an_unknown_limit_is_refused_with_the_known_ones(capture: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown limit flows: known are flow_limit, "):
        _native.Decoder(capture, {"flows": 1})


def test_a_limit_of_nothing_is_refused(capture: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        _native.Decoder(capture, {"flow_limit": 0})


def test_a_limit_bounds_what_it_names(tmp_path: Path) -> None:
    frames = [frame for port in range(40_000, 40_010) for frame in talk(1, sport=port)]
    file = write_pcap(tmp_path / "many.pcap", frames)
    flows = batches(_native.Decoder(file, {"flow_limit": 3}))["flows"]
    assert flows.column("end_reason").to_pylist().count("evicted") == 7


def test_decoding_lets_other_threads_run(tmp_path: Path) -> None:
    """The interpreter lock is released: a thread that only counts goes on while one call decodes."""
    file = write_pcap(tmp_path / "long.pcap", talk(30_000))
    decoder = _native.Decoder(file, {})
    spans: list[float] = []
    over = threading.Event()

    def tick() -> None:
        while not over.is_set():
            spans.append(time.monotonic())

    ticker = threading.Thread(target=tick)
    ticker.start()
    while not spans:
        time.sleep(0.001)
    started = time.monotonic()
    decoder.next_batches(1_000_000)
    ended = time.monotonic()
    over.set()
    ticker.join()
    assert any(started < at < ended for at in spans)


@pytest.mark.parametrize("seed", range(40))
def test_random_bytes_end_in_rows_or_a_refusal(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65_535, chance.choice([0, 1, 101, 113, 276]))
    records = b""
    for _ in range(chance.randrange(50)):
        data = chance.randbytes(chance.randrange(120))
        records += struct.pack("<IIII", chance.randrange(2**32), 0, len(data), len(data)) + data
    file = tmp_path / "random.pcap"
    file.write_bytes(head + records + chance.randbytes(chance.randrange(40)))
    rows = batches(_native.Decoder(file, {}))
    for table in rows.values():
        table.validate(full=True)


@pytest.mark.parametrize("seed", range(20))
def test_flipped_bits_of_a_conversation_end_in_rows(tmp_path: Path, capture: Path, seed: int) -> None:
    chance = random.Random(seed)
    content = bytearray(capture.read_bytes())
    for _ in range(20):
        content[chance.randrange(24, len(content))] ^= 1 << chance.randrange(8)
    file = tmp_path / "flipped.pcap"
    file.write_bytes(content)
    decoder = _native.Decoder(file, {})
    rows = batches(decoder)
    assert decoder.summary()["frames"] == sum(rows["coverage"].column("packets").to_pylist())
