"""`geophone access` as somebody asks it who has to know who was in."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from pcaps import sample
from tests.geophone.conftest import Geophone
from tests.support import pcap_bytes

HOURS = sample("remote-hours")


def test_every_session_that_was_held_is_in_the_book_with_its_way(geophone: Geophone) -> None:
    outcome = geophone("access", HOURS.capture, "--policy", HOURS.policy, "--json")
    assert outcome.returncode == 0, outcome
    book = json.loads(outcome.stdout)
    held = [one for one in HOURS.truth["remote_session"] if one["client"] == "10.35.0.20"]
    assert [(one["server"], one["service"]) for one in book] == [
        (one["server"], one["service"]) for one in held
    ]
    assert [one["begins"] for one in book] == [one["first"].strftime("%Y-%m-%dT%H:%M:%SZ") for one in held]
    assert {tuple(one["via"]) for one in book} == {("acme1", "vpn1", "jump1"), ("acme2", "vpn1", "jump1")}


def test_what_was_planted_is_what_is_broken(geophone: Geophone) -> None:
    outcome = geophone("access", HOURS.capture, "--policy", HOURS.policy, "--csv")
    book = csv.DictReader(io.StringIO(outcome.stdout))
    broken = [(check, one["server"]) for one in book for check in one["breaks"].split(", ") if check]
    assert sorted(broken) == sorted((one.id, one.dst_ip) for one in HOURS.planted)


def test_people_read_the_site_s_own_clock(geophone: Geophone) -> None:
    outcome = geophone("access", HOURS.capture, "--policy", HOURS.policy)
    assert "Wed 18 Nov 2026 11:31" in outcome.stdout
    assert "2 h 29 min" in outcome.stdout


def test_a_quiet_capture_says_so(geophone: Geophone) -> None:
    other = sample("opcua-protected-benign")
    outcome = geophone("access", other.capture, "--policy", other.policy)
    assert (outcome.returncode, outcome.stdout.strip()) == (0, "Nobody came in from outside.")


def test_a_capture_without_a_packet_is_not_quiet(geophone: Geophone, tmp_path: Path) -> None:
    capture = tmp_path / "nothing.pcap"
    capture.write_bytes(pcap_bytes.pcap([]))
    outcome = geophone("access", capture, "--policy", HOURS.policy)
    assert (outcome.returncode, outcome.stdout.strip()) == (
        0,
        "No packet was seen: who came in cannot be told.",
    )


def test_a_policy_without_remote_access_is_refused_with_a_repair(geophone: Geophone, tmp_path: Path) -> None:
    policy = sample("normal-shift").policy
    outcome = geophone("access", HOURS.capture, "--policy", policy)
    assert outcome.returncode == 2
    assert "mine-a.yaml has no `remote_access`; say there" in outcome.stderr
