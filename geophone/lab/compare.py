"""What the sensor measured beside what is true, a row each: within its aim, missed, or not to be measured at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from analyzers.loss import DIRECTIONS
from geophone.lab.measured import Measured, OneWay, Service
from pcaps.lab.plant.captures import copies
from pcaps.lab.plant.layout import (
    BURST_PORT,
    CONTROL,
    KNOCK_PORT,
    MODBUS_PORT,
    SPAN_CONTROL,
    SPAN_DOUBLE,
    SPAN_ROUTER,
    STATIONS,
)
from pcaps.lab.plant.link.frames import TCP, Identity
from pcaps.lab.plant.link.settings import TO_CONTROL, TO_ROUTER
from pcaps.lab.plant.link.truth import (
    Crossing,
    Faults,
    bursts_ns,
    crossings,
    faults,
    handshakes,
    lateness_p99_ns,
    middle_ns,
)
from pcaps.lab.plant.playing import Played

#: A round trip may be wrong by this share, or by this time where that is more.
RTT_SHARE: Final = 0.03
RTT_FLOOR_MS: Final = 0.3
#: Shares of segments, in points of a per cent.
LOSS_POINTS: Final = 0.1
#: With fewer round trips than this a median says little.
SAMPLES_LEAST: Final = 5

_MILLISECOND_NS: Final = 1e6
#: How a reader calls each mirror port.
TAPS: Final = {SPAN_ROUTER: "router", SPAN_CONTROL: "control", SPAN_DOUBLE: "router, doubled"}
#: The way along which a tap is in front of the link: what is lost on it is lost behind the tap.
_AHEAD: Final = {SPAN_ROUTER: TO_CONTROL, SPAN_CONTROL: TO_ROUTER}
_CONTROL_IPS: Final = frozenset(one.ip for one in STATIONS.values() if one.zone == CONTROL)


class Verdict(StrEnum):
    """A measurement against the truth."""

    RIGHT = "right"
    MISSED = "missed"
    NOT_MEASURABLE = "not measurable"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `allowed` is the largest error, in the row's unit; `note` says what a reader must know."""

    what: str
    tap: str
    unit: str
    true: float
    measured: float | None
    allowed: float
    note: str = ""
    #: The figure is a lower bound: reading low is right, reading high is not.
    floor: bool = False

    @property
    def error(self) -> float | None:
        """Measured minus true."""
        return None if self.measured is None else self.measured - self.true

    @property
    def verdict(self) -> Verdict:
        """Whether the aim is met."""
        if self.error is None:
            return Verdict.NOT_MEASURABLE
        wrong = self.error if self.floor else abs(self.error)
        # Shares of counts come from divisions: a difference of nothing is not always 0.
        return Verdict.RIGHT if wrong <= self.allowed + 1e-9 else Verdict.MISSED


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario's rows, and how late the link itself was."""

    scenario: str
    title: str
    rows: tuple[Row, ...]
    #: 99th percentile of sent minus due; the truth has it in, whatever it is.
    link_late_p99_ms: float | None
    #: The same truth beside what the SLA report says.
    reported: tuple[Row, ...] = ()

    @property
    def missed(self) -> list[Row]:
        """The rows whose aim is not met."""
        return [row for row in (*self.rows, *self.reported) if row.verdict is Verdict.MISSED]


def compare(played: Played, measured: dict[str, Measured]) -> Comparison:
    """Hold the measurements of each tap against what the link, the clients and the recording say."""
    log = list(crossings(played.link_log))
    late = lateness_p99_ns(log)
    return Comparison(
        played.scenario.name,
        played.scenario.title,
        tuple(_rows(played, measured, log)),
        None if late is None else late / _MILLISECOND_NS,
    )


