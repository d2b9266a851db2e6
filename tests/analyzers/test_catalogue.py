"""The catalogue is what the registered checks are."""

from __future__ import annotations

from analyzers.catalogue import judged_ids, judges
from policy.checks import CHECKS


def test_every_registered_check_is_judged() -> None:
    assert {check.id for check in CHECKS} <= judged_ids()


def test_a_check_without_code_is_not_judged() -> None:
    assert "SEG-99" not in judged_ids()


def test_operations_are_judged_where_the_protocols_operations_are_known() -> None:
    assert judges("SEG-05", "modbus")
    assert not judges("SEG-05", "no-such-service")


def test_other_checks_are_judged_whatever_the_service() -> None:
    assert judges("SEG-02", "modbus") and judges("SEG-02", "")
    assert not judges("SEG-99", "modbus")
