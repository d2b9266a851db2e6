"""Form tokens."""

from __future__ import annotations

import pytest

from api.csrf import FormTokens

TOKENS = FormTokens(b"k" * 32)


def test_accepts_a_token_of_the_same_visit() -> None:
    visit = TOKENS.visit(None)
    assert TOKENS.accepts(visit, TOKENS.token(visit))


def test_tokens_of_a_visit_differ_from_page_to_page() -> None:
    visit = TOKENS.visit(None)
    assert TOKENS.token(visit) != TOKENS.token(visit)


def test_refuses_a_token_of_another_visit() -> None:
    visit, other = TOKENS.visit(None), TOKENS.visit(None)
    assert not TOKENS.accepts(other, TOKENS.token(visit))


def test_refuses_a_token_of_another_process() -> None:
    visit = TOKENS.visit(None)
    assert not TOKENS.accepts(visit, FormTokens(b"l" * 32).token(visit))


@pytest.mark.parametrize("token", ["", ".", "abc", "abc.", ".def", "é.ü", "a" * 10_000])
def test_refuses_what_is_no_token(token: str) -> None:
    assert not TOKENS.accepts(TOKENS.visit(None), token)


def test_refuses_without_a_cookie() -> None:
    assert not TOKENS.accepts(None, TOKENS.token("x"))
    assert not TOKENS.accepts("", TOKENS.token(""))


def test_keeps_a_visit_of_ours_and_replaces_any_other() -> None:
    visit = TOKENS.visit(None)
    assert TOKENS.visit(visit) == visit
    assert TOKENS.visit("chosen-by-somebody") != "chosen-by-somebody"
