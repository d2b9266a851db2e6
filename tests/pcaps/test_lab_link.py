"""The emulated link's own parts: what a frame is, what chance says of it, and what its log tells."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pcaps.lab.plant.link.draws import Draws
from pcaps.lab.plant.link.exchanges import exchanges
from pcaps.lab.plant.link.frames import ACK, SYN, TCP, Identity, identify, is_arp
from pcaps.lab.plant.link.settings import (
    TO_CONTROL,
    TO_ROUTER,
    Direction,
    LinkSettings,
    both,
    read_order,
    write_order,
)
from pcaps.lab.plant.link.truth import (
    Crossing,
    bursts_ns,
    crossings,
    faults,
    handshakes,
    lateness_p99_ns,
    middle_ns,
)
from tests.support import pcap_bytes

CLIENT, SERVER = "10.61.2.20", "10.61.1.14"


def segment(
    sport: int, seq: int, payload: int = 1448, flags: int = ACK, *, back: bool = False, ack: int = 1
) -> Identity:
    if back:
        return Identity(TCP, SERVER, 9003, CLIENT, sport, 7, seq, ack, flags, payload)
    return Identity(TCP, CLIENT, sport, SERVER, 9003, 7, seq, ack, flags, payload)


def test_a_frame_says_who_it_is() -> None:
    frames = pcap_bytes.modbus_exchange(
        "10.61.2.20", "10.61.1.11", pcap_bytes.READ_REQUEST, pcap_bytes.READ_RESPONSE
    )
    found = [identify(frame) for frame in frames]
    assert all(one is not None and one.proto == TCP for one in found)
    first = found[0]
    assert first is not None
    assert (first.src, first.dst, first.dport, first.flags & SYN, first.payload) == (
        *("10.61.2.20", "10.61.1.11", 502),
        *(SYN, 0),
    )
    # A header of 7 bytes, function, first register, how many (Modbus Messaging on TCP/IP, 3.1.3).
    assert next(one.payload for one in found if one is not None and one.payload) == 12


@given(st.binary(max_size=80))
def test_no_bytes_break_it(data: bytes) -> None:
    identify(data)
    assert is_arp(data) == (data[12:14] == b"\x08\x06")


def test_the_same_frames_meet_the_same_fate_whatever_came_between() -> None:
    talks = [
        [segment(port, first, 0, SYN, ack=0), *(segment(port, first + 1 + 1448 * n) for n in range(50))]
        for port, first in ((40_000, 1_000), (40_001, 4_294_960_000))
    ]
    # The second run has other client ports and first sequence numbers, and the talks are mixed another way.
    again = [
        [segment(port, first, 0, SYN, ack=0), *(segment(port, first + 1 + 1448 * n) for n in range(50))]
        for port, first in ((51_000, 77), (51_001, 900_000))
    ]
    one_by_one, mixed = Draws(3, TO_CONTROL), Draws(3, TO_CONTROL)
    first = [[one_by_one.draw(_wrapped(one)) for one in talk] for talk in talks]
    second: list[list[tuple[float, float]]] = [[], []]
    order = [0] * 51 + [1] * 51
    random.Random(5).shuffle(order)
    order.remove(0)
    order.insert(0, 0)  # connections are opened in the same order
    waiting = [iter(talk) for talk in again]
    opened_second = order.index(1)
    assert opened_second > 0
    for which in order:
        second[which].append(mixed.draw(_wrapped(next(waiting[which]))))
    assert first == second


def _wrapped(one: Identity) -> Identity:
    """Sequence numbers are 32 bits."""
    return Identity(
        *(one.proto, one.src, one.sport, one.dst, one.dport),
        *(one.ip_id, one.seq % 2**32, one.ack, one.flags, one.payload),
    )


def test_a_retransmission_has_a_chance_of_its_own_and_another_seed_another() -> None:
    draws = Draws(1, TO_CONTROL)
    draws.draw(segment(40_000, 1, 0, SYN, ack=0))
    first, again = (draws.draw(segment(40_000, 2)) for _ in range(2))
    assert first != again
    other = Draws(2, TO_CONTROL)
    other.draw(segment(40_000, 1, 0, SYN, ack=0))
    assert other.draw(segment(40_000, 2)) != first


def test_chance_is_even() -> None:
    draws = Draws(9, TO_ROUTER)
    values = [draws.draw(segment(40_000, 1 + 1448 * n))[0] for n in range(4_000)]
    # Six standard deviations of a share of 2 %.
    assert abs(sum(value < 0.02 for value in values) / len(values) - 0.02) < 0.0133


def test_an_order_is_read_as_it_was_left(tmp_path: Path) -> None:
    order = tmp_path / "link.json"
    settings = LinkSettings(Direction(5, 1, 0.02), Direction(40), seed=7)
    write_order(order, settings, tmp_path / "truth.jsonl")
    assert read_order(order) == (settings, tmp_path / "truth.jsonl")
    assert both(delay_ms=5).of(TO_CONTROL) == both(delay_ms=5).of(TO_ROUTER) == Direction(5)


def _log(path: Path, lines: Sequence[tuple[str, int, int | None, Identity | None]]) -> Path:
    with path.open("w") as out:
        out.write(json.dumps({"settings": {}, "at_ns": 0}) + "\n")
        for way, received, sent, who in lines:
            frame = None if who is None else [getattr(who, name) for name in Identity.__dataclass_fields__]
            due = None if sent is None else sent - 10
            line = {"way": way, "received_ns": received, "due_ns": due, "sent_ns": sent, "frame": frame}
            out.write(json.dumps(line) + "\n")
    return path


def test_a_log_tells_faults_delays_and_round_trips(tmp_path: Path) -> None:
    log = list(
        crossings(
            _log(
                tmp_path / "truth.jsonl",
                [
                    (TO_CONTROL, 100, 200, segment(40_000, 1, 0, SYN, ack=0)),
                    (TO_ROUTER, 230, 340, segment(40_000, 50, 0, SYN | ACK, back=True, ack=2)),
                    (TO_CONTROL, 350, 460, segment(40_000, 2, 0)),
                    (TO_CONTROL, 1_000, 1_100, segment(40_000, 2, 1448)),
                    (TO_CONTROL, 1_010, 1_150, segment(40_000, 1_450, 1448)),
                    (TO_ROUTER, 1_160, 1_260, segment(40_000, 51, 0, back=True, ack=2_898)),
                    (TO_CONTROL, 2_000, 2_100, segment(40_000, 2_898, 1448)),
                    (TO_CONTROL, 2_010, 2_150, segment(40_000, 4_346, 1448)),
                    (TO_ROUTER, 2_160, 2_270, segment(40_000, 51, 0, back=True, ack=5_794)),
                    (TO_CONTROL, 2_500, None, segment(40_000, 5_794, 1448)),
                    (TO_CONTROL, 3_000, 3_001, None),
                ],
            )
        )
    )
    data = faults(log, lambda one, who: one.way == TO_CONTROL and who.payload > 0)
    assert (data.offered, data.dropped, data.loss) == (5, 1, 1 / 5)
    assert middle_ns(log, lambda one, who: one.way == TO_ROUTER) == 110
    assert middle_ns(log, lambda one, who: who.sport == 1) is None
    (shake,) = handshakes(log, 9003)
    # At the router's end SYN comes at 100 and ACK at 350; at the other end 200 and 460.
    assert (shake.round_trip_ns(TO_ROUTER), shake.round_trip_ns(TO_CONTROL)) == (250, 260)
    assert shake.near_half_ns(TO_ROUTER) == 10
    # The fourth segment came at 2010, its ACK left at 2270. What the first ACK covers is not known.
    assert bursts_ns(log, 9003, TO_ROUTER) == [260]
    assert lateness_p99_ns(log) == 10


def test_a_handshake_that_lost_anything_is_not_a_clean_one(tmp_path: Path) -> None:
    lines = [
        (TO_CONTROL, 100, None, segment(40_000, 1, 0, SYN, ack=0)),
        (TO_CONTROL, 1_100, 1_200, segment(40_000, 1, 0, SYN, ack=0)),
        (TO_ROUTER, 1_230, 1_340, segment(40_000, 50, 0, SYN | ACK, back=True, ack=2)),
        (TO_CONTROL, 1_350, 1_460, segment(40_000, 2, 0)),
    ]
    assert handshakes(list(crossings(_log(tmp_path / "truth.jsonl", lines))), 9003) == []


def modbus(way: str, seq: int, received_ms: float, sent_ms: float | None) -> Crossing:
    back = way == TO_ROUTER
    ends = (SERVER, 502, CLIENT, 4000) if back else (CLIENT, 4000, SERVER, 502)
    return Crossing(
        way,
        int(received_ms * 1e6),
        None,
        None if sent_ms is None else int(sent_ms * 1e6),
        Identity(TCP, *ends, 7, seq, 1, ACK, 12),
    )


def test_an_exchange_is_timed_at_the_end_that_it_is_seen_from() -> None:
    # 5 ms each way, 2 ms in the server
    log = [modbus(TO_CONTROL, 1, 0, 5), modbus(TO_ROUTER, 1, 7, 12)]
    assert [one.took_ns for one in exchanges(log, 502, TO_ROUTER)] == [12_000_000]
    assert [one.took_ns for one in exchanges(log, 502, TO_CONTROL)] == [2_000_000]


def test_a_request_that_the_link_lost_is_asked_once_and_answered_late() -> None:
    log = [
        modbus(TO_CONTROL, 1, 0, None),
        modbus(TO_CONTROL, 1, 200, 205),
        modbus(TO_ROUTER, 1, 207, None),
        modbus(TO_ROUTER, 1, 407, 412),
        modbus(TO_CONTROL, 13, 500, None),
    ]
    seen_at_router = exchanges(log, 502, TO_ROUTER)
    assert [one.took_ns for one in seen_at_router] == [412_000_000, None]
    # behind the link the request that was lost was never asked, and the answer came before it was lost
    assert [one.took_ns for one in exchanges(log, 502, TO_CONTROL)] == [2_000_000]
    assert exchanges(log, 9000, TO_ROUTER) == []
