"""Every number that Wireshark knows too is equal, or its difference is explained."""

from __future__ import annotations

import pytest

from tests.shared_captures.agreement import DIFFERENCES, PAGE, compare, page
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures

pytestmark = needs_captures


@pytest.mark.parametrize("name", NAMES)
def test_every_number_agrees_or_its_difference_is_explained(name: str) -> None:
    compared = list(compare(name))
    assert len(compared) >= 8
    unexplained = [one for one in compared if one.ours != one.wireshark and not one.reason]
    assert unexplained == []


@pytest.mark.parametrize("name", NAMES)
def test_no_explanation_outlives_its_difference(name: str) -> None:
    explained = DIFFERENCES.get(name, {})
    found = {one.number: (one.ours, one.wireshark) for one in compare(name) if one.ours != one.wireshark}
    assert {number: known[:2] for number, known in explained.items()} == found


def test_the_modbus_count_that_wireshark_gets_wrong_by_default_is_right() -> None:
    """PROVENANCE.tsv: checked frame by frame, 3,585; tshark's default mode drops seven."""
    messages = {one.number: one.ours for one in compare(NAMES[2])}["Modbus messages"]
    assert messages == 3_585


def test_every_capture_of_the_folder_is_compared() -> None:
    there = {file.name for file in FOLDER.iterdir() if file.suffix in (".pcap", ".gz")}
    assert there == set(NAMES)


def test_the_page_of_the_docs_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tests.shared_captures.agreement"
