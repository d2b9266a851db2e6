"""SEG-05: an operation the rule does not allow. Rule r1: unit 1; read 0–199; write 300–309 and 310–319."""

from __future__ import annotations

from typing import Any

import pytest

from policy.checks.seg_05 import OperationNotAllowed
from tests.policy.factories import HISTORIAN, PLC, SITE, Wire, compiled, conversation, only, transaction

CHECK = OperationNotAllowed()
MINE = compiled()


def _found(wire: Wire, site: str = SITE) -> dict[str, Any] | None:
    mine = compiled(site)
    violations = CHECK.violations(mine, wire.judged(mine))
    return None if violations.is_empty() else only(violations)


@pytest.mark.parametrize(
    ("address", "quantity"), [(0, 1), (0, 125), (0, 200), (199, 1), (100, 100)], ids=lambda v: str(v)
)
def test_ignores_reads_within_the_range(address: int, quantity: int) -> None:
    assert _found(transaction(3, address=address, quantity=quantity)) is None


@pytest.mark.parametrize(("address", "quantity"), [(0, 201), (199, 2), (200, 1), (65_535, 1)])
def test_reports_reads_past_the_last_address(address: int, quantity: int) -> None:
    found = _found(transaction(3, address=address, quantity=quantity))
    assert found is not None
    assert found["operation"] == "modbus.read"
    assert not found["confirmed"]


def test_reports_a_read_before_the_first_address() -> None:
    site = SITE.replace("read: [[0, 199]]", "read: [[10, 199]]")
    assert _found(transaction(3, address=9, quantity=2), site) is not None
    assert _found(transaction(3, address=10, quantity=2), site) is None


@pytest.mark.parametrize(("address", "quantity"), [(300, 1), (300, 20), (319, 1), (305, 10)])
def test_ignores_writes_within_ranges_that_touch(address: int, quantity: int) -> None:
    assert _found(transaction(16, write_address=address, write_quantity=quantity)) is None


@pytest.mark.parametrize(("address", "quantity"), [(299, 1), (299, 2), (319, 2), (320, 1), (100, 4)])
def test_reports_writes_outside(address: int, quantity: int) -> None:
    found = _found(transaction(16, write_address=address, write_quantity=quantity))
    assert found is not None
    assert found["operation"] == "modbus.write"
    assert found["confirmed"]


def test_says_what_was_written_and_what_the_rule_allows() -> None:
    wire = transaction(16, write_address=100, write_quantity=4, values_written=[1, 2, 3, 4], frame=7)
    found = _found(wire)
    assert found is not None
    example = found["examples"][0]
    assert (
        example["text"]
        == "Write Multiple Registers (16) unit 1, addresses 100–103, values 1, 2, 3, 4, confirmed"
    )
    assert example["frame"] == 7
    assert example["nearest"] == "r1: only writing addresses 300–319"
    why = CHECK.why(MINE, found)
    assert "c-hist" in why and "Concentrator (plant)" in why and "300–319" in why


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("exception", "refused with exception 2"),
        ("unanswered", "unanswered"),
        ("pending", "response not seen before the capture ended"),
    ],
)
def test_a_write_that_is_not_confirmed_is_attempted(outcome: str, words: str) -> None:
    more: dict[str, Any] = {"exception_code": 2} if outcome == "exception" else {}
    found = _found(transaction(6, write_address=100, write_quantity=1, outcome=outcome, **more))
    assert found is not None
    assert not found["confirmed"]
    assert words in found["examples"][0]["text"]


def test_reports_another_unit_and_ignores_the_allowed_one() -> None:
    assert _found(transaction(3, address=0, quantity=1, unit=2)) is not None
    assert _found(transaction(3, address=0, quantity=1, unit=1)) is None


def test_reports_another_function() -> None:
    found = _found(transaction(15, write_address=300, write_quantity=1))
    assert found is not None
    assert found["examples"][0]["nearest"] == "r1: only functions 3, 4, 6, 16, 22, 23"


def test_a_private_function_that_was_answered_is_confirmed() -> None:
    # Function 90 programs controllers of one vendor: what is not known cannot be called a read.
    found = _found(transaction(90, detail="0014"))
    assert found is not None
    assert found["confirmed"]


