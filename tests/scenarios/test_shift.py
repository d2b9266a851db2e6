"""The whole day and its calm twin: the same day, but for what was planted; and the fog is where the model has it."""

from __future__ import annotations

from typing import Any

from analyzers.sla import Status
from pcaps import sample
from tests.scenarios.pipeline import outcome
from tests.scenarios.twins import made, planted_in_twin

DAY = sample("shift")
Pair = tuple[str, str]


def _segments(conversations: Any) -> dict[Pair, int]:
    return {(one["client"], one["server"]): one["data_segments"] for one in conversations}


def test_the_twin_is_the_same_day_but_for_what_was_planted() -> None:
    day = _segments(DAY.truth["conversation"])
    calm = _segments(made(DAY.twin).notes.truth_lists["conversation"])
    in_both = {(one.src_ip, one.dst_ip) for one in planted_in_twin(DAY.twin)}
    planted = {(one.src_ip, one.dst_ip) for one in DAY.planted if one.dst_ip} - in_both
    # The vendor's tunnel of the evening is not against the policy by itself: it is how the planted session came in.
    tunnel = ("203.0.113.5", "10.136.0.5")
    assert day.keys() - calm.keys() == planted - {("10.130.0.10", "10.121.0.11")}
    assert {pair for pair in calm if calm[pair] != day[pair]} == {tunnel, ("10.130.0.10", "10.121.0.11")}


def test_the_fog_spends_the_budget_of_its_conduit_and_of_no_other() -> None:
    conduits = {one.scope: one for one in outcome(DAY.name).result.conduits}
    bad = conduits.pop(DAY.truth["impaired_conduit"])
    assert bad.verdict.status is Status.BREACHED
    assert any("RTT" in reason for reason in bad.verdict.reasons)
    # Names and time alone cross this one: UDP shows neither loss nor round trips.
    assert conduits.pop("c-dmz-ops").verdict.status is Status.NO_DATA
    # The vendor's sessions, replication and browsers are encrypted: of answers nothing can be told.
    for scope in ("c-vendor-remote", "c-remote-dmz", "c-dmz-room", "c-ops-dmz", "c-reports"):
        verdict = conduits.pop(scope).verdict
        assert verdict.status is Status.NO_DATA
        assert verdict.reasons == ("neither budget was measured: no request with an answer was seen",)
    assert {one.verdict.status for one in conduits.values()} == {Status.MET}


def test_every_zone_has_something_to_show() -> None:
    assert all(one.minutes_seen for one in outcome(DAY.name).result.zones)
    working = {"operations", "supervisory", "mine", "plant", "port", "energy"}
    round_the_clock = {
        one.scope for one in outcome(DAY.name).result.zones if one.minutes_seen == one.minutes_valid == 1_440
    }
    assert working <= round_the_clock


def test_every_kind_of_conversation_is_recognised() -> None:
    services = {service for service, _ in outcome(DAY.name).result.tally.flows_by_service}
    assert {"modbus", "opcua", "mqtt", "rdp", "https", "dns", "ntp"} <= services
