"""Runs over real captures: batches, threads and packing do not change what is decoded."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from sensors.engine import decode
from tests.sensors.talks import decoded
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures

pytestmark = needs_captures


@pytest.mark.parametrize("name", NAMES)
def test_small_batches_decoded_ahead_give_the_rows_of_one_batch(name: str) -> None:
    assert decoded(FOLDER / name, max_packets=37, ahead=True) == decoded(FOLDER / name)


@pytest.mark.parametrize("name", NAMES)
def test_flow_ids_ascend_without_holes_and_come_before_they_are_named(name: str) -> None:
    known = 0
    with decode(FOLDER / name, max_packets=11) as run:
        for batches in run:
            if "flow_starts" in batches:
                ids = batches["flow_starts"].column("flow_id").to_pylist()
                assert ids == list(range(known + 1, known + 1 + len(ids)))
                known += len(ids)
            for batch in batches.values():
                if "flow_id" in batch.schema.names:
                    assert all(id_ is None or id_ <= known for id_ in batch.column("flow_id").to_pylist())
    assert known >= 1


def test_a_gzip_copy_gives_the_same_rows(tmp_path: Path) -> None:
    packed = tmp_path / "packed.pcap.gz"
    packed.write_bytes(gzip.compress((FOLDER / NAMES[2]).read_bytes()))
    assert decoded(packed) == decoded(FOLDER / NAMES[2])


def test_an_unpacked_copy_gives_the_same_rows(tmp_path: Path) -> None:
    plain = tmp_path / "plain.pcap"
    plain.write_bytes(gzip.decompress((FOLDER / NAMES[11]).read_bytes()))
    assert decoded(plain) == decoded(FOLDER / NAMES[11])
