"""Rows to files while they come: whole files, no row lost or told twice, and a disk that refuses."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from sensors.decode import Format
from sensors.engine import Batches, decode
from sensors.table_files import TableFiles, rehearse
from tests.sensors.talks import talk, write_pcap


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1_795_327_200.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def batches(tmp_path: Path) -> list[Batches]:
    with decode(write_pcap(tmp_path / "talk.pcap", talk(30)), max_packets=10) as run:
        return list(run)


@pytest.mark.parametrize("file_format", Format)
def test_every_row_is_in_one_file_of_its_table(
    batches: list[Batches], tmp_path: Path, file_format: Format
) -> None:
    clock = Clock()
    rehearse(file_format)
    files = TableFiles(tmp_path / "out", file_format, every_s=60, clock=clock)
    (tmp_path / "out").mkdir()
    for some in batches:
        files.add(some)
        clock.now_s += 21
    files.flush()
    written = sorted((tmp_path / "out" / "modbus").iterdir())
    assert len(written) > 1
    assert written[0].name == f"20261122T060000.000000Z.{file_format.value}"
    assert files.rows_written["modbus"] == 30
    assert not files.rows_lost
    readers = {Format.PARQUET: pl.read_parquet, Format.ARROW: pl.read_ipc, Format.CSV: pl.read_csv}
    read = readers.get(file_format, pl.read_ndjson)
    rows = [row for file in written for row in read(file)["transaction_id"].to_list()]
    assert rows == list(range(30))


def test_a_clock_that_is_set_back_overwrites_no_file(batches: list[Batches], tmp_path: Path) -> None:
    clock = Clock()
    files = TableFiles(tmp_path, Format.PARQUET, every_s=60, clock=clock)
    for some in batches:
        files.add(some)
        files.flush()
        clock.now_s -= 3_600
    assert files.rows_written["modbus"] == 30
    kept = sum(pl.read_parquet(file).height for file in (tmp_path / "modbus").iterdir())
    assert kept == 30


def test_rows_that_cannot_be_written_are_counted_and_the_next_file_is_tried(
    batches: list[Batches], tmp_path: Path
) -> None:
    files = TableFiles(tmp_path / "missing", Format.PARQUET, every_s=60)
    for some in batches[:5]:
        files.add(some)
    files.flush()
    lost = sum(some["modbus"].num_rows for some in batches[:5] if "modbus" in some)
    assert files.rows_lost["modbus"] == lost > 0
    assert "missing" in files.trouble
    (tmp_path / "missing").mkdir()
    for some in batches[5:]:
        files.add(some)
    files.flush()
    assert files.trouble == ""
    assert files.rows_written["modbus"] + lost == 30


def test_rows_that_come_after_flows_were_numbered_anew_are_in_a_folder_of_their_own(
    batches: list[Batches], tmp_path: Path
) -> None:
    clock = Clock()
    files = TableFiles(tmp_path, Format.PARQUET, every_s=60, clock=clock)
    for some in batches[:5]:
        files.add(some)
    clock.now_s += 1
    assert files.begin_anew() == tmp_path / "from-20261122T060001.000000Z"
    for some in batches[5:]:
        files.add(some)
    clock.now_s += 1
    assert files.begin_anew() == tmp_path / "from-20261122T060002.000000Z"
    first, second = (
        [row for file in (folder / "modbus").iterdir() for row in pl.read_parquet(file)["transaction_id"]]
        for folder in (tmp_path, tmp_path / "from-20261122T060001.000000Z")
    )
    assert first + second == list(range(30))
    assert first
    assert second
