"""Every field of every shared capture beside Wireshark: equal, or different for a reason that was verified by hand."""

from __future__ import annotations

import shutil

import pytest

from sensors.crosscheck.wireshark import Wireshark
from tests.shared_captures.captures import NAMES, needs_captures
from tests.shared_captures.crosschecks import CAPTURES, PAGE, TSHARK, VERIFIED, by_reason, found, page, wholes

pytestmark = [
    needs_captures,
    pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed"),
]


@pytest.mark.parametrize("name", CAPTURES)
def test_every_field_is_equal_or_its_differences_are_explained(name: str) -> None:
    answer = found(name)
    unexplained = [one for field in answer.fields for one in field.differences if not one.explanation]
    assert unexplained == []
    assert answer.agrees
    assert len(answer.fields) >= (30 if name in NAMES else 25)


def test_every_field_of_all_captures_together_is_equal_in_999_of_1000_or_explained() -> None:
    short = [one for one in wholes() if one.equal + one.explained < one.compared]
    assert short == []


def test_fields_of_messages_are_equal_in_999_of_1000_without_any_explanation() -> None:
    messages = [one for one in wholes() if one.protocol not in ("frame", "tcp", "udp")]
    assert messages
    #: Where messages lie behind a hole, the two differ in the frame that completes them.
    explained = {"frame", "response: response time"}
    assert [one for one in messages if one.equal < 0.999 * one.compared and one.field not in explained] == []


def test_values_of_round_trips_are_equal_to_the_nanosecond() -> None:
    (times,) = [one for one in wholes() if one.field == "round-trip time"]
    assert times.compared > 9_000
    assert times.equal >= 0.999 * times.compared


def test_every_reason_was_verified_and_none_outlives_its_difference() -> None:
    assert set(by_reason()) == set(VERIFIED)


def test_all_modbus_messages_of_the_plant_capture_are_compared() -> None:
    compared = {(field.protocol, field.field): field for field in found(NAMES[2]).fields}
    assert compared["modbus", "message"].compared == compared["modbus", "message"].matched == 3_585


def test_all_cip_messages_of_the_plant_capture_are_compared() -> None:
    compared = {(field.protocol, field.field): field for field in found(NAMES[2]).fields}
    for name in ("message", "request: object", "response: its request", "response: response time"):
        assert compared["enip", name].compared == compared["enip", name].matched > 8_000, name
    assert compared["enip", "message"].compared == 16_394


@pytest.mark.skipif(
    shutil.which("tshark") is not None and Wireshark.find().version != TSHARK,
    reason=f"the page was written with tshark {TSHARK}",
)
def test_the_page_of_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.shared_captures.crosschecks"
