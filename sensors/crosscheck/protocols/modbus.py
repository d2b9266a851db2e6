"""Modbus: our transactions beside Wireshark's `modbus` layer, behind the header of TCP or UDP, or in serial units.

Wireshark dissects each message alone, and matches a response with the latest request of its transaction id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import Fact, FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Part, Protocol, Row, column, number, ports

_PORT: Final = 502
#: Bytes of the MBAP header before those that its length counts.
_HEADER: Final = 6
#: Values that our columns keep.
_VALUES_KEPT: Final = 128

_READS: Final = (1, 2, 3, 4)
_WRITES: Final = (5, 6, 15, 16)


def _of(functions: tuple[int, ...], value: Callable[[Message], Any]) -> Callable[[Message], Any]:
    """A value of Wireshark's that means the same as ours only in some functions."""
    return lambda message: value(message) if message.number("modbus.func_code") in functions else None


def _either(*names: str) -> Callable[[Message], int | None]:
    """The first of some fields that is there."""
    return lambda message: next(
        (found for name in names if (found := message.number(name)) is not None), None
    )


def _length(message: Message) -> int | None:
    counted = message.number("mbtcp.len")
    return None if counted is None else counted + _HEADER


def _words(octets: bytes | None) -> list[int] | None:
    if octets is None:
        return None
    return [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2)][:_VALUES_KEPT]


def _written(message: Message) -> list[int] | None:
    """The values of a write request."""
    octets = message.octets("modbus.data")
    match message.number("modbus.func_code"):
        case 5 if octets:
            # FF00 is on, 0000 off (MODBUS Application Protocol V1.1b3, 6.5).
            return [int(octets == b"\xff\x00")]
        case 6 | 23:
            return _words(octets)
        case 15 if octets:
            quantity = message.number("modbus.bit_cnt") or 0
            bits = [octet >> bit & 1 for octet in octets for bit in range(8)]
            return bits[: min(quantity, _VALUES_KEPT)]
        case 16:
            return message.numbers("modbus.regval_uint16")[:_VALUES_KEPT]
    return None


def _read(message: Message) -> list[int] | None:
    """The values of a read response."""
    if message.number("modbus.exception_code") is not None:
        return None
    match message.number("modbus.func_code"):
        case 1 | 2:
            return message.numbers("modbus.bitval")[:_VALUES_KEPT]
        case 3 | 4:
            return message.numbers("modbus.regval_uint16")[:_VALUES_KEPT]
        case 23:
            return _words(message.octets("modbus.data"))
    return None


def _part_of(message: Message, facts: FrameFacts) -> str:
    """Request or response, as Wireshark has it: by the port, and by who matched whom."""
    if not message.names & {"modbus.func_code", "modbus.exception_code"}:
        return ""
    source, target = facts.ports(message.frame)
    if source == _PORT and target != _PORT:
        return "response"
    if target == _PORT and source != _PORT:
        return "request"
    matched = message.names & {"modbus.request_frame", "modbus.exception_code"}
    return "response" if matched else "request"


def _identity(message: Message) -> object:
    return tuple(message.number(name) for name in ("mbtcp.trans_id", "mbtcp.unit_id", "modbus.func_code"))


def _serial_identity(message: Message) -> object:
    return tuple(message.number(name) for name in ("mbrtu.unit_id", "modbus.func_code"))


def _serial_part_of(message: Message, _: FrameFacts) -> str:
    """As Wireshark tells a serial unit by itself: whether it matched it to a request."""
    if not message.names & {"modbus.func_code", "modbus.exception_code"}:
        return ""
    return "response" if message.names & {"modbus.request_frame", "modbus.exception_code"} else "request"


def _another_request(case: Case) -> str:
    """Which request a response answers, where several of the same id wait."""
    if case.row is None or case.ours is None or case.theirs is None:
        return ""
    if case.facts.of(case.theirs) & (Fact.RETRANSMISSION | Fact.COPY):
        return "ours: Wireshark takes the repeated segment for the request; the first one asked"
    return ""


def _elsewhere(case: Case) -> str:
    """Wireshark tells requests from responses over UDP by port 502 alone."""
    if (case.ours, case.theirs) != ("response", "request") or _PORT in case.facts.ports(case.frame):
        return ""
    return "ours: an answer; Wireshark takes what comes over UDP on another port than 502 for requests"


_COMMON: Final = (
    Field("transaction id", column("transaction_id"), number("mbtcp.trans_id")),
    Field("unit", column("unit"), _either("mbtcp.unit_id", "mbrtu.unit_id")),
    Field("function", column("function"), number("modbus.func_code")),
)

