"""Replays, canonical findings, policies, health."""

from __future__ import annotations

import hashlib

from analyzers.findings import canonical_line, canonical_order
from tests.support.plausible_day import POLICY, POLICY_SHA256, findings, hostile_finding
from tests.support.web import Client


def test_the_findings_file_is_the_one_that_the_replay_promised(client: Client) -> None:
    replay = client.get("/api/v1/replays").json()["replays"][0]
    answer = client.get(f"/api/v1/replays/{replay['id']}/findings.jsonl")
    assert answer.headers["content-type"] == "application/jsonl"
    ordered = sorted((*findings(), hostile_finding()), key=canonical_order)
    assert answer.content == b"".join(canonical_line(finding) for finding in ordered)
    assert hashlib.sha256(answer.content).hexdigest() == replay["findings_sha256"]


def test_a_replay_says_what_was_read_under_which_policy(client: Client) -> None:
    replay = client.get("/api/v1/replays").json()["replays"][0]
    assert client.get(f"/api/v1/replays/{replay['id']}").json() == replay
    assert replay["capture_name"] == "mine-a-2026-03-03.pcapng"
    assert replay["policy_sha256"] == POLICY_SHA256
    assert replay["first_at"] == "2026-03-03T00:00:00.200000000Z"
    assert replay["state"] == "done"


def test_a_policy_is_given_back_byte_for_byte(client: Client) -> None:
    answer = client.get(f"/api/v1/policies/{POLICY_SHA256}.yaml")
    assert answer.content == POLICY.encode()
    assert hashlib.sha256(answer.content).hexdigest() == POLICY_SHA256
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


def test_health_says_what_is_in_the_store(client: Client) -> None:
    body = client.get("/api/v1/health").json()
    assert body["status"] == "ok"
    assert body["replays"] == 1
    assert body["alerts"] == len(findings()) + 1
    assert body["last_packet"].startswith("2026-03-03T23:59:59")
