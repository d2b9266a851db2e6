"""Every round trip that the link's log tells, as one sees it at one of its ends."""

from __future__ import annotations

from pcaps.lab.plant.link.frames import ACK, SYN, TCP, Identity
from pcaps.lab.plant.link.round_trips import Trips, round_trips
from pcaps.lab.plant.link.settings import TO_CONTROL, TO_ROUTER
from pcaps.lab.plant.link.truth import Crossing

CLIENT, SERVER = ("10.61.2.20", 40_000), ("10.61.1.14", 9003)
FULL = 1448


def said(
    way: str, received: int, sent: int | None, seq: int, ack: int, size: int = 0, flags: int = ACK
) -> Crossing:
    """A frame of the client (to control) or of the server (to router); times in ns."""
    ends = (*SERVER, *CLIENT) if way == TO_ROUTER else (*CLIENT, *SERVER)
    return Crossing(way, received, received, sent, Identity(TCP, *ends, 7, seq, ack, flags, size))


def opened(*, asks_at_once: bool = False) -> list[Crossing]:
    """SYN at 100, SYN-ACK at 340, ACK at 350 as seen at the router's end; 10 ns longer at the other one."""
    return [
        said(TO_CONTROL, 100, 200, 1, 0, flags=SYN),
        said(TO_ROUTER, 230, 340, 50, 2, flags=SYN | ACK),
        said(TO_CONTROL, 350, 460, 2, 51, size=12 if asks_at_once else 0),
    ]


def trips(log: list[Crossing], end: str = TO_ROUTER) -> Trips:
    (found,) = round_trips(log, end).values()
    return found


def test_a_handshake_is_a_round_trip_at_both_ends() -> None:
    assert trips(opened()) == Trips([250], [240])
    assert trips(opened(), TO_CONTROL) == Trips([260], [30])


def test_a_handshake_that_ends_with_data_or_was_said_twice_is_none() -> None:
    assert trips(opened(asks_at_once=True)).round_ns == []
    again = said(TO_CONTROL, 20, None, 1, 0, flags=SYN)
    assert trips([again, *opened()]) == Trips()
    # behind the link nobody saw the first one
    assert trips([again, *opened()], TO_CONTROL) == Trips([260], [30])


def test_an_ack_of_two_full_segments_adds_the_other_half_and_one_of_less_does_not() -> None:
    two = [said(TO_CONTROL, 1_000 + n, 1_100 + n, 2 + FULL * n, 51, FULL) for n in range(2)]
    answered = [*opened(), *two, said(TO_ROUTER, 1_160, 1_260, 51, 2 + 2 * FULL)]
    # the client's half of the handshake is 10, the server's 1260 - 1001
    assert trips(answered) == Trips([250, 269], [240, 259])
    alone = [*opened(), two[0], said(TO_ROUTER, 1_160, 1_260, 51, 2 + FULL)]
    assert trips(alone) == Trips([250], [240, 260])
    riding = [*opened(), *two, said(TO_ROUTER, 1_160, 1_260, 51, 2 + 2 * FULL, size=12)]
    assert trips(riding) == Trips([250], [240])


def test_what_was_sent_twice_times_nothing() -> None:
    two = [said(TO_CONTROL, 1_000 + n, None if n else 1_100, 2 + FULL * n, 51, FULL) for n in range(2)]
    again = said(TO_CONTROL, 1_500, 1_600, 2 + FULL, 51, FULL)
    log = [*opened(), *two, again, said(TO_ROUTER, 1_660, 1_760, 51, 2 + 2 * FULL)]
    assert trips(log) == Trips([250], [240])
    # behind the link it was seen once
    assert trips(log, TO_CONTROL) == Trips([260, 230 + 60], [30, 60])


def test_of_more_segments_on_their_way_than_are_followed_the_oldest_time_nothing() -> None:
    many = [said(TO_CONTROL, 1_000 + n, 1_100 + n, 2 + FULL * n, 51, FULL) for n in range(18)]
    first, last = (said(TO_ROUTER, 2_000 + n, 2_100 + n, 51, 2 + FULL * n) for n in (2, 18))
    assert trips([*opened(), *many, first, last]) == Trips([250, 10 + 2_118 - 1_017], [240, 2_118 - 1_017])


def test_a_conversation_whose_beginning_is_not_there_has_no_times() -> None:
    assert round_trips(opened()[1:], TO_ROUTER) == {}
