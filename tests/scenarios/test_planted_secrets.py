"""Passwords that cross in clear are in the capture, and in nothing that the product makes of it."""

from __future__ import annotations

import pytest

from geophone.runner import canonical_bytes
from pcaps import sample, samples
from pcaps.lab.packing import unpacked
from tests.scenarios.decoded import tables
from tests.scenarios.pipeline import outcome

WITH_SECRETS = [one.name for one in samples() if one.truth.get("planted_secrets")]


def test_every_protocol_that_shows_passwords_has_a_story_with_secrets() -> None:
    assert {"opcua-exposed", "mqtt-misuse", "lab-vnc-past", "lab-vnc-jump"} <= set(WITH_SECRETS)


@pytest.mark.parametrize("name", WITH_SECRETS)
def test_secrets_are_in_the_capture_and_in_no_row_and_no_finding(name: str) -> None:
    one = sample(name)
    wire = unpacked(one.capture.read_bytes())
    said = [str(table.to_dict(as_series=False)) for table in tables(name).values()]
    said.append(canonical_bytes(outcome(name).result.findings).decode())
    for secret in one.truth["planted_secrets"]:
        assert secret.encode() in wire
        assert not [text[:40] for text in said if secret in text], secret


@pytest.mark.parametrize("name", ["opcua-protected-benign", "mqtt-proper-benign"])
def test_the_twins_send_no_secret_in_clear(name: str) -> None:
    assert not sample(name).truth.get("planted_secrets")
    assert b"never-in-clear" not in unpacked(sample(name).capture.read_bytes())