def _rows(played: Played, measured: dict[str, Measured], log: list[Crossing]) -> Iterator[Row]:
    for span in measured:
        yield from _round_trips(span, measured[span], log)
    settings = played.scenario.link
    if settings.to_control.delay_ms or settings.to_router.delay_ms:
        yield from _one_way_delays(log)
    for span in (span for span in measured if span in _AHEAD):
        if not played.removed:
            yield from _losses(span, measured[span], log)
    yield from _capture_losses(played, measured)
    if SPAN_DOUBLE in measured:
        yield from _duplicates(played, measured)
    if not played.removed:
        yield from _operations(played, measured[SPAN_ROUTER])


def _round_trips(span: str, measured: Measured, log: list[Crossing]) -> Iterator[Row]:
    server = STATIONS["edge1"].ip
    end = TO_CONTROL if span == SPAN_CONTROL else TO_ROUTER
    link_ms = _link_ms(log)
    if clean := handshakes(log, KNOCK_PORT):
        true = median(one.round_trip_ns(end) for one in clean)
        yield _round_trip("handshake RTT, median", span, measured, (server, KNOCK_PORT), true, link_ms)
    if span == SPAN_CONTROL:
        # There the far half of a one-way stream is its handshake's alone: one sample, not a median.
        return
    opened, halves = handshakes(log, BURST_PORT), bursts_ns(log, BURST_PORT, end)
    if opened and halves:
        true = median(halves) + opened[0].near_half_ns(end)
        yield _round_trip("streaming RTT, median", span, measured, (server, BURST_PORT), true, link_ms)


def _link_ms(log: list[Crossing]) -> float:
    """What the link alone took of a round trip."""
    ways = [
        middle_ns(log, lambda one, who, way=way: one.way == way and who.proto == TCP)  # type: ignore[misc]
        for way in (TO_CONTROL, TO_ROUTER)
    ]
    return sum(took or 0.0 for took in ways) / _MILLISECOND_NS


def _round_trip(
    what: str, span: str, measured: Measured, service: Service, true_ns: float, link_ms: float
) -> Row:
    true_ms = true_ns / _MILLISECOND_NS
    found_ns, samples = measured.round_trips.get(service, (0, 0))
    enough = samples >= SAMPLES_LEAST
    count = f"{samples} samples" if enough else f"{samples} samples are too few"
    return Row(
        what,
        TAPS[span],
        "ms",
        true_ms,
        found_ns / _MILLISECOND_NS if enough else None,
        max(RTT_SHARE * true_ms, RTT_FLOOR_MS),
        note=f"{count}; the link alone took {link_ms:.2f} ms",
    )


def _one_way_delays(log: list[Crossing]) -> Iterator[Row]:
    for way in (TO_CONTROL, TO_ROUTER):
        took = middle_ns(log, lambda one, who, way=way: one.way == way and who.proto == TCP)  # type: ignore[misc]
        if took is not None:
            yield Row(
                f"one-way delay {way}",
                "any one",
                "ms",
                took / _MILLISECOND_NS,
                None,
                0,
                note="one tap sees round trips, not their halves",
            )


def _losses(span: str, measured: Measured, log: list[Crossing]) -> Iterator[Row]:
    for way in (TO_CONTROL, TO_ROUTER):
        after = way == _AHEAD[span]
        ways = _along(measured, way)
        true = faults(log, lambda one, who, way=way: one.way == way and _has_data(who))  # type: ignore[misc]
        if after:
            yield _loss("loss after the tap, all TCP", span, ways, true, lambda one: one.lost_after_tap)
            continue
        # Of lone messages the last segment of a stream is lost, and no hole shows it.
        streams = {key: one for key, one in ways.items() if key[0][1] != MODBUS_PORT}
        true_streams = faults(
            log,
            lambda one, who, way=way: (  # type: ignore[misc]
                one.way == way and _has_data(who) and MODBUS_PORT not in (who.sport, who.dport)
            ),
        )
        yield _loss(
            "loss before the tap, streams",
            span,
            streams,
            true_streams,
            lambda one: one.lost_before_tap,
            floor=True,
        )
        lone = faults(
            log,
            lambda one, who, way=way: (  # type: ignore[misc]
                one.way == way and _has_data(who) and MODBUS_PORT in (who.sport, who.dport)
            ),
        )
        if lone.dropped:
            yield Row(
                "loss before the tap, Modbus",
                TAPS[span],
                "%",
                100 * lone.loss,
                None,
                0,
                note="each message ends its stream: no hole shows that it was lost",
            )


