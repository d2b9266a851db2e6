"""CHG-01: a program or configuration changed outside any window."""

from __future__ import annotations

import pytest

from policy.checks.chg_01 import UnplannedChange
from sensors.records import OPCUA, OPERATIONS
from tests.policy.changing import WINDOWS, found, site
from tests.policy.factories import (
    DRIVE,
    HISTORIAN,
    MINUTE,
    NOON,
    OTHER_DMZ_HOST,
    PLANT_HOST,
    PLC,
    SAFETY_PLC,
    SITE,
    Wire,
    compiled,
    only,
    transaction,
)  # fmt: skip

CHECK = UnplannedChange()
LATER = NOON + 30 * MINUTE


def _operation(kind: str, name: str, *, server: str = PLC, client: str = PLANT_HOST, at: int = LATER) -> Wire:
    wire = Wire()
    flow = wire.flow(client, server, 102)
    wire.add(
        OPERATIONS, flow, ts=at, service="s7comm", operation=name, operation_class=kind, outcome="answered",
        request_frame=7, confidence="structure", object="DB1",
    )  # fmt: skip
    return wire


def _call(
    service: str, *, server: str = PLC, client: str = PLANT_HOST, at: int = LATER, **more: object
) -> Wire:
    wire = Wire()
    flow = wire.flow(client, server, 4840)
    wire.add(
        OPCUA, flow, ts=at, message_type="MSG", service=service, outcome="answered", request_frame=9,
        confidence="structure", security_mode="none", user_kind="anonymous", **more,
    )  # fmt: skip
    return wire


def test_reports_a_program_loaded_outside_its_window() -> None:
    violation = only(found(CHECK, transaction(90, server=DRIVE, at=LATER, frame=5)))
    assert (violation["what"], violation["confirmed"]) == ("modbus.program", True)
    assert violation["examples"][0]["frame"] == 5
    assert "its windows (CHG-1) are at other times" in CHECK.why(site(), violation)


@pytest.mark.parametrize(("at", "fires"), [(NOON - 1, True), (NOON, False), (NOON + 10 * MINUTE, True)])
def test_a_window_begins_with_its_start_and_is_over_at_its_end(at: int, fires: bool) -> None:
    assert found(CHECK, transaction(90, server=DRIVE, at=at)).is_empty() is not fires


def test_reports_a_program_where_there_is_no_window_at_all() -> None:
    violation = only(found(CHECK, transaction(21, server=SAFETY_PLC, at=LATER), mine=site("")))
    assert "no window for it" in CHECK.why(site(""), violation)


def test_a_function_that_is_refused_as_unknown_changes_nothing() -> None:
    probe = transaction(100, server=DRIVE, at=LATER, outcome="exception", exception_code=1)
    assert found(CHECK, probe).is_empty()


def test_a_function_that_a_rule_lists_is_allowed_unless_windows_say_when() -> None:
    listing = SITE.replace("functions: [3, 4, 6, 16, 22, 23]", "functions: [3, 4, 6, 16, 21, 22, 23, 90]")
    planned = WINDOWS.replace("modbus.write", "modbus.program")
    program, recipe = transaction(90, at=LATER), transaction(21, at=LATER)
    assert not found(CHECK, program, mine=compiled()).is_empty()
    assert found(CHECK, program, mine=compiled(listing)).is_empty()
    assert not found(CHECK, program, mine=compiled(listing + planned)).is_empty()
    assert not found(CHECK, recipe, mine=compiled(SITE + planned)).is_empty()
    assert found(CHECK, recipe, mine=compiled(listing + planned)).is_empty()


@pytest.mark.parametrize("kind", ["program", "start", "stop", "restart"])
def test_reports_what_changes_a_controller_by_any_protocol(kind: str) -> None:
    violation = only(found(CHECK, _operation(kind, "change it")))
    assert violation["what"] == f"s7comm.{kind}"
    assert violation["examples"][0]["text"] == "change it DB1, answered"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("program", "start upload"),
        ("program", "upload all"),
        ("read", "read"),
        ("session", "setup"),
        ("configure", "x"),
    ],
)
def test_ignores_what_changes_nothing(kind: str, name: str) -> None:
    assert found(CHECK, _operation(kind, name)).is_empty()


def test_a_write_is_a_change_where_a_window_names_writes_and_no_rule_allows_it() -> None:
    assert only(found(CHECK, transaction(6, at=LATER, address=100)))["what"] == "modbus.write"
    stranger = transaction(6, at=LATER, address=305, client=OTHER_DMZ_HOST)
    assert only(found(CHECK, stranger))["confirmed"]
    # Its rule's range, a device whose windows do not name writes, and the window itself.
    assert found(CHECK, transaction(6, at=LATER, address=305)).is_empty()
    assert found(CHECK, transaction(6, at=LATER, address=100, server=DRIVE)).is_empty()
    assert found(CHECK, transaction(6, at=NOON + 65 * MINUTE, address=100)).is_empty()


def test_within_a_zone_no_rule_could_say_what_is_a_setpoint() -> None:
    assert found(CHECK, transaction(6, at=LATER, address=100, client=PLANT_HOST)).is_empty()


def test_a_write_of_another_protocol_is_a_change_where_a_window_names_it() -> None:
    assert not found(CHECK, _operation("write", "write", server=DRIVE, client=HISTORIAN)).is_empty()
    assert found(CHECK, _operation("write", "write", server=PLC, client=HISTORIAN)).is_empty()
    assert found(CHECK, _operation("write", "write", server=DRIVE, client=PLANT_HOST)).is_empty()


@pytest.mark.parametrize("service", ["AddNodes", "DeleteNodes", "AddReferences", "DeleteReferences"])
def test_reports_nodes_that_come_and_go(service: str) -> None:
    assert only(found(CHECK, _call(service, nodes=["ns=2;s=New"])))["what"] == "opcua.configure"


def test_ignores_other_calls_and_refused_ones_are_attempts() -> None:
    assert found(CHECK, _call("Read")).is_empty()
    assert not only(found(CHECK, _call("AddNodes", operations=1, operations_failed=1)))["confirmed"]


def test_an_opcua_write_is_a_change_where_a_window_names_writes() -> None:
    assert only(found(CHECK, _call("Write", client=HISTORIAN)))["what"] == "opcua.write"
    assert found(CHECK, _call("Write", client=HISTORIAN, server=DRIVE)).is_empty()


def test_who_does_nothing_in_an_open_window_is_outside_it() -> None:
    other = transaction(90, client=OTHER_DMZ_HOST, server=SAFETY_PLC, at=NOON)
    assert only(found(CHECK, other))["what"] == "modbus.program"
    at_work = transaction(90, client=OTHER_DMZ_HOST, server=DRIVE, at=NOON)
    assert found(CHECK, other, at_work).is_empty()
    assert found(CHECK, at_work, other).is_empty()
