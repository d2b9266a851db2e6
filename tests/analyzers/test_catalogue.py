"""The catalogue is what the registered checks are."""

from __future__ import annotations

from analyzers.catalogue import judged_ids
from policy.checks import CHECKS


def test_every_registered_check_is_judged() -> None:
    assert {check.id for check in CHECKS} <= judged_ids()


def test_a_check_without_code_is_not_judged() -> None:
    assert "SEG-99" not in judged_ids()
