"""Modbus/TCP: our transactions beside Wireshark's `mbtcp` and `modbus` layers.

Wireshark dissects each message alone, and matches a response with the latest request of its transaction id.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import Fact, FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Part, Protocol, Row, column, number

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


def _another_request(case: Case) -> str:
    """Which request a response answers, where several of the same id wait."""
    if case.row is None or case.ours is None or case.theirs is None:
        return ""
    if case.facts.of(case.theirs) & (Fact.RETRANSMISSION | Fact.COPY):
        return "ours: Wireshark takes the repeated segment for the request; the first one asked"
    return ""


_COMMON: Final = (
    Field("transaction id", column("transaction_id"), number("mbtcp.trans_id")),
    Field("unit", column("unit"), number("mbtcp.unit_id")),
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

MODBUS: Final = Protocol(
    name="modbus",
    table="modbus",
    services=("modbus",),
    begins="mbtcp",
    layers=("modbus",),
    counted="mbtcp.trans_id",
    decode_as=(
        DecodeAs(
            "modbus",
            (_PORT,),
            lambda ports: ["-o", f"mbtcp.tcp.port:{','.join(map(str, (_PORT, *ports)))}"],
        ),
    ),
    parts=(_REQUEST, _RESPONSE),
    part_of=_part_of,
    our_identity=lambda row, _part: (row["transaction_id"], row["unit"], row["function"]),
    their_identity=_identity,
)
