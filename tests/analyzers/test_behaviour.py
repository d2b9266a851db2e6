"""All detections over whole captures: the same for every cut, silent where they are off, and never with a secret."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.behaviour import Behaviour
from analyzers.conversations import Conversations
from analyzers.detections import DETECTIONS
from analyzers.findings import canonical_line
from analyzers.judging import Judging
from pcaps import sample
from policy.detection_settings import DETECTION_IDS
from policy.loader import PolicyError, load, loads
from policy.traffic import Traffic
from policy.zoning import CompiledSite, compile_site
from sensors.capture import open_capture
from sensors.engine import decode
from tests.policy.factories import SITE, transaction

CAPTURES = ("modbus-survey", "modbus-answers", "opcua-exposed", "mqtt-misuse", "network-scan", "arp-flip")


@cache
def batches_of(name: str) -> tuple[dict[str, pa.RecordBatch], ...]:
    with decode(open_capture(sample(name).capture)) as run:
        return tuple(dict(batches) for batches in run)


def whole(name: str) -> dict[str, pa.RecordBatch]:
    """All rows of a capture as one batch a table."""
    parts: dict[str, list[pa.RecordBatch]] = {}
    for batches in batches_of(name):
        for table, batch in batches.items():
            parts.setdefault(table, []).append(batch)
    return {
        table: pl.DataFrame(pl.concat([pl.DataFrame(batch) for batch in batches])).to_arrow().to_batches()[0]
        for table, batches in parts.items()
    }


def lines(site: CompiledSite, parts: list[dict[str, pa.RecordBatch]]) -> bytes:
    conversations, behaviour = Conversations(site), Behaviour(site, "p" * 64, "0.1.0")
    for part in parts:
        behaviour.feed(conversations.enrich(part))
    return b"".join(canonical_line(finding) for finding in behaviour.finish("c" * 64))


@pytest.mark.parametrize("name", CAPTURES)
@pytest.mark.parametrize("rows", [7, 101])
def test_findings_do_not_depend_on_how_rows_are_cut(name: str, rows: int) -> None:
    site = compile_site(load(sample(name).policy).site)
    found = lines(site, list(batches_of(name)))
    assert found
    everything = whole(name)
    first = {"flow_starts": everything.pop("flow_starts")}
    longest = max(batch.num_rows for batch in everything.values())
    cut = [
        {table: batch.slice(start, rows) for table, batch in everything.items() if batch.num_rows > start}
        for start in range(0, longest, rows)
    ]
    assert lines(site, [first, *cut]) == found
    # Rows are written when they are complete: what happened earlier may come later.
    assert lines(site, [first, *reversed(cut)]) == found


def test_asking_in_between_changes_nothing() -> None:
    site = compile_site(load(sample("opcua-exposed").policy).site)
    conversations, behaviour = Conversations(site), Behaviour(site, "p" * 64, "0.1.0")
    for batches in batches_of("opcua-exposed"):
        behaviour.feed(conversations.enrich(batches))
        behaviour.finish("c" * 64)
    asked = b"".join(canonical_line(finding) for finding in behaviour.finish("c" * 64))
    assert asked == lines(site, list(batches_of("opcua-exposed")))


@pytest.mark.parametrize("kind", [kind.id for kind in DETECTIONS])
def test_off_means_off(kind: str) -> None:
    site = compile_site(loads(SITE + f"detections: {{switched_off: [{kind}]}}\n").site)
    behaviour = Behaviour(site, "p" * 64, "0.1.0")
    assert kind not in {one.id for one in behaviour.running}
    assert len(behaviour.running) == len(DETECTIONS) - 1


def test_a_threshold_of_the_policy_counts() -> None:
    wire = transaction(3, outcome="exception", exception_code=2, address=9)
    strict = compile_site(loads(SITE + "detections: {M9: {addresses: 1}}\n").site)
    for site, kinds in ((compile_site(loads(SITE).site), set()), (strict, {"M9"})):
        behaviour = Behaviour(site, "p" * 64, "0.1.0")
        behaviour.feed(wire.traffic(site))
        assert {finding.kind for finding in behaviour.finish("c" * 64)} == kinds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{switched_off: [O33]}", r"policy\.yaml:\d+ detections: .*did you mean 'O3'"),
        ("{M8: {unit: 3}}", r"detections\.M8\.unit: unknown key; did you mean 'units'"),
        ("{M8: {units: 0}}", r"detections\.M8\.units: "),
        ("{M8: off}", r"detections\.M8: YAML reads off as false"),
    ],
)
def test_wrong_settings_are_refused_with_their_place(text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        loads(SITE + f"detections: {text}\n")


def test_every_id_can_be_switched_off_at_once() -> None:
    loads(SITE + f"detections: {{switched_off: [{', '.join(DETECTION_IDS)}]}}\n")


def test_what_is_off_is_not_found_and_all_else_is() -> None:
    policy = load(sample("modbus-survey").policy)
    batches = list(batches_of("modbus-survey"))
    found = lines(compile_site(policy.site), batches).splitlines()
    text = policy.text + "\ndetections: {switched_off: [M8]}\n"
    without = lines(compile_site(loads(text).site), batches).splitlines()
    assert any(b'"kind":"M8"' in line for line in found)
    assert without == [line for line in found if b'"kind":"M8"' not in line]


@settings(max_examples=3, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_findings_told_while_they_come_end_as_those_of_the_whole(shares: list[float]) -> None:
    """An interface is judged with every batch, wherever it ends; a capture once."""
    site = compile_site(load(sample("modbus-answers").policy).site)
    everything = whole("modbus-answers")
    first = {"flow_starts": everything.pop("flow_starts")}
    edges = sorted({0.0, *shares, 1.0})
    cut: list[dict[str, pa.RecordBatch]] = []
    for begin, end in pairwise(edges):
        places = {
            name: (round(begin * len(rows)), round(end * len(rows))) for name, rows in everything.items()
        }
        cut.append({name: everything[name].slice(one, other - one) for name, (one, other) in places.items()})
    conversations, judging = Conversations(site), Judging(site, "p" * 64, "0.1.0")
    told = []
    for part in [first, *cut]:
        judging.feed(conversations.enrich(part))
        told = judging.finish("c" * 64)
    at_once = Judging(site, "p" * 64, "0.1.0")
    at_once.feed(Conversations(site).enrich({**first, **everything}))

    assert told
    assert [*map(canonical_line, told)] == [*map(canonical_line, at_once.finish("c" * 64))]


def test_what_has_not_changed_is_not_made_again() -> None:
    site = compile_site(load(sample("modbus-answers").policy).site)
    conversations, judging = Conversations(site), Judging(site, "p" * 64, "0.1.0")
    for batches in batches_of("modbus-answers"):
        judging.feed(conversations.enrich(batches))
    before = {finding.id: finding for finding in judging.finish("c" * 64)}

    judging.feed(Traffic.empty())

    assert before
    assert all(before[finding.id] is finding for finding in judging.finish("c" * 64))
    # Another capture's hash makes other findings of the same rows.
    assert all(finding.evidence.capture_sha256 == "d" * 64 for finding in judging.finish("d" * 64))
