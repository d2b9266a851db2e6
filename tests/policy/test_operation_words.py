"""Which operations a rule's words hold."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.operation_words import holds


@given(st.text("ab*", min_size=1, max_size=7), st.text("ab", max_size=9))
def test_a_star_stands_for_any_text(word: str, operation: str) -> None:
    assert holds((word,), "other", operation) == fnmatchcase(operation, word)


def test_a_name_from_the_wire_cannot_make_it_try_for_ever() -> None:
    assert not holds(("*a*a*a*a*a*a*a*a*b",), "read", "a" * 20_000)
    assert holds(("*a*a*a*a*a*a*a*a*b",), "read", "a" * 20_000 + "b")


@pytest.mark.parametrize(
    ("words", "operation_class", "operation", "expected"),
    [
        (None, "program", "download block", True),
        ((), "read", "read variables", False),
        ((), "session", "set up communication", True),
        (("read",), "read", "read variables", True),
        (("read",), "write", "read", False),
        (("Read Variables",), "write", "read variables", True),
        (("read variables",), "read", "read variables of somebody", False),
        (("a.b",), "read", "acb", False),
    ],
)
def test_classes_and_names(
    words: tuple[str, ...] | None, operation_class: str, operation: str, expected: bool
) -> None:
    assert holds(words, operation_class, operation) == expected