def _loss(
    what: str,
    span: str,
    ways: dict[tuple[Service, str], OneWay],
    true: Faults,
    of: Callable[[OneWay], int],
    *,
    floor: bool = False,
) -> Row:
    lost, segments = sum(map(of, ways.values())), sum(one.data_segments for one in ways.values())
    # Before the tap, what was lost is not among what the tap saw.
    there = segments + lost if floor else segments
    note = f"{lost} of {there:,}, true {true.dropped} of {true.offered:,}"
    return Row(
        what,
        TAPS[span],
        "%",
        100 * true.loss,
        100 * lost / there if there else None,
        LOSS_POINTS,
        note=note + "; holes, not the segments that fill them: reads low" if floor and lost else note,
        floor=floor,
    )


def _along(measured: Measured, way: str) -> dict[tuple[Service, str], OneWay]:
    """The directions of conversations that go along a way of the link."""
    to_server, to_client = DIRECTIONS
    found = {}
    for key, one in measured.ways.items():
        (server, _), direction = key
        towards_control = direction == (to_server if server in _CONTROL_IPS else to_client)
        if towards_control == (way == TO_CONTROL):
            found[key] = one
    return found


def _has_data(who: Identity) -> bool:
    return who.proto == TCP and who.payload > 0


def _capture_losses(played: Played, measured: dict[str, Measured]) -> Iterator[Row]:
    removed = played.removed
    true = removed.segments / (removed.data_segments_left + removed.segments) if removed else 0.0
    for span, one in measured.items():
        yield Row(
            "capture loss",
            TAPS[span],
            "%",
            100 * true,
            100 * one.capture_loss,
            LOSS_POINTS,
            note=f"{one.unseen_segments} segments, true {removed.segments if removed else 0}",
        )


def _duplicates(played: Played, measured: dict[str, Measured]) -> Iterator[Row]:
    single, double = measured[SPAN_ROUTER], measured[SPAN_DOUBLE]
    extra, alike = copies(played.capture(SPAN_DOUBLE), played.capture(SPAN_ROUTER))
    tap = TAPS[SPAN_DOUBLE]
    yield Row("copies removed", tap, "packets", extra - alike, double.duplicates, 0)
    if alike:
        note = "pure ACKs with IP identification 0: nothing tells a copy from one said twice"
        yield Row("copies that stay", tap, "packets", alike, None, 0, note=note)
    note = "true is what the well set port gives"
    figures: tuple[tuple[str, Callable[[OneWay], int]], ...] = (
        ("data segments", lambda one: one.data_segments),
        ("seen twice", lambda one: one.lost_after_tap),
        ("filled holes", lambda one: one.lost_before_tap),
    )
    for what, of in figures:
        right, found = (sum(of(way) for way in one.ways.values()) for one in (single, double))
        yield Row(what, tap, "segments", right, found, 0, note=note)


def _operations(played: Played, measured: Measured) -> Iterator[Row]:
    asked: Counter[tuple[str, str]] = Counter()
    answered: Counter[tuple[str, str]] = Counter()
    for line in played.operations:
        key = str(line["protocol"]), str(line["operation"])
        asked[key] += int(line["asked"])
        answered[key] += int(line["answered"])
    for protocol, operation in sorted(asked):
        if protocol not in ("modbus", "mqtt", "opcua"):
            continue
        for what, true, counted in (
            ("asked", asked, measured.asked),
            ("answered", answered, measured.answered),
        ):
            found = sum(count for (_, *key), count in counted.items() if tuple(key) == (protocol, operation))
            if not true[protocol, operation]:
                continue  # at QoS 0 nobody answers
            name = f"function {operation}" if protocol == "modbus" else operation
            yield Row(
                f"{protocol} {name} {what}",
                TAPS[SPAN_ROUTER],
                "operations",
                true[protocol, operation],
                found,
                0,
            )
