"""Commands that decode begin with huge pages: once, with the same arguments, unless somebody wants otherwise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geophone.starting import DECODING, TUNABLES, wanted

_HUGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")

#: Begins anew, takes 64 MiB, and says who it is, what it was given, and how much of its memory is in huge pages.
_PROBE = """
import os, sys
from geophone.starting import begin_with_huge_pages
begin_with_huge_pages()
taken = bytearray(os.urandom(1)) * (64 << 20)
(huge,) = (line.split()[1] for line in open("/proc/self/smaps_rollup") if line.startswith("AnonHugePages:"))
print(os.getpid(), os.environ["GLIBC_TUNABLES"], huge, *sys.argv[1:])
"""

#: Starts a command, without becoming anybody else: says whether it wanted to.
_START = """
import os, sys
import geophone.starting
os.execve = lambda *_: sys.exit("begins anew")
sys.argv = ["geophone", *sys.argv[1:]]
geophone.starting.start()
"""


def _without_tunables(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "GLIBC_TUNABLES"} | more


def _probe(environment: dict[str, str]) -> tuple[int, list[str]]:
    command = [sys.executable, "-c", _PROBE, "a b", "-"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        told, _ = process.communicate()
    assert process.returncode == 0
    return process.pid, told.splitlines()


def test_it_is_the_same_process_with_the_same_arguments_in_huge_pages() -> None:
    pid, told = _probe(_without_tunables())

    assert len(told) == 1, told
    assert told[0].startswith(f"{pid} {TUNABLES} ")
    assert told[0].endswith(" a b -")
    huge_kib = int(told[0].split()[2])
    if "[never]" in _HUGE_PAGES.read_text():
        assert huge_kib == 0
    else:
        assert huge_kib >= 32 << 10


def test_who_sets_it_themselves_is_heard() -> None:
    _, told = _probe(_without_tunables(GLIBC_TUNABLES="glibc.malloc.hugetlb=0"))

    assert told[0].split()[1] == "glibc.malloc.hugetlb=0"
    assert wanted({"GLIBC_TUNABLES": ""}) is None


def test_the_rest_of_the_environment_stays() -> None:
    assert wanted({"HOME": "/root"}) == {"HOME": "/root", "GLIBC_TUNABLES": TUNABLES}


@pytest.mark.parametrize("command", sorted(DECODING))
def test_commands_that_decode_begin_anew(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _START, command, "--help"],
        env=_without_tunables(),
        capture_output=True,
        text=True,
    )

    assert (told.returncode, told.stderr) == (1, "begins anew\n")


@pytest.mark.parametrize("command", ["stats", "policy"])
def test_the_others_do_not(command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _START, command, "--help"],
        env=_without_tunables(),
        capture_output=True,
        text=True,
    )

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Usage: geophone ")


def test_the_command_itself_decodes_so(quiet_capture: Path) -> None:
    whole = [
        sys.executable,
        "-m",
        "geophone",
        "decode",
        str(quiet_capture),
        "--table",
        "modbus",
        "--format",
        "csv",
    ]

    rows = [
        subprocess.run(whole, env=environment, capture_output=True, text=True, check=True).stdout
        for environment in (_without_tunables(), _without_tunables(GLIBC_TUNABLES=""))
    ]

    assert rows[0] == rows[1]
    assert rows[0].count("\n") > 1
