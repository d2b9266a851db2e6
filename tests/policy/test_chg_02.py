"""CHG-02: a change in a window, and out of its scope."""

from __future__ import annotations

from policy.checks.chg_02 import OutOfScope
from tests.policy.changing import found, site
from tests.policy.factories import DRIVE, MINUTE, NOON, OTHER_DMZ_HOST, PLC, SAFETY_PLC, only, transaction

CHECK = OutOfScope()
PLANNED = transaction(90, client=OTHER_DMZ_HOST, server=DRIVE, at=NOON)


def test_reports_another_device_by_who_works_in_the_window() -> None:
    beside = transaction(90, client=OTHER_DMZ_HOST, server=SAFETY_PLC, at=NOON + MINUTE)
    for order in ((PLANNED, beside), (beside, PLANNED)):
        violation = only(found(CHECK, *order))
        assert violation["what"] == "CHG-1: modbus.program"
        assert "Change CHG-1 is for vsd1 and modbus.program, s7comm.write" in CHECK.why(site(), violation)


def test_who_does_nothing_in_the_window_is_not_out_of_its_scope() -> None:
    alone = transaction(90, client=OTHER_DMZ_HOST, server=SAFETY_PLC, at=NOON + MINUTE)
    other = transaction(90, client="10.35.0.98", server=DRIVE, at=NOON)
    assert found(CHECK, alone, other).is_empty()


def test_reports_another_operation_at_a_device_of_the_window() -> None:
    program = transaction(90, server=PLC, at=NOON + 61 * MINUTE)
    assert only(found(CHECK, program))["what"] == "CHG-2: modbus.program"


def test_ignores_what_the_window_is_for_and_what_is_outside_it() -> None:
    assert found(CHECK, PLANNED).is_empty()
    assert found(CHECK, transaction(90, server=PLC, at=NOON + 71 * MINUTE)).is_empty()
    assert found(CHECK, transaction(6, server=PLC, at=NOON + 61 * MINUTE, address=100)).is_empty()
