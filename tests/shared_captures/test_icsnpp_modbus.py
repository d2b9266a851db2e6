"""Field by field: what CISA's ICSNPP parser reads from its own Modbus capture, and what we read."""

from __future__ import annotations

from typing import Any, Final

import pytest

from sensors.addresses import address_text
from tests.shared_captures.captures import NAMES, expected, needs_captures, rows, zeek_log

pytestmark = needs_captures

CAPTURE: Final = NAMES[0]

FUNCTIONS: Final = {
    "READ_COILS": 1,
    "READ_DISCRETE_INPUTS": 2,
    "READ_HOLDING_REGISTERS": 3,
    "READ_INPUT_REGISTERS": 4,
    "WRITE_SINGLE_COIL": 5,
    "WRITE_SINGLE_REGISTER": 6,
    "READ_EXCEPTION_STATUS": 7,
    "DIAGNOSTICS": 8,
    "WRITE_MULTIPLE_COILS": 15,
    "WRITE_MULTIPLE_REGISTERS": 16,
    "REPORT_SLAVE_ID": 17,
    "READ_FILE_RECORD": 20,
    "WRITE_FILE_RECORD": 21,
    "MASK_WRITE_REGISTER": 22,
    "READ_WRITE_MULTIPLE_REGISTERS": 23,
    "READ_FIFO_QUEUE": 24,
    "ENCAP_INTERFACE_TRANSPORT": 43,
}
EXCEPTIONS: Final = {"ILLEGAL_DATA_ADDRESS": 2}
DIAGNOSTICS: Final = {"Return Diagnostic Register": 2}
MEI_TYPES: Final = {"Read Device Identification": 14}

READS: Final = (1, 2, 3, 4)
WRITES: Final = (5, 6, 15, 16)

Row = dict[str, Any]


def transactions() -> dict[tuple[int, int], Row]:
    """Our rows by client port and transaction id: no id comes twice in a flow of this capture."""
    ours = rows(CAPTURE, "modbus").to_dicts()
    by_id = {(row["client_port"], row["transaction_id"]): row for row in ours}
    assert len(by_id) == len(ours) == 24
    return by_id


def detailed(log: str = "modbus_detailed.log") -> list[tuple[dict[str, str], Row]]:
    """Each of ICSNPP's rows with our transaction."""
    ours = transactions()
    theirs = zeek_log(expected(CAPTURE, "analyzer.basic", log))
    assert theirs
    return [(row, ours[int(row["id.orig_p"]), int(row["tid"])]) for row in theirs]


def numbers(cell: str) -> list[int]:
    return [] if cell == "-" else [int(value) for value in cell.split(",")]


def test_every_transaction_of_theirs_is_ours_with_its_ends_unit_and_function() -> None:
    for theirs, ours in detailed():
        assert (address_text(ours["client_ip"]), ours["client_port"]) == (
            theirs["id.orig_h"],
            int(theirs["id.orig_p"]),
        )
        assert (address_text(ours["server_ip"]), ours["server_port"]) == (
            theirs["id.resp_h"],
            int(theirs["id.resp_p"]),
        )
        assert (ours["unit"], ours["function"]) == (int(theirs["unit"]), FUNCTIONS[theirs["func"]])
    assert len({(theirs["id.orig_p"], theirs["tid"]) for theirs, _ in detailed()}) == len(transactions())


def test_every_request_is_matched_with_its_response() -> None:
    for theirs, ours in detailed():
        # ICSNPP leaves functions 7 and 17 unmatched, in two rows; the ids in the capture do match.
        assert theirs["matched"] == ("-" if ours["function"] in (7, 17) else "T")
        assert ours["outcome"] == ("answered" if theirs["exception_code"] == "-" else "exception")


def test_addresses_and_quantities() -> None:
    for theirs, ours in detailed():
        if ours["function"] in READS:
            assert (ours["address"], ours["quantity"]) == (int(theirs["address"]), int(theirs["quantity"]))
        elif ours["function"] in WRITES:
            assert (ours["write_address"], ours["write_quantity"]) == (
                int(theirs["address"]),
                int(theirs["quantity"]),
            )
        elif ours["function"] == 22:
            assert ours["write_address"] == int(theirs["address"])
        elif ours["function"] == 24:
            assert ours["address"] == int(theirs["address"])


def test_values_read_and_written() -> None:
    for theirs, ours in detailed():
        if ours["function"] in READS:
            assert ours["values_read"] == numbers(theirs["response_values"])
            assert ours["values_written"] == []
        elif ours["function"] in WRITES:
            assert ours["values_written"] == numbers(theirs["request_values"])
            assert ours["values_read"] == []