def test_function_23_is_allowed_where_both_parts_are() -> None:
    assert _found(transaction(23, address=0, quantity=200, write_address=300, write_quantity=20)) is None


def test_function_23_is_reported_for_its_write_part() -> None:
    found = _found(transaction(23, address=0, quantity=10, write_address=299, write_quantity=2))
    assert found is not None
    assert (found["operation"], found["confirmed"]) == ("modbus.write", True)
    assert "reads addresses 0–9, writes addresses 299–300" in found["examples"][0]["text"]


def test_function_23_is_reported_for_its_read_part_as_a_read() -> None:
    found = _found(transaction(23, address=191, quantity=10, write_address=300, write_quantity=1))
    assert found is not None
    assert (found["operation"], found["confirmed"]) == ("modbus.read", False)


@pytest.mark.parametrize(("address", "fires"), [(299, True), (300, False), (319, False), (320, True)])
def test_function_22_writes_one_register(address: int, fires: bool) -> None:
    found = _found(transaction(22, write_address=address, and_mask=0xF2, or_mask=0x25))
    assert (found is not None) == fires
    if found:
        assert "AND mask 242, OR mask 37" in found["examples"][0]["text"]


def test_ranges_of_two_rules_do_not_add_up() -> None:
    two = SITE + ""
    two = two.replace(
        "- id: c-office",
        "  - {id: r5, src: [hist1], dst: [plc1], service: modbus, port: 502, functions: [3], read: [[200, 299]]}\n"
        "- id: c-office",
    )
    assert _found(transaction(3, address=250, quantity=10), two) is None
    assert _found(transaction(3, address=190, quantity=20), two) is not None


def test_any_allowing_rule_is_enough() -> None:
    wide = SITE.replace(
        "- id: c-office",
        "  - {id: r5, src: [hist1], dst: [plc1], service: modbus, port: 502}\n- id: c-office",
    )
    assert _found(transaction(16, write_address=0, write_quantity=1), wide) is None


def test_an_empty_list_allows_nothing() -> None:
    site = SITE.replace("write: [[300, 309], [310, 319]]", "write: []")
    found = _found(transaction(16, write_address=300, write_quantity=1), site)
    assert found is not None
    assert found["examples"][0]["nearest"] == "r1: only writing nothing"


def test_limits_without_functions_do_not_allow_private_functions() -> None:
    site = SITE.replace("functions: [3, 4, 6, 16, 22, 23], ", "")
    assert _found(transaction(90), site) is not None
    assert _found(transaction(3, address=0, quantity=1), site) is None


def test_a_file_record_is_never_within_a_range_of_registers() -> None:
    site = SITE.replace("functions: [3, 4, 6, 16, 22, 23], ", "")
    assert _found(transaction(20), site) is not None


def test_an_orphan_response_is_not_judged_by_addresses_it_does_not_carry() -> None:
    assert _found(transaction(3, outcome="orphan")) is None


def test_an_orphan_response_of_a_forbidden_function_has_less_confidence() -> None:
    found = _found(transaction(15, outcome="orphan", write_address=0, write_quantity=1))
    assert found is not None
    assert (found["confidence_rank"], found["confirmed"]) == (2, False)


@pytest.mark.parametrize(
    ("more", "rank"),
    [({}, 3), ({"after_gap": True}, 2), ({"role_source": "protocol"}, 2), ({"role_source": "port"}, 1)],
)
def test_a_poor_capture_lowers_confidence_and_nothing_else(more: dict[str, Any], rank: int) -> None:
    found = _found(transaction(16, write_address=100, write_quantity=1, **more))
    assert found is not None
    assert (found["confidence_rank"], found["confirmed"]) == (rank, True)


def test_ignores_modbus_inside_a_zone() -> None:
    assert _found(transaction(16, client="10.20.0.77", server=PLC, write_address=0, write_quantity=1)) is None


def test_many_repeats_are_one_violation_with_bounded_examples() -> None:
    wire = conversation(HISTORIAN, PLC, service="modbus", confidence="structure")
    for number in range(100):
        wire.modbus(1, 6, write_address=number, write_quantity=1, frame=2 * number + 1)
    found = _found(wire)
    assert found is not None
    assert (found["count"], len(found["examples"])) == (100, 16)
