"""Benign twins and what is found in them, whether they are kept or have to be made from their seeds first."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from analyzers.findings import Finding
from geophone.runner import replay
from pcaps import FOLDER, Planted, names, sample
from pcaps.lab import files
from pcaps.lab.scenarios import SCENARIOS
from policy.loader import load
from sensors.capture import open_capture
from tests.scenarios.pipeline import learned, outcome


@cache
def made(name: str) -> files.Files:
    """A capture that is not kept, from its seed."""
    return files.made(next(scenario for scenario in SCENARIOS if scenario.name == name))


def planted_in_twin(name: str) -> tuple[Planted, ...]:
    """What is done in a twin on purpose: in both of them, or it would be no twin."""
    return sample(name).planted if name in names() else tuple(made(name).notes.planted)


@cache
def findings_of_twin(name: str, baseline: str = "") -> tuple[Finding, ...]:
    """What the product finds in a twin, under the twin's own policy and the baseline that a sample taught."""
    if name in names():
        if not baseline:
            return tuple(outcome(name).result.findings)
        one = sample(name)
        held_against = learned(baseline)
        return tuple(replay(open_capture(one.capture), load(one.policy), baseline=held_against).findings)
    twin = made(name)
    with tempfile.TemporaryDirectory(prefix="geophone-twin-") as folder:
        capture = Path(folder) / f"{name}.pcapng"
        capture.write_bytes(twin.plain)
        return tuple(replay(open_capture(capture), load(FOLDER / twin.notes.policy)).findings)
