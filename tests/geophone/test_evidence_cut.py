"""Evidence as a user cuts it: Wireshark reads it, the bytes are the network's own, and what lacks is said."""

from __future__ import annotations

import hashlib
import json
import stat
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.geophone.conftest import Geophone
from tests.support import pcap_bytes
from tests.support.pcap_records import Record, records

OFFICE, CONTROLLER = "10.40.0.7", "10.20.0.11"


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory, geophone: Geophone) -> tuple[Path, Path, dict[str, Any]]:
    """A capture of a forbidden write among harmless reads, its findings file, and the write's finding."""
    folder = tmp_path_factory.mktemp("judged")
    capture, findings, policy = (folder / name for name in ("day.pcap", "day.jsonl", "site.yaml"))
    from tests.geophone.conftest import POLICY

    policy.write_text(POLICY)
    frames = [
        *pcap_bytes.modbus_exchange(
            "10.20.0.5", CONTROLLER, pcap_bytes.READ_REQUEST, pcap_bytes.READ_RESPONSE
        ),
        *pcap_bytes.modbus_exchange(OFFICE, CONTROLLER, pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE),
    ]
    capture.write_bytes(pcap_bytes.pcap(frames))
    geophone("replay", capture, "--policy", policy, "--findings", findings)
    found = [json.loads(line) for line in findings.read_bytes().splitlines()]
    return capture, findings, next(one for one in found if one["src_ip"] == OFFICE)


def between(capture: Path, *addresses: str) -> list[Record]:
    """The frames of a capture of Ethernet and IPv4 whose header has these two ends."""
    ends = {bytes(map(int, address.split("."))) for address in addresses}
    return [one for one in records(capture) if {one.data[26:30], one.data[30:34]} == ends]


def comments(file: Path) -> list[str]:
    """Every comment of a little-endian pcapng file, the section's first."""
    data, at, found = file.read_bytes(), 0, []
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        start = {0x0A0D0D0A: 24, 1: 16, 6: 28}[kind]
        if kind == 6:
            captured = struct.unpack_from("<I", data, at + 20)[0]
            start += (captured + 3) // 4 * 4
        option = at + start
        while option + 4 < at + length - 4:
            code, size = struct.unpack_from("<HH", data, option)
            if code == 0:
                break
            if code == 1:
                found.append(data[option + 4 : option + 4 + size].decode())
            option += 4 + (size + 3) // 4 * 4
        at += length
    return found


