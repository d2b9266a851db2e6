"""Charts: data in, markup out."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from dashboards.svg.bands import Bands, Mark, bands, spread
from dashboards.svg.markup import element, number
from dashboards.svg.scale import Scale, runs, ticks, time_ticks
from dashboards.svg.sparkline import sparkline

START = datetime(2026, 3, 3, tzinfo=UTC)


def _parsed(markup: Markup) -> ElementTree.Element:
    return ElementTree.fromstring(str(markup))  # noqa: S314 -- our own markup


def _all(root: ElementTree.Element, name: str, css: str) -> list[ElementTree.Element]:
    return [node for node in root.iter(name) if css in node.get("class", "").split()]


def _chart(values: list[float | None], **changes: object) -> Bands:
    chart = Bands(
        id="rtt",
        title="Round-trip time and loss",
        start=START,
        end=START + timedelta(minutes=len(values)),
        step_s=60,
        measured=[value is not None for value in values],
        p50=values,
        p95=[None if v is None else v * 2 for v in values],
        p99=[None if v is None else v * 3 for v in values],
        target=20.0,
        target_label="p95 ≤ 20 ms",
        strip=[None if v is None else 0.0 for v in values],
        strip_name="loss",
    )
    return replace(chart, **changes)  # type: ignore[arg-type]


def test_text_and_attributes_are_escaped_and_made_visible() -> None:
    drawn = element("text", 'a<b>&"\u202e', title="\"><script>'", data_x=1.25, x_=None)
    assert "<b>" not in drawn
    assert "<script>" not in drawn
    assert "\\u{202e}" in drawn
    assert _parsed(drawn).get("title") == "\"><script>'"
    assert 'data-x="1.2"' in drawn
    assert "x=" not in drawn.replace("data-x=", "")


@given(st.text(), st.text())
def test_no_text_escapes_its_element(attribute: str, text: str) -> None:
    root = _parsed(element("g", element("text", text), title=attribute))
    assert [node.tag for node in root.iter()] == ["g", "text"]


def test_coordinates_are_short() -> None:
    assert (number(1.0), number(1.26), number(-0.01), number(12.0)) == ("1", "1.3", "0", "12")


@pytest.mark.parametrize("highest", [0.0, 0.004, 0.9, 1.0, 7.3, 20.0, 99.0, 12345.0])
def test_ticks_are_round_few_and_reach_the_highest(highest: float) -> None:
    found = ticks(highest)
    assert found[0] == 0
    assert found[-1] >= highest
    assert 2 <= len(found) <= 6


def test_a_scale_holds_what_is_outside_at_its_edge() -> None:
    scale = Scale(0, 10, 100, 200)
    assert (scale(5), scale(-1), scale(11)) == (150, 100, 200)


def test_time_ticks_are_round_and_say_the_day_at_midnight() -> None:
    found = time_ticks(START - timedelta(hours=5), START + timedelta(hours=5))
    assert ("03 Mar" in [label for _, label in found]) is True
    assert all(moment.minute % 30 == 0 for moment, _ in found)


def test_runs_are_what_may_be_joined_by_a_line() -> None:
    assert runs([1.0, 2.0, None, 3.0, None, None, 4.0]) == [(0, 2), (3, 4), (6, 7)]
    assert runs([]) == runs([None]) == []


def test_a_gap_is_drawn_as_no_data_and_no_line_crosses_it() -> None:
    values: list[float | None] = [4.0] * 30 + [None] * 20 + [4.0] * 30
    root = _parsed(bands(_chart(values)))
    gaps = _all(root, "rect", "gap")
    assert len(gaps) == 1
    assert "no data" in "".join(root.itertext())
    left = float(gaps[0].get("x", ""))
    right = left + float(gaps[0].get("width", ""))
    lines = list(root.iter("polyline"))
    assert len(lines) == 6
    for line in lines:
        places = [float(point.split(",")[0]) for point in line.get("points", "").split()]
        assert max(places) <= left or min(places) >= right


def test_without_a_gap_none_is_drawn() -> None:
    root = _parsed(bands(_chart([4.0] * 30)))
    assert _all(root, "rect", "gap") == []
    assert "no data" not in "".join(root.itertext()).lower()


def test_a_single_measured_step_is_a_dot_not_nothing() -> None:
    root = _parsed(bands(_chart([None, 4.0, None])))
    assert len(_all(root, "circle", "dot")) == 3


def test_nothing_measured_says_so() -> None:
    root = _parsed(bands(_chart([None] * 10)))
    assert "Nothing was measured" in "".join(root.itertext())
    assert list(root.iter("polyline")) == []


def test_higher_values_lie_higher() -> None:
    root = _parsed(bands(_chart([2.0, 8.0])))
    line = _all(root, "polyline", "l50")[0]
    first, second = (float(point.split(",")[1]) for point in line.get("points", "").split())
    assert second < first


def test_the_target_is_a_line_where_it_fits_and_words_where_it_does_not() -> None:
    near, far = _parsed(bands(_chart([4.0] * 9))), _parsed(bands(_chart([0.01] * 9)))
    assert len(_all(near, "line", "target")) == 1
    assert _all(far, "line", "target") == []
    assert "p95 ≤ 20 ms" in "".join(far.itertext())


def test_a_mark_leads_to_what_happened_and_is_named() -> None:
    mark = Mark(START + timedelta(minutes=3), 'SEG-05 "x" <b>', "/security/alerts/1", severe=True)
    root = _parsed(bands(_chart([4.0] * 9, marks=[mark])))
    link = next(root.iter("a"))
    assert link.get("href") == "/security/alerts/1"
    assert link.get("aria-label") == 'SEG-05 "x" <b>'


def test_the_pointer_reads_what_is_drawn() -> None:
    data = json.loads(_parsed(bands(_chart([4.0, None, 5.0]))).get("data-chart", ""))
    assert data["rows"]["p50"] == [4.0, None, 5.0]
    assert data["rows"]["bad"] == [0.0, None, 0.0]


@pytest.mark.parametrize("values", [[4.0] * 300, [None] * 3, [0.0] * 3, [4.0]])
def test_only_classes_no_style_and_no_script(values: list[float | None]) -> None:
    drawn = str(bands(_chart(values))) + str(sparkline(values))
    assert not re.search(r"\sstyle=|<style|<script|\son\w+=", drawn)


def test_a_sparkline_leaves_gaps_open() -> None:
    root = _parsed(sparkline([1.0, 2.0, None, 2.0, 1.0]))
    assert len(list(root.iter("polyline"))) == 2
    assert list(_parsed(sparkline([None, None]))) == []


def _labels(chart: Bands) -> list[tuple[float, str]]:
    """The words beside the lines' ends from top to bottom, with their places."""
    root = _parsed(bands(chart))
    found = [*_all(root, "text", "endlabel"), *_all(root, "text", "targetlabel")]
    return sorted((float(node.get("y", "")), node.text or "") for node in found)


