"""What a baseline knows: as often as it takes, as permitted, all of a range; and what was accepted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from analyzers.baseline.comparing import Acceptance, Baseline
from analyzers.baseline.file import BaselineError, from_bytes, load, save, to_bytes
from tests.analyzers.baseline.teaching import taught
from tests.analyzers.baseline.test_learning import writes
from tests.policy.factories import HISTORIAN, OTHER_DMZ_HOST, PLC, packed

BY = ("client_ip", "server_ip", "server_port", "what")


def asks(what: str, client: str = HISTORIAN) -> pl.DataFrame:
    return pl.DataFrame(
        [(packed(client), packed(PLC), 502, what)],
        schema={"client_ip": pl.Binary, "server_ip": pl.Binary, "server_port": pl.UInt16, "what": pl.String},
        orient="row",
    )


def knows(baseline: Baseline, what: str, client: str = HISTORIAN) -> bool:
    return baseline.unknown("modbus.write", asks(what, client), BY).is_empty()


def two_registers() -> Baseline:
    return taught(writes(1, 2, 3), writes(1, 2, 3, address=301))


def test_one_odd_packet_is_not_known() -> None:
    assert not knows(taught(writes(1, 2)), "unit 1, holding 300")
    assert knows(taught(writes(1, 2, 3)), "unit 1, holding 300")


def test_what_the_policy_forbids_does_not_become_known() -> None:
    baseline = taught(writes(*range(50), client=OTHER_DMZ_HOST))
    assert baseline.facts["forbidden"].max() == 50
    assert not knows(baseline, "unit 1, holding 300", OTHER_DMZ_HOST)


@pytest.mark.parametrize(
    ("what", "known"),
    [
        ("unit 1, holding 300-301", True),
        ("unit 1, holding 301", True),
        ("unit 1, holding 300-302", False),
        ("unit 2, holding 300-301", False),
        ("unit 1, coil 300", False),
    ],
)
def test_a_range_is_known_when_all_of_it_is(what: str, known: bool) -> None:
    assert knows(two_registers(), what) == known


def test_of_fewer_columns_the_counts_add_up() -> None:
    baseline = taught(writes(1), writes(1, address=301), writes(1, address=302))
    assert not knows(baseline, "unit 1, holding 300")
    assert baseline.unknown("modbus.write", asks(""), ("client_ip",)).is_empty()
    assert not baseline.unknown("modbus.write", asks("", OTHER_DMZ_HOST), ("client_ip",)).is_empty()


def accepted(what: str) -> Acceptance:
    return Acceptance(
        kind="modbus.write",
        client_ip=packed(HISTORIAN),
        server_ip=packed(PLC),
        ip_proto=6,
        server_port=502,
        what=what,
        who="ana",
        why="CHG-9",
        at="2026-11-23T12:00:00Z",
    )


def test_what_was_accepted_is_known_and_changes_the_hash() -> None:
    before = two_registers()
    after = replace(before, accepted=(accepted("unit 1, holding 302-309"),))
    assert knows(after, "unit 1, holding 300-309")
    assert not knows(before, "unit 1, holding 300-309")
    assert after.sha256 != before.sha256


def test_a_file_keeps_everything_and_its_bytes_are_one_form(tmp_path: Path) -> None:
    baseline = replace(
        two_registers(), accepted=(accepted("unit 1, holding 302"),), left_out={"mqtt.publish": 2}
    )
    path = tmp_path / "mine-a.baseline"
    save(baseline, path)
    again = load(path)
    assert to_bytes(again) == path.read_bytes()
    assert again.sha256 == baseline.sha256
    assert again.facts.equals(baseline.facts)
    assert (again.accepted, again.left_out, again.min_count) == (baseline.accepted, {"mqtt.publish": 2}, 3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "x: empty"),
        (b"schema: 1\n", "x:1: not a line of a baseline"),
        (b'{"geophone_baseline":2}\n', "x:1: not a line of a baseline (form 2"),
        (b"[]\n", "x:1:"),
    ],
)
def test_what_is_no_baseline_is_refused_with_its_line(content: bytes, words: str) -> None:
    with pytest.raises(BaselineError, match=words.replace("(", r"\(")):
        from_bytes(content, "x")


def test_a_fact_that_was_tampered_with_is_refused_with_its_line() -> None:
    lines = to_bytes(two_registers()).splitlines(keepends=True)
    spoiled = lines[0] + lines[1].replace(b'"count"', b'"number"') + lines[2]
    with pytest.raises(BaselineError, match=r"x:2: .*count, number"):
        from_bytes(spoiled, "x")
