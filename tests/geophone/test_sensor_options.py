"""What `geophone sensor` refuses, before it listens to anything."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.geophone.conftest import Geophone

as_root = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may listen to an interface here"),
]


def test_an_unknown_interface_is_named_with_those_there_are(geophone: Geophone) -> None:
    refused = geophone("sensor", "-i", "nowhere0")
    assert refused.returncode == 2
    assert refused.stderr.startswith("nowhere0: no such interface; there are ")


def test_an_unknown_user_is_refused(geophone: Geophone) -> None:
    refused = geophone("sensor", "-i", "lo", "--user", "nobody-at-all")
    assert refused.returncode == 2
    assert refused.stderr == "--user nobody-at-all: there is no such user on this machine\n"


def test_a_file_where_a_folder_is_wanted_is_refused(geophone: Geophone, tmp_path: Path) -> None:
    (tmp_path / "rec").touch()
    refused = geophone("sensor", "-i", "lo", "--write", tmp_path / "rec")
    assert refused.returncode == 2
    assert refused.stderr == f"--write {tmp_path}/rec: this is no folder; name one\n"


@pytest.mark.parametrize(
    "option", [["--write-files", "1"], ["--fanout", "0"], ["--ring-mib", "0"], ["--duration", "0"]]
)
def test_numbers_that_make_no_sense_are_refused(geophone: Geophone, option: list[str]) -> None:
    assert geophone("sensor", "-i", "lo", *option).returncode == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, which only root may")
def test_an_ordinary_user_is_told_what_is_missing() -> None:
    """As an ordinary user: this interpreter's files may be root's own, so they are imported before the change."""
    script = (
        "import os, sys; sys.argv = ['geophone', 'sensor', '-i', 'lo']; import geophone.cli, geophone.listening; "
        "import sensors.privileges; os.setgid(65534); os.setuid(65534); geophone.cli.run()"
    )
    refused = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert refused.returncode == 2, refused.stderr
    assert refused.stderr == (
        "lo: may not be listened to by this user; "
        "run it as root (it drops its privileges at once), or give it CAP_NET_RAW\n"
    )


class TestAsRoot:
    pytestmark = as_root

    def test_a_folder_that_the_new_user_may_not_write_is_refused_with_the_way_out(
        self, geophone: Geophone, tmp_path: Path
    ) -> None:
        folder = tmp_path / "rec"
        folder.mkdir(mode=0o700)
        refused = geophone("sensor", "-i", "lo", "--write", folder)
        assert refused.returncode == 2
        assert refused.stderr == (
            f"--write {folder}: nobody may not write there; chown nobody {folder}, or name another --user\n"
        )

    def test_a_missing_folder_is_made_for_the_user_alone(self, geophone: Geophone) -> None:
        folder = Path("/var/tmp") / f"geophone-{os.getpid()}"  # noqa: S108
        try:
            done = geophone("sensor", "-i", "lo", "--duration", "0.2", "--out", folder / "rows")
            assert done.returncode == 0, done.stderr
            status = (folder / "rows").stat()
        finally:
            shutil.rmtree(folder)
        assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o700, 65534)

    def test_loopback_is_heard_once_and_summed_up(self, geophone: Geophone) -> None:
        done = geophone("sensor", "-i", "lo", "--duration", "0.2", "--user", "root")
        assert done.returncode == 0, done.stderr
        lines = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
        assert list(lines) == ["Interface", "Packets", "Dropped", "Coverage", "Rows", *list(lines)[5:]]
        assert lines["Interface"].startswith("lo, ")
        assert lines["Dropped"] == "0 by the kernel"

    def test_a_terminal_gets_a_status_line_that_is_written_anew(self) -> None:
        terminal, other_end = pty.openpty()
        command = [sys.executable, "-m", "geophone", "sensor", "-i", "lo", "--duration", "2.5", "--json"]
        try:
            done = subprocess.run(command, stderr=other_end, stdout=subprocess.PIPE, check=True, timeout=60)
            said = os.read(terminal, 1 << 16).decode()
        finally:
            os.close(terminal)
            os.close(other_end)
        assert "\r\x1b[K" in said
        assert re.search(r"\d\d:\d\d:\d\dZ · [\d,]+ packets \([\d,]+/s\) · 0 dropped · ", said)
        assert json.loads(done.stdout)["interface"] == "lo"
