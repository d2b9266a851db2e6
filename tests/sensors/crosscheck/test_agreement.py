"""What counts as agreement, and which differences are kept."""

from __future__ import annotations

from functools import partial

import pytest

from sensors.crosscheck.agreement import Agreement, FieldAgreement, shown


def field_of(equal: int, explained: int, unexplained: int) -> FieldAgreement:
    agreement = Agreement(differences_kept=3)
    for number, reason in enumerate(["same"] * equal + ["known"] * explained + [""] * unexplained):
        agreement.compare(
            "p",
            "f",
            1,
            1 if reason == "same" else 2,
            frame=number,
            about="",
            because=partial(str, reason),
        )
    (found,) = agreement
    return found


@pytest.mark.parametrize(
    ("equal", "explained", "unexplained", "agrees"),
    [
        (10, 0, 0, True),
        (0, 10, 0, True),
        (9, 0, 1, False),
        (999, 0, 1, True),
        (998, 0, 2, False),
        (0, 0, 1, False),
        # An explanation makes no bad share good: what is left unexplained still has to be one in a thousand.
        (500, 499, 1, False),
    ],
)
def test_a_field_agrees_where_its_values_are_equal_or_explained(
    equal: int, explained: int, unexplained: int, agrees: bool
) -> None:
    found = field_of(equal, explained, unexplained)
    assert found.compared == equal + explained + unexplained
    assert (found.matched, found.explained, found.unexplained) == (equal, explained, unexplained)
    assert found.agrees is agrees


def test_kept_differences_are_bounded_and_the_unexplained_ones_come_first() -> None:
    found = field_of(0, 50, 2)
    assert len(found.differences) == 3
    assert [one.explanation for one in found.differences] == ["known", "", ""]
    assert [one.frame for one in found.differences][1:] == [50, 51]
    assert (found.compared, found.explained) == (52, 50)


def test_values_of_the_wire_cannot_command_the_terminal() -> None:
    assert shown("plant/α/1") == "plant/α/1"
    assert shown("a\x1b[2Jb\r\n\u202e") == r"a\x1b[2Jb\r\n\u202e"
    assert shown("\ud800") == r"\ud800"
    assert shown(None) == "absent"
    assert len(shown("x" * 10_000)) < 200
