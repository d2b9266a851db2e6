"""The page about ATT&CK says what the catalogue says, of every technique there is."""

from __future__ import annotations

from collections import Counter

import pytest

from analyzers.attack.coverage import coverage
from analyzers.attack.page import PAGE, page
from analyzers.attack.unseen import UNSEEN, Unseen
from analyzers.techniques import TACTICS, TECHNIQUES, WITHDRAWN


def test_the_table_is_as_large_as_the_matrix() -> None:
    # ATT&CK v18 for ICS: 83 techniques in 94 places of 12 tactics.
    places = Counter(tactic for _, tactics in TECHNIQUES.values() for tactic in tactics)
    assert (len(TECHNIQUES), places.total(), len(TACTICS)) == (83, 94, 12)
    assert set(places) == set(TACTICS)
    assert not WITHDRAWN & TECHNIQUES.keys()


def test_every_technique_is_cited_or_has_a_reason() -> None:
    assert coverage().keys() | UNSEEN.keys() == TECHNIQUES.keys()


def test_what_traffic_cannot_show_is_not_cited() -> None:
    # What was "not judged yet" may be judged since: remove its line from UNSEEN then.
    impossible = {one for one, (reason, _) in UNSEEN.items() if reason is not Unseen.NOT_JUDGED}
    assert not impossible & coverage().keys()


@pytest.mark.parametrize(("technique", "asserted"), [("T0855", "SEG-05"), ("T0846", "G1"), ("T0814", "M6")])
def test_a_technique_names_who_asserts_it(technique: str, asserted: str) -> None:
    assert asserted in coverage()[technique].asserted


def test_possible_is_not_asserted() -> None:
    assert coverage()["T0814"].possible == ("M10",)
    assert coverage()["T0857"].asserted == ()


def test_the_page_is_the_one_in_the_repository() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it: python -m analyzers.attack.page"