def test_exception_codes() -> None:
    found = {
        key: row["exception_code"] for key, row in transactions().items() if row["exception_code"] is not None
    }
    assert found == {
        (int(theirs["id.orig_p"]), int(theirs["tid"])): EXCEPTIONS[theirs["exception_code"]]
        for theirs, _ in detailed()
        if theirs["exception_code"] != "-"
    }


def test_diagnostic_sub_function_and_its_data() -> None:
    ((theirs, ours),) = [pair for pair in detailed() if pair[1]["function"] == 8]
    assert ours["sub_function"] == DIAGNOSTICS[theirs["request_subfunction_code"]]
    assert theirs["request_data"] == theirs["response_data"] == r"\x00\x00"
    assert "0000" in ours["detail"]


def test_mei_type_and_the_objects_that_the_device_names() -> None:
    ((theirs, ours),) = [pair for pair in detailed() if pair[1]["function"] == 43]
    assert ours["sub_function"] == MEI_TYPES[theirs["mei_type"]]
    # The capture's own bytes (frame 94), ASCII: objects 0, 1 and 2.
    for text in ("Zeek Modbus Test", "Protocol Parsing is fun!", "1.2.3.6"):
        assert text in ours["detail"]


@pytest.mark.parametrize("side", ["REQUEST", "RESPONSE"])
def test_mask_write_register(side: str) -> None:
    pairs = [
        pair for pair in detailed("modbus_mask_write_register.log") if pair[0]["request_response"] == side
    ]
    assert len(pairs) == 2
    for theirs, ours in pairs:
        assert (ours["write_address"], ours["and_mask"], ours["or_mask"]) == (
            int(theirs["address"]),
            int(theirs["and_mask"]),
            int(theirs["or_mask"]),
        )


def test_read_write_multiple_registers() -> None:
    pairs = detailed("modbus_read_write_multiple_registers.log")
    assert len(pairs) == 4
    for theirs, ours in pairs:
        if theirs["request_response"] == "REQUEST":
            assert (ours["write_address"], ours["values_written"], ours["address"], ours["quantity"]) == (
                int(theirs["write_start_address"]),
                numbers(theirs["write_registers"]),
                int(theirs["read_start_address"]),
                int(theirs["read_quantity"]),
            )
            assert ours["write_quantity"] == len(ours["values_written"])
        else:
            assert ours["values_read"] == numbers(theirs["read_registers"])


def test_the_order_and_the_exceptions_of_the_plain_modbus_log() -> None:
    theirs = zeek_log(expected(CAPTURE, "analyzer.basic", "modbus.log"))
    ours = rows(CAPTURE, "modbus").to_dicts()
    names = {code: name for name, code in FUNCTIONS.items()}
    assert [(row["2"], int(row["3"]), row["4"], int(row["5"]), row["6"]) for row in theirs] == [
        (
            address_text(row["client_ip"]),
            row["client_port"],
            address_text(row["server_ip"]),
            row["server_port"],
            names[row["function"]] + ("_EXCEPTION" if row["outcome"] == "exception" else ""),
        )
        for row in ours
    ]


def test_the_connections_of_the_conn_log() -> None:
    theirs = zeek_log(expected(CAPTURE, "analyzer.basic", "conn.log"))
    ours = rows(CAPTURE, "flows").sort("first_frame").to_dicts()
    for their, our in zip(theirs, ours, strict=True):
        assert (their["proto"], our["ip_proto"]) == ("tcp", 6)
        assert (address_text(our["client_ip"]), our["client_port"]) == (
            their["id.orig_h"],
            int(their["id.orig_p"]),
        )
        assert (address_text(our["server_ip"]), our["server_port"]) == (
            their["id.resp_h"],
            int(their["id.resp_p"]),
        )
        assert our["service"] == their["service"]
        assert (our["packets_c2s"], our["packets_s2c"]) == (int(their["orig_pkts"]), int(their["resp_pkts"]))
        assert (our["payload_bytes_c2s"], our["payload_bytes_s2c"]) == (
            int(their["orig_bytes"]),
            int(their["resp_bytes"]),
        )
        assert our["gap_bytes_c2s"] + our["gap_bytes_s2c"] == int(their["missed_bytes"])
        assert our["end_reason"] == {"SF": "fin", "OTH": "end_of_capture"}[their["conn_state"]]
        # Zeek's history: S and h are SYN and SYN-ACK seen.
        assert (our["syn_frame"] is not None) == ("S" in their["history"])
        assert (our["syn_ack_frame"] is not None) == ("h" in their["history"])
        # Zeek's duration ends with the last packet that changes the connection's state: never longer than ours.
        seconds = (our["last_ts"] - our["ts"]).total_seconds()
        assert float(their["duration"]) <= seconds < float(their["duration"]) + 1e-5
