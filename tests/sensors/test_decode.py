"""Tables written out: every format, addresses and times as text, the same bytes however batches were cut."""

from __future__ import annotations

import csv
import errno
import gc
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensors import decode as decode_module
from sensors.addresses import address_text, mac_text
from sensors.decode import (
    READER_GONE_EXIT,
    Format,
    UnknownTable,
    list_tables,
    write_file,
    write_table,
    written_schema,
)
from sensors.engine import Batches, decode
from sensors.records import FLOW_STARTS, MODBUS, TABLES
from tests.support import pcap_bytes

TS = 1_795_327_200_000_000_001


def mapped(address: str) -> bytes:
    return b"\0" * 10 + b"\xff\xff" + ip_address(address).packed


def flow_starts(count: int = 3) -> pa.RecordBatch:
    schema = FLOW_STARTS.schema()
    columns: dict[str, list[object]] = {
        "flow_id": list(range(1, count + 1)),
        "ts": [TS + n for n in range(count)],
        "first_frame": list(range(1, count + 1)),
        "ip_proto": [6] * count,
        "client_ip": [mapped("10.0.0.1")] * count,
        "server_ip": [IPv6Address("2001:db8:0:0:1:0:0:1").packed] * count,
        "client_port": [40_000 + n for n in range(count)],
        "server_port": [502] * count,
        "client_mac": [0x00005E005301] * count,
        "server_mac": [0] * count,
        "vlan": [7] * count,
        "tunnel": ["vxlan"] * count,
        "tunnel_id": [4_711] * count,
        "role_source": ["syn"] * count,
    }
    return pa.RecordBatch.from_arrays(
        [pa.array(columns[field.name], field.type) for field in schema], schema=schema
    )


def modbus() -> pa.RecordBatch:
    schema = MODBUS.schema()
    row: dict[str, object] = {
        "ts": TS,
        "client_ip": mapped("10.0.0.1"),
        "server_ip": mapped("10.0.0.2"),
        "framing": "tcp",
        "values_read": [1, 65_535],
        "values_written": [],
        "detail": 'say "hello", twice\n',
        "outcome": "answered",
        "confidence": "structure",
        "request_frame": 1,
        "after_gap": False,
    }
    return pa.RecordBatch.from_arrays(
        [pa.array([row.get(f.name, None if f.nullable else 3)], f.type) for f in schema], schema=schema
    )


def written(batches: list[Batches], table: str, file_format: str) -> bytes:
    out = io.BytesIO()
    write_table(batches, table, file_format, out)
    return out.getvalue()


def test_json_lines_carry_text_addresses_and_nanosecond_times() -> None:
    lines = written([{"flow_starts": flow_starts(2)}], "flow_starts", "jsonl").splitlines()
    assert len(lines) == 2
    assert json.loads(lines[1]) == {
        "flow_id": 2,
        "ts": "2026-11-22T06:00:00.000000002Z",
        "first_frame": 2,
        "ip_proto": 6,
        "client_ip": "10.0.0.1",
        "server_ip": "2001:db8::1:0:0:1",
        "client_port": 40_001,
        "server_port": 502,
        "client_mac": "00:00:5e:00:53:01",
        "server_mac": "",
        "vlan": 7,
        "tunnel": "vxlan",
        "tunnel_id": 4_711,
        "role_source": "syn",
    }


def test_json_lines_keep_lists_quotes_and_nulls() -> None:
    (line,) = written([{"modbus": modbus()}], "modbus", "jsonl").splitlines()
    row = json.loads(line)
    assert (row["values_read"], row["values_written"]) == ([1, 65_535], [])
    assert row["detail"] == 'say "hello", twice\n'
    assert row["response_frame"] is None


def test_csv_reads_back_with_lists_as_json() -> None:
    text = written([{"modbus": modbus()}], "modbus", "csv").decode()
    (row,) = csv.DictReader(io.StringIO(text))
    assert list(row) == [column.name for column in MODBUS.columns]
    assert json.loads(row["values_read"]) == [1, 65_535]
    assert json.loads(row["values_written"]) == []
    assert row["detail"] == 'say "hello", twice\n'
    assert (row["ts"], row["after_gap"], row["response_frame"]) == (
        "2026-11-22T06:00:00.000000001Z",
        "false",
        "",
    )


