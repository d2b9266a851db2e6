"""tshark missing, crashing, refusing, talking: each is told apart, none is taken for a good end."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from sensors.crosscheck.wireshark import MEMORY_BYTES, NoWireshark, Wireshark, WiresharkFailed
from tests.sensors.talks import talk, write_pcap

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


def stand_in(folder: Path, script: str) -> Wireshark:
    """A program that ends as tshark may: no capture makes a good tshark crash."""
    program = folder / "tshark"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return Wireshark(str(program), "0.0.0")


def read(wireshark: Wireshark, capture: Path, *arguments: str) -> bytes:
    with wireshark.reading(capture, arguments) as output:
        return output.read()


def test_without_tshark_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoWireshark, match="apt-get install tshark"):
        Wireshark.find()


@needs_tshark
def test_the_version_is_tsharks_own() -> None:
    assert [int(part) for part in Wireshark.find().version.split(".")] >= [3, 0, 0]


@pytest.mark.parametrize("signal", ["SEGV", "ABRT", "KILL"])
def test_a_crash_after_good_output_is_an_error_that_names_it(tmp_path: Path, signal: str) -> None:
    crashing = stand_in(tmp_path, f"echo row; kill -{signal} $$")
    with pytest.raises(WiresharkFailed, match=f"crashed .SIG{signal}."):
        read(crashing, tmp_path / "any.pcap")


def test_a_refusal_is_an_error_with_its_words(tmp_path: Path) -> None:
    refusing = stand_in(tmp_path, "echo 'tshark: what is this?' >&2; exit 2")
    with pytest.raises(WiresharkFailed, match="status 2: tshark: what is this"):
        read(refusing, tmp_path / "any.pcap")


def test_words_beside_a_good_end_are_kept_as_remarks(tmp_path: Path) -> None:
    talking = stand_in(tmp_path, "echo row; echo 'tshark: beware' >&2")
    assert read(talking, tmp_path / "any.pcap") == b"row\n"
    assert talking.remarks == ["tshark: beware"]


def test_more_words_than_a_pipe_holds_do_not_stop_it(tmp_path: Path) -> None:
    loud = stand_in(tmp_path, "head -c 1000000 /dev/zero | tr '\\0' 'x' >&2; echo row")
    assert read(loud, tmp_path / "any.pcap") == b"row\n"


def test_a_reader_who_leaves_early_stops_it_and_is_told_nothing(tmp_path: Path) -> None:
    endless = stand_in(tmp_path, f"echo $$ > {tmp_path}/pid; exec yes")
    with endless.reading(tmp_path / "any.pcap", ()) as output:
        assert output.readline() == b"y\n"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_its_memory_is_bounded(tmp_path: Path) -> None:
    # Long enough for the bound to be set: it is, once the program runs.
    asking = stand_in(tmp_path, "sleep 0.3; ulimit -v")
    assert read(asking, tmp_path / "any.pcap") == b"%d\n" % (MEMORY_BYTES // 1024)


@needs_tshark
def test_a_cut_capture_is_read_and_remarked_upon(tmp_path: Path) -> None:
    cut = write_pcap(tmp_path / "cut.pcap", talk(3))
    cut.write_bytes(cut.read_bytes()[:-5])
    wireshark = Wireshark.find()
    rows = read(wireshark, cut, "-T", "fields", "-e", "frame.number").split()
    assert len(rows) == len(talk(3)) - 1
    assert len(wireshark.remarks) == 1
    assert "cut short" in wireshark.remarks[0]


@needs_tshark
def test_what_is_no_capture_is_refused(tmp_path: Path) -> None:
    noise = tmp_path / "noise.pcap"
    noise.write_bytes(b"no capture at all, whatever its name says")
    with pytest.raises(WiresharkFailed, match="gave up"):
        read(Wireshark.find(), noise, "-T", "fields", "-e", "frame.number")


@needs_tshark
def test_the_users_own_preferences_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "preferences").write_text("mbtcp.tcp.port: 10502\n")
    (folder / "disabled_protos").write_text("mbtcp\n")
    monkeypatch.setenv("WIRESHARK_CONFIG_DIR", str(folder))
    capture = write_pcap(tmp_path / "talk.pcap", talk(3))
    seen = read(Wireshark.find(), capture, "-Y", "mbtcp", "-T", "fields", "-e", "frame.number")
    assert len(seen.split()) == 6
