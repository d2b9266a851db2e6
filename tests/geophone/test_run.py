"""`geophone run`: what happens on the wire is an alert of the API within seconds; and the same, on the lab's plant."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest

from analyzers.catalogue import compares
from geophone.serving import handing_over
from pcaps import sample
from store.client import open_store
from store.queries.replays import findings, list_replays
from tests.geophone.conftest import Geophone
from tests.support.lab import lab_name, namespaces_of, needs_lab
from tests.support.served import Served, geophone_command, served
from tests.support.wire import FAR, TAP, Wire, wire

ONE = sample("unauthorised-write")
#: From the packet to the answer of the API.
WITHIN_S = 10.0

as_root = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root may listen to an interface here"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is not installed"),
    pytest.mark.skipif(shutil.which("editcap") is None, reason="tshark is not installed"),
]


@contextmanager
def running(span: Wire, store: Path, *options: str) -> Iterator[tuple[Served, str]]:
    """The command in the wire's namespace, its pages out here: the socket is handed over."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        command = geophone_command("run", "-i", TAP, "--policy", ONE.policy, "--store", store, *options)
        inside = ["nsenter", f"--net=/run/netns/{span.namespace}", *command]
        with served(handing_over(listening, inside), pass_fds=(listening.fileno(),)) as program:
            program.wait_for_line("^listening to ")
            yield program, url


@pytest.fixture
def span() -> Iterator[Wire]:
    with wire("run") as made:
        yield made


@pytest.fixture
def store() -> Iterator[Path]:
    """A folder that is nobody's: the program has no privileges when it writes."""
    with tempfile.TemporaryDirectory(prefix="geophone-run-") as folder:
        os.chown(folder, 65534, 65534)
        yield Path(folder)


class TestAsRoot:
    pytestmark = as_root

    def test_a_write_that_no_rule_allows_is_an_alert_within_seconds(
        self, span: Wire, store: Path, tmp_path: Path
    ) -> None:
        capture = tmp_path / "sample.pcap"
        subprocess.run(["editcap", "-F", "pcap", str(ONE.capture), str(capture)], check=True)
        with running(span, store) as (program, url):
            assert program.get(f"{url}/api/v1/alerts")["alerts"] == []
            span.send(capture)
            took_s = program.wait_for(lambda: program.get(f"{url}/api/v1/alerts")["alerts"], WITHIN_S)
            assert took_s < WITHIN_S
            alerts = program.get(f"{url}/api/v1/alerts")["alerts"]
            assert {(one["kind"], one["src_ip"], one["dst_ip"]) for one in alerts} == {
                ("SEG-05", "10.35.0.10", "10.20.0.11")
            }
            (session,) = program.get(f"{url}/api/v1/replays")["replays"]
            assert session["state"] == "listening"
            assert session["capture_name"].startswith(f"live {TAP} ")
            for page in ("/audit", f"/audit/{session['id']}"):
                assert "listening" in program.text(url + page), page
            status = Path(f"/proc/{program.process.pid}/status").read_text()
            assert "\nUid:\t65534\t65534\t65534\t65534\n" in status
            assert program.stop() == 0, program.said
        assert span.sent_by(TAP) == 0
        # What needs the minute's end is found at the latest when the session ends.
        with open_store(store) as kept:
            (replay,) = list_replays(kept).replays
            assert (replay.state, replay.packets) == ("done", ONE.frames)
            found = {(one.kind, one.src_ip, one.dst_ip) for one in findings(kept, replay.id)}
            minutes = kept.one("SELECT sum(packets) AS n FROM sla_minutes")
            flows = kept.one("SELECT sum(packets_c2s) + sum(packets_s2c) AS n FROM flows")
        # Nothing was learned before: what is new beside a baseline is not told.
        told = [one for one in ONE.expected if not compares(one.kind)]
        assert found == {(one.kind, one.src_ip, one.dst_ip) for one in told}
        # ARP is no flow.
        assert ONE.frames - 10 < minutes == flows

    def test_a_session_whose_flow_numbers_are_used_up_is_followed_by_another(
        self, span: Wire, store: Path, tmp_path: Path
    ) -> None:
        capture = tmp_path / "sample.pcap"
        subprocess.run(["editcap", "-F", "pcap", str(ONE.capture), str(capture)], check=True)
        with running(span, store, "--limit", "flow_numbers=10") as (program, _):
            span.send(capture)
            program.wait_for_line(
                "the numbers of flows are used up .* this session was ended, and another one begun"
            )
            assert program.stop() == 0, program.said
        with open_store(store) as kept:
            replays = list_replays(kept).replays
            assert {one.state for one in replays} == {"done"}
            assert len(replays) > 1
            assert sum(one.packets for one in replays) == ONE.frames
            twice = "SELECT replay, flow_id FROM flows GROUP BY replay, flow_id HAVING count() > 1"
            assert kept.rows(twice).num_rows == 0

    def test_an_interface_that_vanishes_is_told_and_what_came_is_stored(
        self, span: Wire, tmp_path: Path
    ) -> None:
        store = tmp_path / "store"
        capture = tmp_path / "sample.pcap"
        subprocess.run(["editcap", "-F", "pcap", str(ONE.capture), str(capture)], check=True)
        with running(span, store, "--user", "root") as (program, _):
            span.send(capture)
            time.sleep(0.5)
            span.run("ip", "link", "del", FAR)
            assert program.process.wait(60) == 2
            assert any("vanished" in line for line in program.said), program.said
        with open_store(store) as kept:
            (replay,) = list_replays(kept).replays
            assert (replay.state, replay.packets) == ("done", ONE.frames)

    def test_a_store_that_the_new_user_may_not_write_is_refused_with_the_way_out(
        self, geophone: Geophone, tmp_path: Path
    ) -> None:
        # Without capabilities root is a user like any other.
        (tmp_path / "store").mkdir(mode=0o500)
        command = ("run", "-i", "lo", "--policy", ONE.policy, "--user", "root", "--store", tmp_path / "store")
        refused = geophone(*command)
        assert refused.returncode == 2
        assert refused.stderr == (
            f"--store {tmp_path}/store: root may not write there; chown -R root {tmp_path}/store, or name "
            "another --user\n"
        )


