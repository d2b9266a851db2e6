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


_OURS = ("GLIBC_TUNABLES", "GEOPHONE_BEGAN_ANEW")


def _without_tunables(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OURS} | more


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
    told = wanted({"HOME": "/root"})

    assert told is not None
    assert (told["HOME"], told["GLIBC_TUNABLES"]) == ("/root", TUNABLES)


def test_a_c_library_that_takes_the_variable_away_does_not_make_it_begin_for_ever() -> None:
    """As it does in secure-execution mode: a Python that was given capabilities, so that it may capture."""
    taken_away = (
        "import os\nos.environ.pop('GLIBC_TUNABLES', None)\n"
        "from geophone.starting import begin_with_huge_pages\nbegin_with_huge_pages()\nprint('goes on')"
    )

    told = subprocess.run(
        [sys.executable, "-c", taken_away],
        env=_without_tunables(),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert told.stdout == "goes on\n", told.stderr


def _help_of(command: str) -> subprocess.CompletedProcess[str]:
    whole = [sys.executable, "-c", _START, command, "--help"]
    return subprocess.run(whole, env=_without_tunables(), capture_output=True, text=True)


@pytest.mark.parametrize("command", sorted(DECODING))
def test_commands_that_decode_begin_anew(command: str) -> None:
    told = _help_of(command)

    assert (told.returncode, told.stderr) == (1, "begins anew\n")


@pytest.mark.parametrize("command", ["stats", "policy"])
def test_the_others_do_not(command: str) -> None:
    told = _help_of(command)

    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.startswith("Usage: geophone ")


def test_the_command_itself_decodes_so(quiet_capture: Path) -> None:
    options = ["--table", "modbus", "--format", "csv"]
    whole = [sys.executable, "-m", "geophone", "decode", str(quiet_capture), *options]

    rows = [
        subprocess.run(whole, env=environment, capture_output=True, text=True, check=True).stdout
        for environment in (_without_tunables(), _without_tunables(GLIBC_TUNABLES=""))
    ]

    assert rows[0] == rows[1]
    assert rows[0].count("\n") > 1
