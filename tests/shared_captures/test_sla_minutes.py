"""Requests and their times in other people's captures: what Wireshark's dissectors show, paired here anew."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers.sketch import added, percentile
from tests.shared_captures.captures import FOLDER, NAMES, needs_captures
from tests.shared_captures.estimators import sla_minutes as measured
from tests.support.wireshark import TSHARK, wireshark_fields

pytestmark = [needs_captures, pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")]

_OPCUA_CLEAR, _OPCUA_ENCRYPTED = NAMES[3], NAMES[4]
_MQTT = NAMES[6:10]
#: OPC 10000-6, A.3: PublishRequest and PublishResponse.
_PUBLISH = {"826", "829"}
#: MQTT 5, 2.1.2: what each packet is answered by; a publication by its QoS.
_ANSWERS = {"1": ("2",), "3": ("4", "5"), "8": ("9",), "10": ("11",), "12": ("13",)}


def _agree(minutes: pl.DataFrame, times_s: list[float]) -> None:
    """As many answers, and the shortest, the middle and the longest within the histogram's 1 %."""
    assert int(minutes["transactions"].sum()) - int(minutes["unanswered"].sum()) == len(times_s)
    histogram = added(minutes["transaction_buckets"], minutes["transaction_counts"])
    ordered = sorted(times_s)
    middle = ordered[(len(ordered) + 1) // 2 - 1]
    for share, expected_s in ((0.0, ordered[0]), (0.5, middle), (1.0, ordered[-1])):
        measured_ns = percentile(*histogram, share)
        assert measured_ns is not None
        assert measured_ns / 1e9 == pytest.approx(expected_s, rel=0.011)


def _opcua(name: str) -> list[tuple[float, str, str, str, str]]:
    """Time, TCP stream, type, request id and type of the body of every chunk; OPC UA has one port in these."""
    fields = (
        "frame.time_epoch",
        "tcp.stream",
        "opcua.transport.type",
        "opcua.security.rqid",
        "opcua.servicenodeid.numeric",
    )
    chunks = []
    for at, stream, kinds, ids, bodies in wireshark_fields(FOLDER / name, "opcua", *fields):
        known = iter(zip(ids.split(","), bodies.split(","), strict=False))
        for kind in kinds.split(","):
            number, body = next(known, ("", "")) if kind in ("OPN", "MSG", "CLO") else ("", "")
            chunks.append((float(at), stream, kind, number, body))
    return chunks


def test_opcua_calls_are_wiresharks_without_the_long_polls() -> None:
    asked: dict[tuple[str, str], float] = {}
    times = []
    for at, stream, kind, number, body in _opcua(_OPCUA_CLEAR):
        key = (stream, "HEL" if kind in ("HEL", "ACK") else number)
        if kind == "CLO" or body in _PUBLISH:
            continue
        if key in asked:
            times.append(at - asked.pop(key))
        else:
            asked[key] = at
    assert not asked and len(times) > 20
    _agree(measured(_OPCUA_CLEAR), times)


def test_opcua_that_is_encrypted_is_counted_and_not_measured() -> None:
    chunks = _opcua(_OPCUA_ENCRYPTED)
    clear = [body for _, _, kind, _, body in chunks if kind == "MSG" and body]
    hidden = [body for _, _, kind, _, body in chunks if kind == "MSG" and not body]
    assert (len(clear), len(hidden)) == (2, 8)
    minutes = measured(_OPCUA_ENCRYPTED)
    # Half of what is hidden asks, half answers.
    assert minutes["not_measurable_encrypted"].sum() == 4
    # Two hellos, two channels opened, and the one call in clear: of ten messages with an answer.
    assert minutes["transactions"].sum() == minutes["good"].sum() == 5


@pytest.mark.parametrize("name", _MQTT)
def test_mqtt_packets_that_are_answered_are_wiresharks(name: str) -> None:
    waiting: list[tuple[str, str, str, float]] = []
    times = []
    fields = ("frame.time_epoch", "tcp.stream", "mqtt.msgtype", "mqtt.msgid", "mqtt.qos")
    for at, stream, kind, number, qos in wireshark_fields(FOLDER / name, "mqtt", *fields):
        match = next(
            (one for one in waiting if one[0] == stream and kind in _ANSWERS[one[1]] and one[2] == number),
            None,
        )
        if match is not None:
            waiting.remove(match)
            times.append(float(at) - match[3])
        elif kind in _ANSWERS and not (kind == "3" and qos == "0"):
            waiting.append((stream, kind, number, float(at)))
    assert not waiting and times
    _agree(measured(name), times)