def test_the_slice_is_the_conversation_byte_for_byte(
    geophone: Geophone, judged: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    capture, findings, finding = judged
    target = tmp_path / "slice.pcapng"
    outcome = geophone(
        "evidence", "cut", finding["id"], "--capture", capture, "--findings", findings, "-o", target
    )
    assert (outcome.returncode, outcome.stderr) == (0, ""), outcome
    assert "Raw traffic: nothing in it is hidden." in outcome.stdout
    expected = between(capture, OFFICE, CONTROLLER)
    assert len(expected) == 9
    assert records(target) == expected
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    about, *of_frames = comments(target)
    assert finding["id"] in about
    assert hashlib.sha256(capture.read_bytes()).hexdigest() in about
    operations = finding["evidence"]["operations"]
    assert of_frames == [f"frame {one['frame']} of day.pcap: {one['text']}" for one in operations]


def test_wireshark_reads_it(
    geophone: Geophone, judged: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    import shutil
    import subprocess

    tshark = shutil.which("tshark")
    if tshark is None:
        pytest.skip("tshark is not installed")
    capture, findings, finding = judged
    target = tmp_path / "slice.pcapng"
    geophone("evidence", "cut", finding["id"], "--capture", capture, "--findings", findings, "-o", target)
    read = subprocess.run(
        [tshark, "-n", "-r", target, "-T", "fields", "-e", "ip.src", "-e", "frame.comment"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.split("\t") for line in read.stdout.splitlines()]
    assert {row[0] for row in rows} == {OFFICE, CONTROLLER}
    assert any(row[1].startswith("frame ") for row in rows)


def test_the_same_slice_is_the_same_bytes_by_a_short_id_too(
    geophone: Geophone, judged: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    capture, findings, finding = judged
    made = []
    for number, name in enumerate((finding["id"], finding["id"][:8])):
        made.append(tmp_path / f"{number}.pcapng")
        geophone("evidence", "cut", name, "--capture", capture, "--findings", findings, "-o", made[-1])
    assert made[0].read_bytes() == made[1].read_bytes()


def test_a_recording_that_has_it_all_is_whole_and_one_that_lost_its_start_is_partial(
    geophone: Geophone, judged: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    capture, findings, finding = judged
    ring = tmp_path / "ring"
    ring.mkdir()
    frames = records(capture)
    for number, part in enumerate((frames[:9], frames[9:14], frames[14:])):
        (ring / f"2026112{number}-span0.pcapng").write_bytes(_pcapng(part))
    arguments = ("evidence", "cut", finding["id"], "--capture", ring, "--findings", findings, "-o")
    outcome = geophone(*arguments, tmp_path / "whole.pcapng")
    assert outcome.returncode == 0, outcome
    assert records(tmp_path / "whole.pcapng") == between(capture, OFFICE, CONTROLLER)
    (ring / "20261120-span0.pcapng").unlink()
    (ring / "20261121-span0.pcapng").unlink()
    outcome = geophone(*arguments, tmp_path / "part.pcapng")
    assert outcome.returncode == 1, outcome
    assert outcome.stderr.count("\n") == 1
    assert "the evidence is partial:" in outcome.stderr
    assert "its beginning (the packets begin later)" in outcome.stderr
    assert records(tmp_path / "part.pcapng") == frames[14:]


def test_without_any_of_its_frames_it_says_so_and_writes_nothing(
    geophone: Geophone, judged: tuple[Path, Path, dict[str, Any]], quiet_capture: Path, tmp_path: Path
) -> None:
    _, findings, finding = judged
    target = tmp_path / "slice.pcapng"
    outcome = geophone(
        "evidence", "cut", finding["id"], "--capture", quiet_capture, "--findings", findings, "-o", target
    )
    assert outcome.returncode == 2, outcome
    assert "no evidence: quiet.pcap has no frame of it" in outcome.stderr
    assert outcome.stderr.count("\n") == 1
    assert list(tmp_path.glob("*.pcapng")) == []


def test_what_a_user_may_get_wrong_is_one_line(
    geophone: Geophone, judged: tuple[Path, Path, dict[str, Any]], tmp_path: Path
) -> None:
    capture, findings, finding = judged
    target = tmp_path / "slice.pcapng"
    for arguments, said in (
        ((finding["id"], "--capture", capture), "say where the findings are"),
        (("xyz", "--capture", capture, "--findings", findings), "not the id of a finding"),
        (("0" * 32, "--capture", capture, "--findings", findings), "has no finding 0000"),
        ((finding["id"], "--capture", tmp_path / "gone.pcap", "--findings", findings), "no such file"),
        ((finding["id"], "--capture", capture, "--findings", capture), "has no finding"),
    ):
        outcome = geophone("evidence", "cut", *arguments, "-o", target)
        assert (outcome.returncode, outcome.stderr.count("\n")) == (2, 1), outcome
        assert said in outcome.stderr
    outcome = geophone(
        "evidence", "cut", finding["id"], "--capture", capture, "--findings", findings, "-o", capture
    )
    assert outcome.returncode == 2
    assert "this is the capture itself" in outcome.stderr


def _pcapng(frames: list[Record]) -> bytes:
    """As `geophone sensor --write` records: nanoseconds, one Ethernet interface."""
    out = [struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)]
    out.append(struct.pack("<IIHHIHHB3xHHI", 1, 32, 1, 0, 0, 9, 1, 9, 0, 0, 32))
    for one in frames:
        padded = one.data + bytes(-len(one.data) % 4)
        length = 32 + len(padded)
        out.append(struct.pack("<IIIII", 6, length, 0, one.ns >> 32, one.ns & 0xFFFFFFFF))
        out.append(struct.pack("<II", len(one.data), one.wire_length) + padded + struct.pack("<I", length))
    return b"".join(out)
