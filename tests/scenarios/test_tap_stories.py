"""What a tap shows changes; what happened does not, nor what is held to be network and what to be capture."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from pcaps import sample
from tests.scenarios.decoded import rows
from tests.scenarios.pipeline import outcome, structure

PHASES = sample("link-phases").truth["phase"]


def test_tags_and_tunnels_change_no_finding_and_no_transaction() -> None:
    plain, wrapped = (outcome(name).result.findings for name in ("span-whole", "span-encapsulated"))
    assert [structure(one) for one in wrapped] == [structure(one) for one in plain]
    for one, other in zip(plain, wrapped, strict=True):
        assert (one.id, one.count, one.first_ns, one.last_ns) == (
            other.id,
            other.count,
            other.first_ns,
            other.last_ns,
        )
        assert [seen.frame for seen in one.evidence.operations] == [
            seen.frame for seen in other.evidence.operations
        ]
    assert rows("span-encapsulated", "modbus").equals(rows("span-whole", "modbus"))


def test_each_wrapping_is_named() -> None:
    starts = rows("span-encapsulated", "flow_starts")
    ways = starts.select("tunnel", "tunnel_id", "vlan").unique().rows()
    assert set(ways) == {
        ("none", None, 60),
        ("none", None, 900),
        ("gre", None, 0),
        ("erspan", 17, 60),
        ("vxlan", 5060, 0),
    }


def test_half_of_a_conversation_is_neither_loss_nor_silence_of_the_other_half() -> None:
    truth = sample("span-one-sided").truth
    tally = outcome("span-one-sided").result.tally
    # A FIN takes a sequence number too, and one that the port misses may pass for a byte.
    most = truth["hidden_data_segments"] + truth["hidden_connections"]
    assert truth["hidden_data_segments"] <= tally.unseen_segments <= most
    assert outcome("span-one-sided").minutes["lost_segments"].sum() == 0


def test_connections_without_a_handshake_have_the_roles_that_they_have() -> None:
    flows = rows("span-midstream", "flow_starts")
    assert set(flows["server_port"]) == {502}
    assert not set(flows["role_source"]) & {"syn", "syn_ack"}


def test_what_a_capture_says_it_lost_is_counted_in_its_minutes() -> None:
    coverage = rows("span-drops-told", "coverage").sort("minute")
    dropped = coverage["dropped_packets"].to_list()
    # Told frame by frame in the second minute; the rest at the end, for nobody knows when.
    assert dropped[1] > 0
    assert dropped[-1] > 0
    assert sum(dropped) == sample("span-drops-told").truth["dropped_frames_told"]
    assert dropped[0] == dropped[2] == dropped[3] == 0


def interface_minutes(name: str) -> pl.DataFrame:
    """Minutes with frames of the port that falls silent."""
    return rows(name, "coverage").filter(pl.col("interface_id") == sample(name).truth["silent_interface"])


def test_a_silent_port_has_minutes_without_coverage_beside_one_that_goes_on() -> None:
    for name in ("sensor-silence", "sensor-silence-benign"):
        assert interface_minutes(name).height < rows(name, "coverage")["minute"].n_unique() - 1
    blind, stopped = ("sensor-silence", "sensor-silence-benign")
    # The blind sensor's connection went on without it; the planned stop missed nothing.
    assert rows(blind, "coverage")["gap_bytes"].sum() == sample(blind).truth["hidden_data_bytes"]
    assert rows(stopped, "coverage")["gap_bytes"].sum() == 0


def of_phase(phase: dict[str, Any]) -> pl.DataFrame:
    """What was measured on the impaired conduit in a phase; a loss of its last second shows in the next."""
    minutes = outcome("link-phases").minutes
    return minutes.filter(
        pl.col("conduit") == sample("link-phases").truth["impaired_conduit"],
        pl.col("minute") >= phase["from"],
        pl.col("minute") < phase["to"],
    )


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: f"{phase['from']:%H:%M}")
def test_loss_of_each_phase_is_near_the_injected_one(phase: dict[str, Any]) -> None:
    dropped = phase["dropped_data_before_tap"] + phase["dropped_data_after_tap"]
    lost = of_phase(phase)["lost_segments"].sum()
    # Low: what is lost before the tap and not overtaken leaves no trace. It must not be high.
    assert 0.7 * dropped <= lost <= dropped


def test_the_good_conduit_beside_the_link_loses_nothing() -> None:
    others = outcome("link-phases").minutes.filter(
        pl.col("conduit") != sample("link-phases").truth["impaired_conduit"]
    )
    assert others["lost_segments"].sum() == 0
