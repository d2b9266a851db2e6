"""What people really hand to the program: each gets one clear message, exit code 2, and loses nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.geophone.conftest import Geophone
from tests.support import pcap_bytes


def _refused(outcome: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert outcome.returncode == 2, outcome
    assert "Traceback" not in outcome.stderr
    for part in parts:
        assert part in outcome.stderr


def test_empty_file(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    file = tmp_path / "empty.pcap"
    file.touch()
    _refused(geophone("replay", file, "--policy", policy), "empty.pcap", "empty")


def test_not_a_capture_names_the_byte(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    file = tmp_path / "letter.pcap"
    file.write_text("Dear operator, this is no capture at all.\n" * 10)
    _refused(geophone("replay", file, "--policy", policy), "letter.pcap", "byte 0")


def test_directory(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    _refused(geophone("replay", tmp_path, "--policy", policy), str(tmp_path), "directory")


def test_missing_file(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    _refused(geophone("replay", tmp_path / "gone.pcap", "--policy", policy), "gone.pcap")


def test_cut_capture_is_read_up_to_the_cut(
    geophone: Geophone, policy: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    whole = intruder_capture.read_bytes()
    file = tmp_path / "cut.pcap"
    file.write_bytes(whole[:-10])
    outcome = geophone("replay", file, "--policy", policy)
    assert outcome.returncode == 1, outcome
    assert "8 packets" in outcome.stdout
    assert f"cut at byte {len(whole) - 10:,}" in outcome.stdout
    assert "SEG-0" in outcome.stdout


def test_capture_with_zero_packets(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    file = tmp_path / "silent.pcap"
    file.write_bytes(pcap_bytes.pcap([]))
    findings = tmp_path / "findings.jsonl"
    outcome = geophone("replay", file, "--policy", policy, "--findings", findings)
    assert outcome.returncode == 0, outcome
    assert "No packets" in outcome.stdout
    assert "no data: control, office" in outcome.stdout
    assert findings.read_bytes() == b""


def test_unknown_link_type_is_said_not_guessed(geophone: Geophone, policy: Path, tmp_path: Path) -> None:
    file = tmp_path / "alien.pcap"
    file.write_bytes(pcap_bytes.pcap([b"\x01\x02\x03\x04" * 16] * 3, link_type=147))
    outcome = geophone("replay", file, "--policy", policy)
    assert outcome.returncode == 0, outcome
    assert "3 packets" in outcome.stdout
    assert "3 not decoded" in outcome.stdout
    assert "link" in outcome.stdout


def test_policy_with_ten_mistakes_names_them_all(
    geophone: Geophone, quiet_capture: Path, tmp_path: Path
) -> None:
    file = tmp_path / "ten.yaml"
    file.write_text(
        "schema: 1\n"
        'site: {id: small, name: "Small", tz: Mars/Olympus}\n'  # 1 no such time zone
        "zones:\n"
        "- {id: control, purdue: 2, cidrs: [10.20.0.0/24]}\n"
        "- {id: control, purdue: 3, cidrs: [10.21.0.0/24]}\n"  # 2 the same id twice
        "- {id: office, purdue: 4, cidrs: [10.40.0.0/33]}\n"  # 3 no such prefix
        "- {id: lab, purdue: 4, cidrs: [10.20.0.0/24]}\n"  # 4 the prefix of another zone
        "- {id: yard, purdue: 4, cidrs: [10.60.0.0/24], colour: red}\n"  # 5 unknown key
        "assets:\n"
        "- {id: plc1, zone: contrl, ip: 10.20.0.11}\n"  # 6 unknown zone
        "- {id: plc2, zone: control, ip: 10.20.0.300}\n"  # 7 no such address
        "conduits:\n"
        "- id: c1\n"
        "  from: offise\n"  # 8 unknown zone
        "  to: control\n"
        "  allow:\n"
        "  - {id: r1, service: modbus, functions: [3, 400], read: [[9, 0]]}\n"  # 9 no such function, 10 range reversed
    )
    for outcome in (
        geophone("policy", "check", file),
        geophone("replay", quiet_capture, "--policy", file),
    ):
        _refused(outcome)
        lines = [line for line in outcome.stderr.splitlines() if "ten.yaml:" in line]
        named = {int(line.split("ten.yaml:")[1].split()[0].rstrip(":")) for line in lines}
        assert len(lines) >= 10, outcome.stderr
        assert {2, 5, 6, 7, 8, 10, 11, 14, 17} <= named, outcome.stderr
        assert "did you mean 'office'" in outcome.stderr
        assert "did you mean 'control'" in outcome.stderr


def test_missing_policy(geophone: Geophone, quiet_capture: Path, tmp_path: Path) -> None:
    _refused(geophone("replay", quiet_capture, "--policy", tmp_path / "gone.yaml"), "gone.yaml")


def test_store_in_use_by_another_process(
    geophone: Geophone, policy: Path, quiet_capture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            (
                "import sys; from store.client import open_store\n"
                "with open_store(sys.argv[1]): print('open', flush=True); sys.stdin.read()"
            ),
            str(folder),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        outcome = geophone("replay", quiet_capture, "--policy", policy, "--store", folder)
        _refused(outcome, str(folder), str(holder.pid))
        holder.communicate("", timeout=60)
    assert geophone("replay", quiet_capture, "--policy", policy, "--store", folder).returncode == 0


def test_store_url_that_does_not_answer(geophone: Geophone, policy: Path, quiet_capture: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    outcome = geophone(
        "replay",
        quiet_capture,
        "--policy",
        policy,
        "--store",
        f"http://ingest:s3cret@127.0.0.1:{port}/geophone",
    )
    _refused(outcome, f"127.0.0.1:{port}")
    assert "s3cret" not in outcome.stderr + outcome.stdout


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system of its own needs root")
def test_full_disk_says_so_and_keeps_what_was_stored(
    geophone: Geophone, policy: Path, quiet_capture: Path, intruder_capture: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"tmpfs cannot be mounted here: {mounted.stderr.strip()}")
    try:
        folder = disk / "store"
        first = geophone("replay", quiet_capture, "--policy", policy, "--store", folder)
        assert first.returncode == 0, first
        filler = disk / "filler"
        # Unbuffered: what no longer fits would be tried again at the end of the block.
        with filler.open("wb", buffering=0) as out:
            try:
                while True:
                    out.write(b"\0" * 65536)
            except OSError:
                pass
        outcome = geophone("replay", intruder_capture, "--policy", policy, "--store", folder)
        _refused(outcome, "disk")
        filler.unlink()
        again = geophone("replay", quiet_capture, "--policy", policy, "--store", folder)
        assert again.returncode == 0, again
        assert "Already in the store" in again.stdout
        late = geophone("replay", intruder_capture, "--policy", policy, "--store", folder)
        assert late.returncode == 1, late
        assert "Already in the store" not in late.stdout
    finally:
        subprocess.run(["umount", disk], check=True)


def test_findings_file_in_a_missing_folder(
    geophone: Geophone, policy: Path, quiet_capture: Path, tmp_path: Path
) -> None:
    target = tmp_path / "nowhere" / "findings.jsonl"
    _refused(
        geophone("replay", quiet_capture, "--policy", policy, "--findings", target), "nowhere", "make it"
    )


def test_findings_file_that_is_a_folder(
    geophone: Geophone, policy: Path, quiet_capture: Path, tmp_path: Path
) -> None:
    _refused(
        geophone("replay", quiet_capture, "--policy", policy, "--findings", tmp_path), str(tmp_path), "folder"
    )


def test_findings_file_on_a_full_disk(geophone: Geophone, policy: Path, intruder_capture: Path) -> None:
    _refused(
        geophone("replay", intruder_capture, "--policy", policy, "--findings", "/dev/full"),
        "/dev/full",
        "space",
    )


def test_unknown_table_names_the_nearest_or_all(geophone: Geophone, quiet_capture: Path) -> None:
    _refused(geophone("decode", quiet_capture, "--table", "modbuss"), "modbuss", "did you mean modbus")
    _refused(geophone("decode", quiet_capture, "--table", "x"), "flow_minutes", "modbus")


def test_limits_of_ones_own_are_not_stored(
    geophone: Geophone, policy: Path, quiet_capture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "store"
    limited = geophone(
        "replay", quiet_capture, "--policy", policy, "--store", folder, "--limit", "flow_limit=9"
    )
    _refused(limited, "--limit", "--store")
    assert not folder.exists()


def test_unknown_limit_lists_the_limits(geophone: Geophone, policy: Path, quiet_capture: Path) -> None:
    _refused(
        geophone("replay", quiet_capture, "--policy", policy, "--limit", "flows=3"), "flows", "flow_limit"
    )
