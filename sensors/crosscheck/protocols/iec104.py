"""IEC 60870-5-104: our commands and their confirmations beside Wireshark's `iec60870_104` and `iec60870_asdu`.

Values that a station tells by itself are counted by the minute, and have no row for each message.
"""

from __future__ import annotations

from typing import Final

from sensors.crosscheck.dissection import Message
from sensors.crosscheck.facts import FrameFacts
from sensors.crosscheck.mapping import Case, DecodeAs, Field, Row, column, number, ports
from sensors.crosscheck.protocols.operation import has_failed, operation

#: Unnumbered control functions, as bits of the first octet (60870-5-104, 5.1): who asks, and who confirms.
_CONTROLS: Final = {
    0x01: ("request", "start data transfer"),
    0x02: ("response", "start data transfer"),
    0x04: ("request", "stop data transfer"),
    0x08: ("response", "stop data transfer"),
}

#: Types of a station that is controlled, with and without a time tag (60870-5-101, 7.2.1; 60870-5-104, 8).
_TYPES: Final = {
    45: "single command",
    46: "double command",
    47: "regulating step command",
    48: "set point, normalized",
    49: "set point, scaled",
    50: "set point, short float",
    51: "bit string command",
    58: "single command",
    59: "double command",
    60: "regulating step command",
    61: "set point, normalized",
    62: "set point, scaled",
    63: "set point, short float",
    64: "bit string command",
    100: "interrogation",
    101: "counter interrogation",
    102: "read",
    103: "clock synchronization",
    104: "test command",
    105: "reset process",
    106: "delay acquisition",
    107: "test command",
    110: "parameter, normalized",
    111: "parameter, scaled",
    112: "parameter, short float",
    113: "parameter activation",
}
_READ: Final = 102

#: Causes of transmission (60870-5-101, 7.2.3).
_REQUESTED, _ACTIVATION, _ACTIVATED, _DEACTIVATION, _DEACTIVATED = 5, 6, 7, 8, 9
_CAUSES: Final = {_REQUESTED: "requested", _ACTIVATION: "activation", _DEACTIVATION: "deactivation"}
_UNKNOWN: Final = {44: "unknown type", 45: "unknown cause", 46: "unknown station", 47: "unknown point"}

_TO_ALL: Final = "station 65535"

#: Points of one message that we name.
_POINTS: Final = 8


def _is_value(kind: int) -> bool:
    """Types by which a station tells values."""
    return kind <= 40 or kind == 70


def _part_of(message: Message, _: FrameFacts) -> str:
    control = message.number("iec60870_104.utype")
    if control is not None:
        return _CONTROLS.get(control, ("", ""))[0]
    kind, cause = message.number("iec60870_asdu.typeid"), message.number("iec60870_asdu.causetx")
    if kind is None or cause is None:
        return ""
    if _is_value(kind):
        return "response" if cause == _REQUESTED else ""
    if cause in (_ACTIVATION, _DEACTIVATION) or (kind == _READ and cause == _REQUESTED):
        return "request"
    if cause in _UNKNOWN:
        return "response"
    if cause not in (_ACTIVATED, _DEACTIVATED):
        return ""
    # Some stations confirm a read before they answer it.
    is_before = kind == _READ and not message.number("iec60870_asdu.nega")
    return "" if is_before else "response"


def _operation(message: Message) -> str | None:
    control = message.number("iec60870_104.utype")
    if control is not None:
        return _CONTROLS[control][1]
    kind = message.number("iec60870_asdu.typeid") or 0
    # A value that answers is the answer to a read.
    return "read" if _is_value(kind) else _TYPES.get(kind)


def _point(message: Message) -> str | None:
    points = [str(point) for point in message.numbers("iec60870_asdu.ioa")]
    if not points:
        return None
    return f"point {', '.join(points[:_POINTS])}{'…' if len(points) > _POINTS else ''}"


def _station(message: Message) -> str | None:
    address = message.number("iec60870_asdu.addr")
    return None if address is None else f"station {address}"