@pytest.mark.parametrize("value", [0.01, 1.8, 6.5, 19.9, 20.0, 20.1, 400.0])
@pytest.mark.parametrize("widths", [(1.0, 1.0, 1.0), (1.0, 1.01, 1.02), (0.1, 1.0, 3.0)])
def test_no_label_is_cut_at_the_edge_or_lies_on_another(
    value: float, widths: tuple[float, float, float]
) -> None:
    lines: dict[str, object] = {
        name: [value * width] * 9 for name, width in zip(("p50", "p95", "p99"), widths, strict=True)
    }
    places = _labels(_chart([value] * 9, **lines))
    assert len(places) == 4
    # letters of 11.5 units stand above their line: from 16 on they are whole
    assert places[0][0] >= 16
    assert all(b - a >= 13 for (a, _), (b, _) in pairwise(places))
    assert [text[:3] for _, text in places if "≤" not in text] == ["p99", "p95", "p50"]


def test_labels_with_room_stand_where_their_lines_end() -> None:
    places = spread([20.0, 60.0, 120.0])
    assert places == [20.0, 60.0, 120.0]
    assert spread([50.0, 52.0, 54.0]) == [28.0, 41.0, 54.0]
    # the target keeps its place, what is just below it goes further down
    assert spread([30.0, 33.0, 35.0], fixed=0) == [30.0, 43.0, 56.0]
