"""`geophone crosscheck` at the command line: what it prints, and what its exit code says."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from geophone.cli import main
from tests.sensors.talks import talk, write_pcap

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return write_pcap(tmp_path / "talk.pcap", talk(3))


def crosscheck(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["crosscheck", *map(str, arguments)])


@needs_tshark
def test_agreement_is_printed_and_exits_with_0(capture: Path) -> None:
    done = crosscheck(capture)
    assert done.exit_code == 0, done.output
    assert "● agreement" in done.output
    assert "response: values read" in done.output


@needs_tshark
def test_json_holds_every_field_with_its_figures(capture: Path) -> None:
    done = crosscheck(capture, "--json")
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert answer["agrees"] is True
    assert answer["protocols"]["modbus"]["message"] == {
        "compared": 6,
        "equal": 6,
        "percent": 100.0,
        "explained": 0,
        "unexplained": 0,
        "agrees": True,
    }
    assert {"field", "frame", "ours", "wireshark", "explanation"} <= answer["differences"][0].keys()


@needs_tshark
def test_differences_listed_are_limited_and_all_are_counted(capture: Path) -> None:
    answer = json.loads(crosscheck(capture, "--json", "--limit-differences", "0").stdout)
    assert answer["differences"] == []
    # The ACKs of both FINs: Wireshark's samples, not ours.
    assert answer["protocols"]["tcp"]["round-trip sample"]["explained"] == 2


@needs_tshark
def test_nothing_to_compare_exits_with_1_and_says_so(capture: Path) -> None:
    done = crosscheck(capture, "--protocol", "udp")
    assert done.exit_code == 1
    assert "nothing to compare" in done.output


def test_a_protocol_that_is_not_compared_is_named_with_those_that_are(capture: Path) -> None:
    done = crosscheck(capture, "--protocol", "gopher")
    assert done.exit_code == 2
    assert "--protocol gopher" in done.output
    assert "modbus" in done.output


def test_without_tshark_the_repair_is_named(monkeypatch: pytest.MonkeyPatch, capture: Path) -> None:
    monkeypatch.setenv("PATH", str(capture.parent))
    done = crosscheck(capture)
    assert done.exit_code == 2
    assert "apt-get install tshark" in done.output


def test_a_crash_of_tshark_is_an_error_not_an_agreement(
    monkeypatch: pytest.MonkeyPatch, capture: Path
) -> None:
    program = capture.parent / "tshark"
    program.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "TShark 9.9.9" && exit\nkill -SEGV $$\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{capture.parent}:/usr/bin:/bin")
    done = crosscheck(capture)
    assert done.exit_code == 2
    assert "tshark 9.9.9 crashed (SIGSEGV)" in done.output


def test_what_is_no_capture_is_refused_as_everywhere(tmp_path: Path) -> None:
    (tmp_path / "empty.pcap").touch()
    done = crosscheck(tmp_path / "empty.pcap")
    assert done.exit_code == 2
    assert "is empty" in done.output
