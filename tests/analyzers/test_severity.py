from __future__ import annotations

from analyzers.severity import SEVERITY_NAMES, Severity


def test_every_degree_has_its_word_the_gravest_first() -> None:
    assert [severity.word for severity in reversed(Severity)] == list(SEVERITY_NAMES)
    assert all(Severity[name.upper()].word == name for name in SEVERITY_NAMES)
