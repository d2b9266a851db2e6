"""Real captures, damaged: the whole part is read as before, the damage is said, nothing else changes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any, Final

import pytest

from tests.sensors.talks import Rows, decoded
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures

pytestmark = needs_captures

PCAPS: Final = (NAMES[0], NAMES[1], NAMES[2])
_FILE_HEADER: Final = 24
_RECORD_HEADER: Final = 16


def parts(name: str) -> tuple[bytes, list[bytes]]:
    """A little-endian pcap file's header and its records."""
    data = (FOLDER / name).read_bytes()
    records, at = [], _FILE_HEADER
    while at < len(data):
        size = _RECORD_HEADER + int(struct.unpack_from("<I", data, at + 8)[0])
        records.append(data[at : at + size])
        at += size
    return data[:_FILE_HEADER], records


def decoded_bytes(folder: Path, data: bytes) -> Rows:
    file = folder / "damaged.pcap"
    file.write_bytes(data)
    return decoded(file)


def of_frames(row: dict[str, Any], number: dict[int, int]) -> tuple[Any, ...]:
    """A transaction by its frames' new numbers; everything else that was decoded, but for the flow's number."""
    frames = {side: number.get(row[side]) for side in ("request_frame", "response_frame")}
    rest = {key: row[key] for key in row if key not in ("flow_id", "after_gap", *frames)}
    return tuple((key, repr(value)) for key, value in sorted((rest | frames).items()))


@pytest.mark.parametrize("name", PCAPS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
def test_a_cut_pcap_gives_the_rows_of_its_whole_frames(tmp_path: Path, name: str, share: float) -> None:
    header, records = parts(name)
    kept = int(len(records) * share)
    whole = decoded_bytes(tmp_path, header + b"".join(records[:kept]))
    cut = decoded_bytes(tmp_path, header + b"".join(records[:kept]) + records[kept][:-1])
    last = cut["anomalies"].pop()
    assert (last["kind"], last["flow_id"]) == ("capture_cut", None)
    if not cut["anomalies"]:
        del cut["anomalies"]
    assert cut == whole


@pytest.mark.parametrize("less", [1, 100, 7_000])
def test_a_cut_pcapng_says_so_and_keeps_what_is_before(tmp_path: Path, less: int) -> None:
    data = (FOLDER / NAMES[4]).read_bytes()
    whole, cut = decoded(FOLDER / NAMES[4]), decoded_bytes(tmp_path, data[:-less])
    assert "anomalies" not in whole
    assert [anomaly["kind"] for anomaly in cut["anomalies"]] == ["capture_cut"]
    assert cut["flow_starts"] == whole["flow_starts"][: len(cut["flow_starts"])]
    assert 0 < sum(minute["packets"] for minute in cut["coverage"]) <= 56


def test_a_cut_gzip_capture_says_so_and_keeps_what_is_before(tmp_path: Path) -> None:
    packed = (FOLDER / NAMES[11]).read_bytes()
    assert gzip.decompress(packed)
    cut = decoded_bytes(tmp_path, packed[: len(packed) * 3 // 4])
    assert {anomaly["layer"] for anomaly in cut["anomalies"]} == {"capture"}
    assert 500 < sum(minute["packets"] for minute in cut["coverage"]) < 2_550


@pytest.mark.parametrize("name", PCAPS)
def test_every_frame_doubled_gives_the_same_transactions(tmp_path: Path, name: str) -> None:
    header, records = parts(name)
    once, twice = decoded(FOLDER / name), decoded_bytes(tmp_path, header + b"".join(r * 2 for r in records))
    number = {old: 2 * old - 1 for old in range(1, len(records) + 1)}
    same = {n: n for n in number.values()}
    assert sorted(of_frames(row, same) for row in twice["modbus"]) == sorted(
        of_frames(row, number) for row in once["modbus"]
    )
    for way in ("c2s", "s2c"):
        originals = sum(flow[f"packets_{way}"] + flow[f"duplicate_packets_{way}"] for flow in once["flows"])
        assert sum(flow[f"packets_{way}"] for flow in twice["flows"]) == originals - sum(
            flow[f"duplicate_packets_{way}"] for flow in once["flows"]
        )


@pytest.mark.parametrize("name", PCAPS)
def test_every_tenth_frame_lost_leaves_the_other_transactions_unchanged(tmp_path: Path, name: str) -> None:
    header, records = parts(name)
    kept = [n for n in range(len(records)) if n % 10 != 9]
    before, after = (
        decoded(FOLDER / name),
        decoded_bytes(tmp_path, header + b"".join(records[n] for n in kept)),
    )
    number = {old + 1: new + 1 for new, old in enumerate(kept)}
    same = {n: n for n in number.values()}
    expected = {
        of_frames(row, number)
        for row in before["modbus"]
        if row["request_frame"] in number and row["response_frame"] in number
    }
    found = {of_frames(row, same) for row in after["modbus"]}
    assert len(expected) > 5
    assert expected - found == set()
    unseen = sum(flow["unseen_segments_c2s"] + flow["unseen_segments_s2c"] for flow in after["flows"])
    gaps = sum(flow["gap_bytes_c2s"] + flow["gap_bytes_s2c"] for flow in after["flows"])
    assert unseen > 0
    assert gaps > 0
