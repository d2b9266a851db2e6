"""Minutes that come one after the other: the rules speak when they do over all minutes at once."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzers.budget import Slots
from analyzers.burn import MinuteSlots, burn_alerts
from analyzers.burning import LONGEST, Burning, Pages

C2 = Fraction(999, 1000)

#: Minutes up to the next one, bad slots of a hundred, whether the minute may be judged.
COURSES = st.lists(
    st.tuples(st.integers(1, 40), st.sampled_from([0, 0, 0, 1, 3, 40]), st.booleans() | st.just(value=True)),
    max_size=60,
)


def rows_of(drawn: list[tuple[int, int, bool]]) -> list[MinuteSlots]:
    rows, at = [], 0
    for gap, bad, fit in drawn:
        at += gap
        rows.append(MinuteSlots(at, Slots(100, bad) if fit else Slots(), fit))
    return rows


def spoke(found: list[Burning]) -> set[int]:
    return {minute for one in found for minute in range(one.first, one.last + 1)}


def spoke_at_once(rows: list[MinuteSlots]) -> set[int]:
    alerts = [one for one in burn_alerts(rows, C2, at_once=False) if one.kind == "page"]
    return {minute for one in alerts for minute in range(one.first_minute, one.last_minute + 1)}


@settings(max_examples=40, deadline=None)
@given(COURSES, st.lists(st.integers(0, 5), max_size=60))
def test_minutes_that_come_late_or_change_are_judged_as_if_they_had_come_at_once(
    drawn: list[tuple[int, int, bool]], back: list[int]
) -> None:
    rows, pages = rows_of(drawn), Pages(C2)
    for number in range(len(rows)):
        # Up to five minutes before it had nothing bad as long as this one had not come.
        again = back[number] if number < len(back) else 0
        first = max(number - again, 0)
        quiet = [
            MinuteSlots(row.minute, Slots(row.slots.valid), row.valid) for row in rows[first : number + 1]
        ]
        pages.put(rows[first].minute, quiet)
        pages.put(rows[first].minute, rows[first : number + 1])
    assert spoke(pages.burning()) == spoke_at_once(rows)


@settings(max_examples=40, deadline=None)
@given(COURSES)
def test_what_is_forgotten_is_remembered_as_the_time_that_it_was(drawn: list[tuple[int, int, bool]]) -> None:
    rows, pages, whole = rows_of(drawn), Pages(C2), Pages(C2)
    for row in rows:
        for one in (pages, whole):
            one.put(row.minute, [row])
        pages.forget(row.minute - LONGEST - 60, -1)
    assert pages.burning() == whole.burning()
    assert spoke(pages.burning()) == spoke_at_once(rows)


def test_a_budget_that_burns_for_days_is_one_stretch_of_days() -> None:
    pages = Pages(C2)
    # Half an hour at a time.
    for minute in range(0, 2 * 24 * 60, 30):
        pages.put(minute, [MinuteSlots(minute + at, Slots(100, 20)) for at in range(30)])
        pages.forget(minute - LONGEST - 60, minute - LONGEST - 60)
    (burning,) = pages.burning()
    assert (burning.first, burning.last) == (0, 2 * 24 * 60 + 28)
    # Twenty of a hundred, where one of a thousand is allowed.
    assert burning.peak == 200


def test_what_is_over_is_forgotten() -> None:
    pages = Pages(C2)
    pages.put(0, [MinuteSlots(minute, Slots(100, 20 if minute == 5 else 0)) for minute in range(60)])
    (burning,) = pages.burning()
    pages.forget(60, burning.last)
    assert pages.burning() == [burning]
    pages.forget(60, burning.last + 1)
    assert pages.burning() == []
