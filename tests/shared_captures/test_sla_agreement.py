"""Round trips of the SLA are Wireshark's, one by one; every Modbus capture can be measured."""

from __future__ import annotations

import shutil

import pytest

from sensors.crosscheck.wireshark import Wireshark
from tests.shared_captures.captures import NAMES, needs_captures
from tests.shared_captures.crosschecks import TSHARK, VERIFIED
from tests.shared_captures.estimators import MODBUS_NAMES, estimates
from tests.shared_captures.sla_agreement import INDICATORS, PAGE, everywhere, page

needs_tshark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
pytestmark = needs_captures


@needs_tshark
def test_99_of_100_samples_are_within_a_microsecond_of_wiresharks() -> None:
    beside = [pair for indicator in INDICATORS for pair in everywhere(indicator) if pair.beside]
    assert len(beside) > 10_000
    assert sum(pair.alike for pair in beside) >= 0.99 * len(beside)


@needs_tshark
@pytest.mark.parametrize("indicator", INDICATORS)
def test_every_other_sample_differs_for_a_reason_that_was_verified(indicator: str) -> None:
    different = [pair for pair in everywhere(indicator) if not pair.alike]
    assert different
    assert [pair for pair in different if pair.reason not in VERIFIED] == []


@needs_tshark
def test_no_sample_is_ours_alone() -> None:
    assert [p for indicator in INDICATORS for p in everywhere(indicator) if p.wireshark_ns is None] == []


@needs_tshark
def test_wireshark_is_right_only_about_samples_that_we_leave_out_for_room() -> None:
    not_ours = [
        pair
        for indicator in INDICATORS
        for pair in everywhere(indicator)
        if not pair.alike and not pair.right.startswith(("ours", "both"))
    ]
    assert {pair.right for pair in not_ours} == {"Wireshark, for the sample: we leave it out"}
    assert len(not_ours) < 0.001 * len(everywhere("ACK"))
    assert not any(pair.ours_ns for pair in not_ours)


@pytest.mark.parametrize("name", MODBUS_NAMES)
def test_every_modbus_capture_is_measurable(name: str) -> None:
    measured = {one.estimator: one.samples for one in estimates(name)}
    assert measured["request to answer"] > 0
    assert measured["round trip of both sides"] > 0
    assert measured["server time"] > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_capture_is_measurable_by_an_estimator_or_says_why_not(name: str) -> None:
    assert any(one.samples for one in estimates(name))
    assert all(one.samples or one.why_not for one in estimates(name))


@needs_tshark
@pytest.mark.skipif(
    shutil.which("tshark") is not None and Wireshark.find().version != TSHARK,
    reason=f"the page was written with tshark {TSHARK}",
)
def test_the_page_of_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.shared_captures.sla_agreement"