def test_parquet_keeps_native_times_and_lists() -> None:
    table = pq.read_table(io.BytesIO(written([{"modbus": modbus()}], "modbus", "parquet")))
    assert table.schema.equals(written_schema(MODBUS))
    row = table.to_pylist()[0]
    assert (row["client_ip"], row["values_read"]) == ("10.0.0.1", [1, 65_535])
    assert table.column("ts").cast(pa.int64()).to_pylist() == [TS]
    assert table.schema.field("latency_ns").metadata[b"unit"] == b"ns"


def test_arrow_reads_back_in_polars() -> None:
    frame = pl.read_ipc(io.BytesIO(written([{"flow_starts": flow_starts(2)}], "flow_starts", "arrow")))
    assert frame["server_ip"].to_list() == ["2001:db8::1:0:0:1"] * 2
    assert frame["ts"].dtype == pl.Datetime("ns", "UTC")
    assert frame["ts"][0].replace(microsecond=0) == datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.mark.parametrize("file_format", list(Format))
def test_the_same_rows_give_the_same_bytes_however_batches_were_cut(
    file_format: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decode_module, "_ROWS_PER_GROUP", 4)
    rows = flow_starts(11)
    whole = written([{"flow_starts": rows}], "flow_starts", file_format)
    pieces: list[Batches] = [{"flow_starts": rows.slice(n, 1)} for n in range(11)]
    assert written([{}, *pieces, {"modbus": modbus()}], "flow_starts", file_format) == whole


@pytest.mark.parametrize("file_format", ["parquet", "arrow"])
def test_columnar_files_are_cut_into_even_groups(file_format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_module, "_ROWS_PER_GROUP", 4)
    data = io.BytesIO(written([{"flow_starts": flow_starts(11)}], "flow_starts", file_format))
    if file_format == "parquet":
        meta = pq.read_metadata(data)
        sizes = [meta.row_group(n).num_rows for n in range(meta.num_row_groups)]
    else:
        reader = pa.ipc.open_file(data)
        sizes = [reader.get_batch(n).num_rows for n in range(reader.num_record_batches)]
    assert sizes == [4, 4, 3]


def test_a_capture_without_such_rows_still_gives_a_csv_header_and_a_parquet_schema() -> None:
    assert written([], "rtt", "csv") == b"ts,flow_id,frame,kind,piggybacked,rtt_ns\n"
    assert written([], "rtt", "jsonl") == b""
    assert pq.read_table(io.BytesIO(written([], "rtt", "parquet"))).schema.names[0] == "ts"
    assert pl.read_ipc(io.BytesIO(written([], "rtt", "arrow"))).height == 0


def test_an_unknown_table_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(UnknownTable, match="--table modbuss: no such table; did you mean modbus"):
        write_table([], "modbuss", "csv", io.BytesIO())
    with pytest.raises(UnknownTable, match="there are flow_starts, flow_minutes, flows, modbus"):
        write_table([], "zzz", "csv", io.BytesIO())


def test_the_list_shows_every_table_with_the_types_that_are_written() -> None:
    tables = {table.name: table for table in list_tables()}
    assert list(tables) == [table.name for table in TABLES]
    columns = {column.name: column for column in tables["modbus"].columns}
    assert (columns["client_ip"].type, columns["latency_ns"].unit) == ("string", "ns")
    assert all(column.doc for table in tables.values() for column in table.columns)


@given(st.binary(min_size=16, max_size=16))
def test_address_text_is_canonical_and_means_the_same_address(address: bytes) -> None:
    text = address_text(address)
    parsed = ip_address(text)
    back = parsed.packed if parsed.version == 6 else mapped(text)
    assert back == address
    assert text == text.lower()


@pytest.mark.parametrize(
    ("address", "text"),
    [  # RFC 5952, sections 4.1 to 4.3 and 5
        ("2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:DB8::ABCD", "2001:db8::abcd"),
        ("::ffff:192.0.2.33", "192.0.2.33"),
        ("::", "::"),
    ],
)
def test_address_text_follows_rfc_5952(address: str, text: str) -> None:
    assert address_text(IPv6Address(address).packed) == text