def _cause(message: Message) -> str | None:
    return _CAUSES.get(message.number("iec60870_asdu.causetx") or 0)


def _asked_because(row: Row) -> str:
    """The cause of the request, without flags and what became of it."""
    return str(row["detail"]).partition(" -> ")[0].partition(", ")[0]


def _refused(message: Message) -> bool | None:
    cause = message.number("iec60870_asdu.causetx")
    return None if cause is None else cause in _UNKNOWN or bool(message.number("iec60870_asdu.nega"))


def _error(message: Message) -> int | None:
    """What we keep of a refusal: its cause."""
    return message.number("iec60870_asdu.causetx") if _refused(message) else None


#: States of single and double points and commands; 0 and 3 of a double one are neither (60870-5-101, 7.2.6).
_SINGLE: Final = ("off", "on")
_DOUBLE: Final = ("intermediate", "off", "on", "indeterminate")
_STEP: Final = ("not permitted", "lower", "higher", "not permitted")
_STATES: Final = (
    ("iec60870_asdu.sco.on", _SINGLE, "iec60870_asdu.sco.se"),
    ("iec60870_asdu.dco.on", _DOUBLE, "iec60870_asdu.dco.se"),
    ("iec60870_asdu.rco.up", _STEP, "iec60870_asdu.rco.se"),
    ("iec60870_asdu.siq.spi", _SINGLE, ""),
    ("iec60870_asdu.diq.dpi", _DOUBLE, ""),
)


def _state(message: Message) -> str | None:
    """A state, with the word for a command that only selects."""
    for name, states, selects in _STATES:
        if (found := message.number(name)) is not None:
            return f"{'select ' if selects and message.number(selects) else ''}{states[found]}"
    return None


def _measured(message: Message) -> float | None:
    """A number that is set or told: what Wireshark rounds to nine digits."""
    for name in ("float", "normval", "scalval"):
        if (text := message.text(f"iec60870_asdu.{name}")) is not None:
            return _rounded(float(text))
    return None


def _rounded(value: float) -> float:
    return float(f"{value:.6g}")


def _our_measured(row: Row) -> float | None:
    try:
        return _rounded(float(str(row["value"]).removeprefix("select ")))
    except ValueError:
        return None


def _is_answered_read(row: Row) -> bool:
    return bool(row["operation"] == "read" and row["outcome"] == "answered")


def _names_station(row: Row) -> bool:
    """Asked of all stations, each answers with its own address."""
    return bool(row["server_station"] != _TO_ALL)


def _counted(case: Case) -> str:
    if case.row is None and case.message is not None and case.ours is None:
        kind = case.message.number("iec60870_asdu.typeid")
        if kind is not None and _is_value(kind):
            return "ours: a value that nobody was seen to ask for is counted by the minute"
    return ""


_OPERATION: Final = Field("operation", column("operation"), _operation)
_POINT: Final = Field("point", lambda row: row["object"] or None, _point)
_OBJECTS: Final = Field("objects", column("quantity"), number("iec60870_asdu.numix"))

IEC104: Final = operation(
    "iec104",
    begins="iec60870_104",
    layers=("iec60870_asdu",),
    counted="iec60870_104.type",
    decode_as=(DecodeAs("iec104", (2_404,), ports("iec60870_104")),),
    part_of=_part_of,
    identity=(lambda row, _: row["operation"], _operation),
    because=(_counted,),
    request=(
        _OPERATION,
        Field("cause", _asked_because, _cause),
        Field("station", column("server_station"), _station),
        _POINT,
        _OBJECTS,
        Field("state", column("value"), _state),
        Field("number", _our_measured, _measured),
    ),
    response=(
        _OPERATION,
        Field("refused", has_failed, _refused),
        Field("error code", column("error_code"), _error),
        Field("station", column("server_station"), _station, when=_names_station),
        _POINT,
        _OBJECTS,
        Field("state", column("value"), _state, when=_is_answered_read),
        Field("number", _our_measured, _measured, when=_is_answered_read),
    ),
)
