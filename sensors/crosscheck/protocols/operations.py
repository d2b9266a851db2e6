"""S7comm, DNP3 and BACnet: our requests and answers beside Wireshark's."""

from __future__ import annotations

from typing import Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import FrameFacts
from sensors.crosscheck.mapping import DecodeAs, Field, Protocol, column, number, ports
from sensors.crosscheck.protocols.enip import ENIP
from sensors.crosscheck.protocols.iec104 import IEC104
from sensors.crosscheck.protocols.operation import has_failed, named, operation

#: Jobs of S7comm and their functions; start, stop and program services share numbers.
_S7_JOBS: Final = {
    0xF0: "set up communication",
    0x04: "read variables",
    0x05: "write variables",
    0x1A: "request download",
    0x1B: "download block",
    0x1C: "download ended",
    0x1D: "start upload",
    0x1E: "upload",
    0x1F: "end upload",
    0x29: "stop",
}

_S7_PARTS: Final = {1: "request", 2: "response", 3: "response"}


def _s7_part(message: Message, _: FrameFacts) -> str:
    kind = message.number("s7comm.header.rosctr")
    if kind == 7:
        # User data: what is neither asked nor answered is told.
        return {4: "request", 8: "response"}.get(message.number("s7comm.param.userdata.type") or 0, "")
    return _S7_PARTS.get(kind or 0, "")


def _s7_refused(message: Message) -> bool | None:
    """Whether the answer's header has an error, or an item another return code than success."""
    if message.number("s7comm.header.rosctr") not in (2, 3):
        return None
    header = (message.number("s7comm.header.errcls") or 0) | (message.number("s7comm.header.errcod") or 0)
    codes = message.numbers("s7comm.data.returncode")
    return bool(header) or any(code not in (0, 0xFF) for code in codes)


S7COMM: Final = operation(
    "s7comm",
    begins="s7comm",
    counted="s7comm.header.rosctr",
    decode_as=(DecodeAs("s7comm", (102,), ports("tpkt")),),
    part_of=_s7_part,
    request=(
        Field("operation", column("operation"), named(_S7_JOBS, "s7comm.param.func")),
        Field(
            "items",
            lambda row: row["quantity"] if row["operation"].endswith("variables") else None,
            lambda m: m.number("s7comm.param.itemcount") if m.number("s7comm.header.rosctr") == 1 else None,
        ),
    ),
    response=(Field("refused", has_failed, _s7_refused),),
)

#: Functions of DNP3 (IEEE 1815, 4.4).
_DNP3_FUNCTIONS: Final = {
    1: "read",
    2: "write",
    3: "select",
    4: "operate",
    5: "direct operate",
    7: "freeze",
    9: "freeze and clear",
    13: "cold restart",
    14: "warm restart",
    17: "start application",
    18: "stop application",
    19: "save configuration",
    20: "enable unsolicited responses",
    21: "disable unsolicited responses",
    22: "assign class",
    23: "measure delay",
    25: "open file",
    26: "close file",
    27: "delete file",
    29: "authenticate file",
}
#: Requests that want no answer, and what is told unasked (4.4.5 and others).
_DNP3_ONE_WAY: Final = (0, 6, 8, 10, 12)
_RESPONSE, _UNSOLICITED = 129, 130
_TO_ALL: Final = 0xFFFD
#: Internal indications that refuse (4.5.2): function not supported, object unknown, parameter error.
_REFUSING: Final = 0x07


def _dnp3_part(message: Message, _: FrameFacts) -> str:
    function = message.number("dnp3.al.func")
    if function is None or function in (*_DNP3_ONE_WAY, _UNSOLICITED):
        return ""
    if function == _RESPONSE:
        return "response" if message.number("dnp3.al.fir") else ""
    return "" if (message.number("dnp3.dst") or 0) >= _TO_ALL else "request"


def _dnp3_refused(message: Message) -> bool | None:
    indications = message.number("dnp3.al.iin")
    if indications is None:
        return None
    return bool(indications & _REFUSING) or any(message.numbers("dnp3.al.ctrlstatus"))


DNP3: Final = operation(
    "dnp3",
    begins="dnp3",
    counted="dnp3.al.func",
    decode_as=(DecodeAs("dnp3", (20_000,), ports("dnp3")),),
    part_of=_dnp3_part,
    request=(
        Field("operation", column("operation"), named(_DNP3_FUNCTIONS, "dnp3.al.func")),
        Field("master", lambda row: int(row["client_station"]), number("dnp3.src")),
        Field("outstation", lambda row: int(row["server_station"]), number("dnp3.dst")),
    ),
    response=(
        Field("refused", has_failed, _dnp3_refused),
        Field("master", lambda row: int(row["client_station"]), number("dnp3.dst")),
        Field("outstation", lambda row: int(row["server_station"]), number("dnp3.src")),
    ),
)

#: Confirmed services of BACnet (ASHRAE 135, 21).
_BACNET_SERVICES: Final = {
    1: "change of value",
    2: "event",
    5: "subscribe to changes",
    6: "read file",
    7: "write file",
    12: "read property",
    14: "read properties",
    15: "write property",
    16: "write properties",
    17: "device communication control",
    20: "reinitialize device",
    26: "read range",
    28: "subscribe to changes of a property",
}
_ERROR, _REJECT = 5, 6
#: Types of data units: requests, and what ends them.
_BACNET_PARTS: Final = {
    0: "request",
    2: "response",
    3: "response",
    _ERROR: "response",
    _REJECT: "response",
    7: "response",
}


def _bacnet_part(message: Message, _: FrameFacts) -> str:
    # Of a message in segments the first one counts.
    if message.number("bacapp.sequence_number"):
        return ""
    kind = message.number("bacapp.type")
    return "" if kind is None else _BACNET_PARTS.get(kind, "")


def _bacnet_error(message: Message) -> int | None:
    kind = message.number("bacapp.type")
    if kind == _ERROR:
        return message.number("bacapp.error_code")
    return message.number("bacapp.reject_reason") if kind == _REJECT else None


def _bacnet_refused(message: Message) -> bool:
    return (message.number("bacapp.type") or 0) >= _ERROR


BACNET: Final = operation(
    "bacnet",
    begins="bacapp",
    counted="bacapp.type",
    decode_as=(DecodeAs("bacnet", (47_808,), ports("bvlc", "udp"), 17),),
    part_of=_bacnet_part,
    request=(Field("operation", column("operation"), named(_BACNET_SERVICES, "bacapp.confirmed_service")),),
    response=(
        Field("refused", has_failed, _bacnet_refused),
        Field("error code", column("error_code"), _bacnet_error),
    ),
)

OPERATIONS: Final[tuple[Protocol, ...]] = (S7COMM, DNP3, BACNET, IEC104, ENIP)
