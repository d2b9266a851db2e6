"""Modbus that breaks its own rules, and what only looks odd: messages as large as the standard lets them be."""

from __future__ import annotations

from typing import Final

from pymodbus.pdu.bit_message import (
    ReadCoilsRequest,
    ReadCoilsResponse,
    WriteMultipleCoilsRequest,
    WriteMultipleCoilsResponse,
)
from pymodbus.pdu.file_message import FileRecord, WriteFileRecordRequest, WriteFileRecordResponse
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadWriteMultipleRegistersRequest,
    ReadWriteMultipleRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
)

from pcaps.lab.pump_b import NAME, PumpB
from pcaps.lab.scenarios.base import Made, Scenario
from pcaps.lab.scenarios.pump_b.story import Story, Tap, expect, ran, told, undeclared
from pcaps.lab.synth.modbus_script import Script, adu, refused
from pcaps.lab.synth.tally import Said

_NAME: Final = "modbus-malformed"
_TWIN: Final = "modbus-malformed-benign"
_MINUTES: Final = 4
_ILLEGAL_VALUE: Final = 3
_READ: Final = ReadHoldingRegistersRequest(address=0, count=10)
_READ_ANSWER: Final = ReadHoldingRegistersResponse(registers=list(range(10)))
#: One more than the standard lets a request read (V1.1b3, 6.3).
_TOO_MANY: Final = b"\x03\x00\x00\x00\x7e"
#: Two registers, and the bytes of three (6.12).
_WRONG_COUNT: Final = b"\x10\x00\x64\x00\x02\x06\x00\x01\x00\x02\x00\x03"


def _make(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=135)
    site.calm()
    script = Script(site.at(40))
    script.ask(_READ, _READ_ANSWER, then_ms=4_000)
    script.ask(_TOO_MANY, refused(3, _ILLEGAL_VALUE), then_ms=4_000)
    script.ask(_WRONG_COUNT, refused(16, _ILLEGAL_VALUE), then_ms=4_000)
    site.say("visitor", "pump2", script)
    # Each of these on a connection of its own: the controller hears nothing more on it.
    for second, words, functions in (
        # A header that announces, and is followed by, more than the 260 bytes that a message has at most (4.1).
        (70, adu(b"\x10" + bytes(293), 1), ()),
        # A header that announces 6 bytes of the 30 that come: to who trusts it, a request whose values are missing.
        (80, adu(b"\x10\x00\x64\x00\x0b\x16" + bytes(range(1, 24)), 2, length=6), (16,)),
        (90, adu(_READ, 3, protocol_id=0x1234), ()),
        (100, adu(_READ, 4, length=0), ()),
        (120, b"GET /cgi-bin/status HTTP/1.1\r\nHost: 10.220.0.12\r\nUser-Agent: curl/8\r\n\r\n", ()),
        (140, b"SSH-2.0-OpenSSH_9.2\r\n", ()),
    ):
        connection = Script(site.at(second))
        said = tuple(Said(connection.now_ns, function, answered=False) for function in functions)
        connection.utter(words, said=said)
        site.say("visitor", "pump2", connection)
    captured = ran(site)
    tap = Tap(site, captured)
    return told(
        site,
        captured,
        Story(
            _NAME,
            seed,
            "Modbus that breaks its rules",
            """
A laptop in the control room tries what the second pump's controller does with messages that no Modbus client sends. On
one connection, after a good reading, it asks for 126 registers where 125 are the most, and writes two registers with
the bytes of three: both refused. Then one connection each: a message of 301 bytes, a header that announces less than
comes, the protocol identifier 1234, a length of 0, a web page asked for, an SSH greeting. The controller says nothing
to any of these.
""",
            planted=(
                tap.saw(
                    "M11",
                    "visitor",
                    "pump2",
                    8,
                    "126 registers, a byte count that does not fit, 301 bytes, length 6 before 30 bytes, protocol "
                    "identifier 1234, length 0, HTTP and SSH on the Modbus port",
                    seconds=(44, 149),
                ),
                # The last of the services by their alphabet: a conversation is one finding.
                tap.saw(
                    "SEG-04",
                    "visitor",
                    "pump2",
                    7,
                    "seven sessions that the conduit does not allow",
                    service="ssh",
                ),
                tap.appeared("visitor"),
            ),
            expected=(
                undeclared(site, "visitor"),
                expect(
                    site,
                    "SEG-04",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=4,
                    because="medium, one more for an established session",
                    service="ssh",
                ),
                # The message that announces less than comes is two: what is left over is one of its own.
                expect(
                    site,
                    "M11",
                    "visitor",
                    "pump2",
                    conduit="c-room-pumps",
                    severity=4,
                    exactly=9,
                    because="high: no client sends such messages",
                ),
            ),
            truth={
                "modbus_unanswered": 1,
                "anomalies": (
                    "modbus byte_count",
                    "modbus illegal_length",
                    "modbus illegal_quantity",
                    "modbus protocol_id",
                ),
            },
            twin=_TWIN,
        ),
    )


def _make_twin(seed: int) -> Made:
    site = PumpB(seed, _MINUTES, start_minute=140)
    site.calm()
    registers = list(range(125))
    script = Script(site.at(40))
    read = ReadHoldingRegistersResponse(registers=registers)
    script.ask(ReadHoldingRegistersRequest(address=0, count=125), read, then_ms=10_000)
    script.ask(
        ReadCoilsRequest(address=0, count=2_000),
        ReadCoilsResponse(bits=[True, False] * 1_000),
        then_ms=10_000,
    )
    script.ask(
        WriteMultipleRegistersRequest(address=100, registers=registers[:123]),
        WriteMultipleRegistersResponse(address=100, count=123),
        then_ms=10_000,
    )
    script.ask(
        WriteMultipleCoilsRequest(address=0, bits=[True, False] * 984),
        WriteMultipleCoilsResponse(address=0, count=1_968),
        then_ms=10_000,
    )
    script.ask(
        ReadWriteMultipleRegistersRequest(
            read_address=0, read_count=125, write_address=200, write_registers=registers[:121]
        ),
        ReadWriteMultipleRegistersResponse(registers=registers),
        then_ms=10_000,
    )
    # 253 bytes of function and data, 260 with the header: the largest that there is (V1.1b3, 4.1).
    record = FileRecord(file_number=4, record_number=7, record_data=bytes(range(244)))
    script.ask(WriteFileRecordRequest([record]), WriteFileRecordResponse([record]), then_ms=10_000)
    site.say("ews2", "pump2", script)
    return told(
        site,
        ran(site),
        Story(
            _TWIN,
            seed,
            "Modbus at its limits",
            """
The engineering station, which may, says the largest things that Modbus has: 125 registers and 2,000 coils read, 123
registers and 1,968 coils written, 125 read and 121 written in one, a file record of 122 registers, whose message has
260 bytes with its header. One more of any of them would break the standard; none of them does.
""",
            truth={"largest_message_bytes": 260},
            twin_of=_NAME,
        ),
    )


SCENARIOS: Final = (
    Scenario(_NAME, 20_261_209, _make, site=NAME),
    Scenario(_TWIN, 20_261_210, _make_twin, site=NAME),
)