def test_an_unknown_interface_is_refused_before_a_store_is_made(geophone: Geophone, tmp_path: Path) -> None:
    refused = geophone("run", "-i", "nowhere0", "--policy", ONE.policy, "--store", tmp_path / "store")
    assert refused.returncode == 2
    assert refused.stderr.startswith("nowhere0: no such interface; there are ")
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_cannot_be_read_is_refused(geophone: Geophone, tmp_path: Path) -> None:
    refused = geophone("run", "-i", "lo", "--policy", tmp_path / "none.yaml", "--store", tmp_path / "store")
    assert refused.returncode == 2
    assert "none.yaml" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_socket_that_others_can_reach_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("0.0.0.0", 0)) as listening:  # noqa: S104 - refused, that is the point
        done = subprocess.run(
            handing_over(listening, geophone_command("serve", "--store", tmp_path / "store")),
            pass_fds=(listening.fileno(),),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == (
        "the socket that was handed over (LISTEN_FDS) does not listen on 127.0.0.1: have it listen there\n"
    )


class TestOnThePlant:
    pytestmark = needs_lab

    def test_the_plants_own_misdeed_is_an_alert_while_it_runs(self) -> None:
        name = lab_name("l")
        command = geophone_command("lab", "live", "--name", name, "--scenario", "unauthorised-write")
        with served(command) as program:
            url = program.wait_for_line(r"its pages: (http://127\.0\.0\.1:\d+)/")
            said = program.wait_for_line("a modbus write that the rule does not allow")
            alerts = program.get(f"{url}/api/v1/alerts")["alerts"]
            assert ("SEG-05", "10.61.2.20", "10.61.1.11") in {
                (one["kind"], one["src_ip"], one["dst_ip"]) for one in alerts
            }, said
            for one in alerts:
                late = datetime.fromisoformat(one["detected_at"]) - datetime.fromisoformat(one["last_at"])
                assert late.total_seconds() < WITHIN_S, one
            assert program.stop(signal.SIGINT) == 0, program.said
        assert namespaces_of(name) == []
