"""The user's rules on whole captures: the sample rules against the stories, and ingest against the store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from analyzers.findings import Finding
from analyzers.given import Given
from analyzers.indicators.indicator import IndicatorSet
from analyzers.rules.fields import SERVICES_OF_RULES
from analyzers.rules.loading import load_rules
from analyzers.rules.rule import RuleSet
from geophone.hunting import hunt
from geophone.runner import canonical_bytes, replay
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from store.client import Store, open_store
from store.queries.replays import list_replays
from tests.analyzers.rules.writing import SAMPLES

#: Captures that fill every table between them.
CAPTURES = ("modbus-malformed", "opcua-exposed", "lab-day", "conduit-misuse")

#: Beside the samples: rules that match much of every table, by every kind of field.
WIDE = """\
title: rows of {service}
name: rows-of-{service}
logsource: {{product: geophone, service: {service}}}
detection:
  all: {{ts|hour|gte: 0}}
  none: {{{field}|re: '^(1+)+x'}}
  late: {{ts|minute|gte: 58}}
  condition: all and not none and not late
fields: [{fields}]
"""


def wide(service: str) -> str:
    """The text of a rule over a service that shows as many of its fields as a rule may."""
    fields = SERVICES_OF_RULES[service].fields
    field = next(name for name in ("client_ip", "ip", "layer") if name in fields)
    return WIDE.format(service=service, field=field, fields=", ".join(reversed(list(fields))))


def given_by(rules: RuleSet) -> Given:
    """Rules without indicators."""
    return Given(rules, IndicatorSet((), ""))


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sample rules and a wide one for each service."""
    folder = tmp_path_factory.mktemp("rules")
    for file in SAMPLES.glob("*.yml"):
        (folder / file.name).write_text(file.read_text())
    for service in SERVICES_OF_RULES:
        (folder / f"{service}.yml").write_text(wide(service))
    return folder


@dataclass(frozen=True)
class Ingested:
    """Captures judged and stored with rules."""

    url: str
    findings: tuple[Finding, ...]
    replays: int


@pytest.fixture(scope="module")
def memory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in memory where there is one: what is stored is synced."""
    shared = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    if not os.access(shared, os.W_OK):
        yield tmp_path_factory.mktemp("memory")
        return
    with tempfile.TemporaryDirectory(prefix="geophone-tests-", dir=shared) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def ingested(rules: Path, memory: Path) -> Ingested:
    """All captures in one store."""
    folder = memory / "given-rules"
    given = given_by(load_rules(rules).rules)
    with open_store(folder) as store:
        found = [finding for name in CAPTURES for finding in stored(store, name, given)]
        again = stored(store, CAPTURES[0], given)
        replays = len(list_replays(store).replays)
    assert canonical_bytes(again) == canonical_bytes(found[: len(again)])
    return Ingested(str(folder), tuple(found), replays)


def stored(store: Store, name: str, given: Given | None) -> list[Finding]:
    """The findings of a sample, judged with rules and stored."""
    one = sample(name)
    return list(replay(open_capture(one.capture), load(one.policy), store=store, given=given).findings)


def of_rules(findings: tuple[Finding, ...] | list[Finding]) -> list[Finding]:
    """Those that rules made."""
    return [finding for finding in findings if finding.kind.startswith("rule:")]


def test_ingest_and_history_find_the_same(ingested: Ingested, rules: Path, tmp_path: Path) -> None:
    at_ingest = of_rules(ingested.findings)
    kinds = {finding.kind for finding in at_ingest}
    assert {
        f"rule:rows-of-{service}"
        for service in ("modbus", "opcua", "mqtt", "dns", "observations", "conversations")
    } <= kinds
    assert len(kinds) > 9
    hunt(ingested.url, rules, replay_id="", findings_file=tmp_path / "found.jsonl")
    assert (tmp_path / "found.jsonl").read_bytes() == canonical_bytes(at_ingest)


def test_one_replay_can_be_asked_for(ingested: Ingested, rules: Path) -> None:
    with open_store(ingested.url) as store:
        one = next(r for r in list_replays(store).replays if "modbus-malformed" in r.capture_name)
    found = hunt(ingested.url, rules, replay_id=one.id, findings_file=None)
    assert {finding.evidence.capture_sha256 for finding in found} == {one.capture_sha256}


def test_a_replay_with_other_rules_is_another_replay(ingested: Ingested) -> None:
    assert ingested.replays == len(CAPTURES)
    with open_store(ingested.url) as store:
        plain = stored(store, CAPTURES[0], None)
        assert len(list_replays(store).replays) == len(CAPTURES) + 1
    assert of_rules(plain) == []


@pytest.fixture(scope="module")
def samples() -> Given:
    """The sample rules."""
    return given_by(load_rules(SAMPLES).rules)


def counted(name: str, given: Given) -> dict[str, int]:
    """How often each rule matched a sample."""
    one = sample(name)
    counts: dict[str, int] = {}
    for finding in of_rules(list(replay(open_capture(one.capture), load(one.policy), given=given).findings)):
        counts[finding.kind] = counts.get(finding.kind, 0) + finding.count
    return counts


@pytest.mark.parametrize(
    ("name", "kind", "times"),
    [
        # "restarts the communications (function 8, sub-function 1) twice … a third restart"
        ("modbus-diagnostics", "rule:modbus-restart", 3),
        ("modbus-diagnostics-benign", "rule:modbus-restart", 0),
        # "comes in anonymously … writes the torque limit and the rake's speed"
        ("opcua-exposed", "rule:opcua-anonymous-write", 2),
        ("opcua-protected-benign", "rule:opcua-anonymous-write", 0),
    ],
)
def test_the_sample_rules_find_what_the_stories_tell(
    name: str, kind: str, times: int, samples: Given
) -> None:
    assert counted(name, samples).get(kind, 0) == times
