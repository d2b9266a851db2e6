"""The demo as a visitor runs it: three links, real pages, a clean stop."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pcaps import samples
from tests.geophone.conftest import Geophone


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A demo that serves, and the text up to the end of its banner; killed if a test fails."""
    process = subprocess.Popen(
        [sys.executable, "-m", "geophone", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if "Ctrl-C" in line:
                break
        yield process, text
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _get(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=30) as reply:  # noqa: S310 - loopback, our own server
        return reply.status, reply.read().decode()


def test_without_serving_it_replays_the_samples_of_the_demo_and_ends(
    geophone: Geophone, tmp_path: Path
) -> None:
    outcome = geophone("demo", "--no-serve", "--store", tmp_path / "store")
    assert outcome.returncode == 0, outcome
    shown = [sample.capture.name for sample in samples() if sample.demo]
    assert [sample.capture.name for sample in samples() if sample.capture.name in outcome.stdout] == shown
    again = geophone("demo", "--no-serve", "--store", tmp_path / "store")
    assert again.stdout.count("Already in the store") == len(shown)


def test_banner_names_three_links_that_answer_and_ctrl_c_stops_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        busy_port = taken.getsockname()[1]
        with _running("demo", "--port", str(busy_port)) as (process, text):
            links = re.findall(r"http://127\.0\.0\.1:\d+/\S+", text)
            assert len(links) == 4, text
            assert all(f":{busy_port}/" not in link for link in links)
            for link, words in zip(links, ("Alert queue", "Network", "Audit", "/api/v1/"), strict=True):
                status, body = _get(link)
                assert status == 200
                assert words in body
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=30)
            assert process.returncode == 0, rest
            assert "Traceback" not in rest
            assert "Stopped." in rest
