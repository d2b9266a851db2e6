"""Whatever is planted and judged is found with both its ends, the twins are silent, and the page says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from pcaps import Planted, Sample, sample, samples
from pcaps.lab.notes import moment
from tests.scenarios.matrix import PAGE, is_about, looked_for, page, row
from tests.scenarios.pipeline import outcome

SAMPLES = samples()
#: What was planted may be a request; the finding tells of the conversation around it.
HANDSHAKE = timedelta(seconds=5)
JUDGED = [(one, planted) for one in SAMPLES for planted in one.planted if looked_for(one, planted)]
WITH_TWIN = [(one, planted) for one, planted in JUDGED if one.twin]


def name(value: Sample | Planted) -> str:
    return value.name if isinstance(value, Sample) else f"{value.id}-{value.src_ip}"


@pytest.mark.parametrize(("one", "planted"), JUDGED, ids=name)
def test_what_is_planted_and_judged_is_found_in_its_time(one: Sample, planted: Planted) -> None:
    found = row(one, planted).found
    assert found, planted
    # Deeds of one kind between the same two ends are one finding, or cannot be told apart by what a finding says.
    ends = planted.id, planted.src_ip, planted.dst_ip, planted.service
    alike = [other for other in one.planted if (other.id, other.src_ip, other.dst_ip, other.service) == ends]
    assert (
        moment(min(finding.first_ns for finding in found)) >= min(other.first for other in alike) - HANDSHAKE
    )
    assert moment(max(finding.last_ns for finding in found)) <= max(other.last for other in alike) + HANDSHAKE


@pytest.mark.parametrize(("one", "planted"), WITH_TWIN, ids=name)
def test_the_twin_gives_nothing_of_it(one: Sample, planted: Planted) -> None:
    assert row(one, planted).found_in_twin == ()


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_nothing_is_found_that_was_not_planted(one: Sample) -> None:
    if not one.planted:
        assert not outcome(one.name).result.findings
        return
    strangers = [
        finding
        for finding in outcome(one.name).result.findings
        if not any(is_about(finding, planted) for planted in one.planted)
    ]
    assert strangers == []


def test_the_page_is_what_the_samples_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(SAMPLES), "run: python -m tests.scenarios.matrix"


def test_a_finding_is_not_about_another_pair_id_or_service() -> None:
    one = sample("conduit-misuse")
    planted = one.planted[0]
    finding = next(f for f in outcome(one.name).result.findings if is_about(f, planted))
    others: list[Planted] = [
        replace(planted, id="SEG-02"),
        replace(planted, src_ip="10.9.9.9"),
        replace(planted, dst_ip="10.9.9.9"),
        replace(planted, service="http"),
    ]
    assert not any(is_about(finding, other) for other in others)
    assert is_about(finding, replace(planted, dst_ip=""))