_REQUEST: Final = Part(
    "request",
    "request_frame",
    (
        *_COMMON,
        Field("length", column("request_bytes"), _length),
        Field("address", column("address"), _of((*_READS, 24), number("modbus.reference_num"))),
        Field("address read", column("address"), _of((23,), number("modbus.read_reference_num"))),
        Field(
            "address written",
            column("write_address"),
            _of((*_WRITES, 22, 23), _either("modbus.write_reference_num", "modbus.reference_num")),
        ),
        Field("quantity", column("quantity"), _of(_READS, _either("modbus.bit_cnt", "modbus.word_cnt"))),
        Field("quantity read", column("quantity"), _of((23,), number("modbus.read_word_cnt"))),
        Field(
            "quantity written",
            column("write_quantity"),
            _of((15, 16, 23), _either("modbus.write_word_cnt", "modbus.bit_cnt", "modbus.word_cnt")),
        ),
        Field("values written", column("values_written"), _written),
        Field(
            "sub-function", column("sub_function"), _either("modbus.diagnostic_code", "modbus.mei"), both=True
        ),
        Field("AND mask", column("and_mask"), number("modbus.and_mask"), both=True),
        Field("OR mask", column("or_mask"), number("modbus.or_mask"), both=True),
    ),
)


def _echoed(row: Row) -> Any:
    """The address that a response repeats."""
    return row["write_address"]


_RESPONSE: Final = Part(
    "response",
    "response_frame",
    (
        *_COMMON,
        Field("length", column("response_bytes"), _length),
        Field("exception code", column("exception_code"), number("modbus.exception_code"), both=True),
        Field("values read", column("values_read"), _read),
        Field("address written", _echoed, _of(_WRITES, number("modbus.reference_num"))),
        Field("its request", column("request_frame"), number("modbus.request_frame"), (_another_request,)),
        Field(
            "response time",
            column("latency_ns"),
            lambda message: message.nanoseconds("modbus.response_time"),
            (_another_request,),
        ),
    ),
)


def _with_header(name: str, begins: str, counted: str, framing: str, decode_as: DecodeAs) -> Protocol:
    """Units with the header of Modbus/TCP, over one transport; each counts a field of that header of its own."""
    return Protocol(
        name=name,
        table="modbus",
        services=("modbus",),
        begins=begins,
        layers=("modbus",),
        counted=counted,
        decode_as=(decode_as,),
        parts=(_REQUEST, _RESPONSE),
        part_of=_part_of,
        our_identity=lambda row, _part: (row["transaction_id"], row["unit"], row["function"]),
        their_identity=_identity,
        takes=lambda row: bool(row["framing"] == framing),
        because=(_elsewhere,) if framing == "udp" else (),
        carrier="framing",
    )


MODBUS: Final = _with_header(
    "modbus",
    "mbtcp",
    "mbtcp.trans_id",
    "tcp",
    DecodeAs(
        "modbus",
        (_PORT,),
        lambda ports: ["-o", f"mbtcp.tcp.port:{','.join(map(str, (_PORT, *ports)))}"],
        carried="tcp",
    ),
)

MODBUS_UDP: Final = _with_header(
    "modbus-udp",
    "mbudp",
    "mbtcp.len",
    "udp",
    DecodeAs(
        "modbus",
        (_PORT,),
        ports("mbudp", "udp"),
        17,
        carried="udp",
    ),
)

MODBUS_RTU: Final = Protocol(
    name="modbus-rtu",
    table="modbus",
    services=("modbus-rtu",),
    begins="mbrtu",
    layers=("modbus",),
    counted="mbrtu.unit_id",
    decode_as=(
        DecodeAs(
            "modbus-rtu",
            (),
            # The port tells it requests from responses.
            lambda ports: [
                "-o",
                f"mbrtu.tcp.port:{','.join(map(str, ports))}",
                *(part for port in ports for part in ("-d", f"tcp.port=={port},mbrtu")),
            ],
            carried="rtu_over_tcp",
        ),
        DecodeAs(
            "modbus-rtu",
            (),
            ports("mbrtu", "udp"),
            17,
            carried="rtu_over_udp",
        ),
    ),
    parts=(_REQUEST, _RESPONSE),
    part_of=_serial_part_of,
    our_identity=lambda row, _part: (row["unit"], row["function"]),
    their_identity=_serial_identity,
    takes=lambda row: row["framing"] in ("rtu_over_tcp", "rtu_over_udp"),
    carrier="framing",
)