def test_mac_text_has_six_octets_first_in_the_highest_byte() -> None:
    assert mac_text(0x00005E005301) == "00:00:5e:00:53:01"
    assert mac_text(0) == ""


def failing() -> Iterator[Batches]:
    yield {"flow_starts": flow_starts()}
    raise RuntimeError("the decoder broke")


@pytest.mark.parametrize("file_format", list(Format))
def test_a_failed_run_leaves_no_file(tmp_path: Path, file_format: Format) -> None:
    with pytest.raises(RuntimeError, match="the decoder broke"):
        write_file(failing(), "flow_starts", file_format, tmp_path / "flows")
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_leaves_the_older_file_alone(tmp_path: Path) -> None:
    older = tmp_path / "flows.csv"
    older.write_text("older")
    with pytest.raises(RuntimeError, match="the decoder broke"):
        write_file(failing(), "flow_starts", "csv", older)
    assert [file.read_text() for file in tmp_path.iterdir()] == ["older"]


def test_a_finished_run_replaces_the_older_file(tmp_path: Path) -> None:
    older = tmp_path / "flows.csv"
    older.write_text("older")
    assert write_file([{"flow_starts": flow_starts(2)}], "flow_starts", "csv", older) == 2
    assert older.read_text().startswith("flow_id,ts,")
    assert list(tmp_path.iterdir()) == [older]


class FullDisk(io.RawIOBase):
    """Takes some bytes, then none."""

    def __init__(self, room: int) -> None:
        self.room = room

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)


@pytest.mark.parametrize("file_format", list(Format))
@pytest.mark.parametrize("room", [0, 300])
def test_a_full_disk_is_reported_once_as_it_is(file_format: Format, room: int) -> None:
    out: Any = FullDisk(room)
    with pytest.raises(OSError, match="No space left"):
        write_table([{"flow_starts": flow_starts(100)}], "flow_starts", file_format, out)
    gc.collect()


def test_a_device_is_written_to_and_stays_a_device() -> None:
    device = Path(os.devnull)
    assert write_file([{"flow_starts": flow_starts(2)}], "flow_starts", "jsonl", device) == 2
    assert device.is_char_device()


#: Each format; and the one that is written in the largest pieces where Python does not gather small ones.
PIPES = pytest.mark.parametrize(
    ("file_format", "unbuffered"), [*((file_format, "") for file_format in Format), (Format.JSONL, "1")]
)


@pytest.fixture(scope="module")
def long_capture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Flows enough that their rows overfill a pipe."""
    frames = [
        frame
        for number in range(3000)
        for frame in pcap_bytes.modbus_exchange(
            "10.0.0.1", "10.0.0.2", pcap_bytes.READ_REQUEST, pcap_bytes.READ_RESPONSE, sport=10_000 + number
        )
    ]
    file = tmp_path_factory.mktemp("long") / "long.pcap"
    file.write_bytes(pcap_bytes.pcap(frames))
    return file


@PIPES
def test_a_reader_who_leaves_ends_the_writing_quietly(
    long_capture: Path, file_format: Format, unbuffered: str
) -> None:
    program = (
        "import sys; from sensors.decode import write_stdout; from sensors.engine import decode\n"
        "with decode(sys.argv[1], max_packets=500) as run: sys.exit(write_stdout(run, 'flows', sys.argv[2]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(long_capture), file_format],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == READER_GONE_EXIT == 141


@PIPES
def test_a_pipe_gets_the_same_bytes_as_a_file(
    long_capture: Path, tmp_path: Path, file_format: Format, unbuffered: str
) -> None:
    program = (
        "import sys; from sensors.decode import write_stdout; from sensors.engine import decode\n"
        "sys.exit(write_stdout(decode(sys.argv[1]), 'modbus', sys.argv[2]))"
    )
    piped = subprocess.run(
        [sys.executable, "-c", program, str(long_capture), file_format],
        capture_output=True,
        check=True,
        timeout=60,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    ).stdout
    assert write_file(decode(long_capture, max_packets=100), "modbus", file_format, tmp_path / "file") == 3000
    assert piped == (tmp_path / "file").read_bytes()
