"""Words for people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.text import (
    clock_ns,
    count,
    duration,
    from_ns,
    milliseconds,
    percent,
    short_hash,
    size,
    span,
    visible,
)


@pytest.mark.parametrize("text", ["", "plc1", "Señal → válvula é", "中文", "<b>&\"'", "a b"])
def test_printable_text_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("user\u202egnp.exe", "user\\u{202e}gnp.exe"),
        ("a\u2066b\u2069", "a\\u{2066}b\\u{2069}"),
        ("zero\u200bwidth", "zero\\u{200b}width"),
        ("one\r\ntwo", "one\\r\\ntwo"),
        ("nul\x00esc\x1b", "nul\\x00esc\\x1b"),
        ("half\ud800", "half\\u{d800}"),
        ("sep\u2028", "sep\\u{2028}"),
    ],
)
def test_characters_that_hide_or_reorder_are_shown_as_escapes(text: str, shown: str) -> None:
    assert visible(text) == shown


@given(st.text())
def test_nothing_shown_can_break_a_line_or_reorder(text: str) -> None:
    # spaces of other widths are visible as gaps, so isprintable is stricter than what is promised
    assert not {"\n", "\r", "\u202e", "\u2066", "\x00", "\u2028"} & set(visible(text))


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (1.0, "100"),
        (0.99999, "99.99"),
        (0.9982, "99.82"),
        (0.0, "0"),
        (0.00001, "<0.01"),
        (0.5, "50"),
        (None, "–"),
    ],
)
def test_almost_all_is_not_100_and_almost_none_is_not_0(share: float | None, shown: str) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value_ns", "shown"),
    [(3_800_000, "3.8"), (128_400_000, "128"), (450_000, "0.45"), (0, "0"), (None, "–")],
)
def test_milliseconds_have_three_figures(value_ns: int | None, shown: str) -> None:
    assert milliseconds(value_ns) == shown


@pytest.mark.parametrize(
    ("value_ns", "shown"),
    [(64_200, "64.2 µs"), (3_800_000, "3.8 ms"), (1_240_000_000, "1.24 s"), (0, "0 ms"), (None, "–")],
)
def test_durations_have_the_unit_that_reads_best(value_ns: int | None, shown: str) -> None:
    assert duration(value_ns) == shown


@pytest.mark.parametrize(
    ("length", "shown"),
    [
        (timedelta(milliseconds=300), "under 1 s"),
        (0.0, "0 s"),
        (40.0, "40 s"),
        (660.0, "11 min"),
        (timedelta(hours=3.2), "3.2 h"),
        (timedelta(days=2), "2 d"),
        (None, "–"),
    ],
)
def test_spans_are_for_people(length: timedelta | float | None, shown: str) -> None:
    assert span(length) == shown


def test_packet_times_are_cut_not_rounded_to_the_next_second() -> None:
    moment_ns = 1_772_582_399_999_999_999
    assert clock_ns(moment_ns) == "23:59:59.999"
    assert from_ns(moment_ns) == datetime(2026, 3, 3, 23, 59, 59, 999_999, UTC)


def test_numbers_sizes_and_hashes_are_short() -> None:
    assert count(1_575_444) == "1\u202f575\u202f444"
    assert (size(812), size(18_236_114)) == ("812 B", "18.2 MB")
    assert short_hash("0123456789abcdef" * 4) == "01234567…cdef"
