"""A dialogue keeps its order on any path: nobody answers what has not arrived."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import End, Line, Side, client, server, talk
from pcaps.lab.synth.frames import FIN, RST
from pcaps.lab.synth.network import Captured
from tests.pcaps.two_stations import START_NS, Said, captured, network

LINES = st.lists(
    st.builds(Line, st.sampled_from(Side), st.binary(min_size=1, max_size=4_000)), min_size=1, max_size=12
)


def payloads(seen: list[Captured]) -> list[str]:
    """Who said something, in the order of time; segments of one line are one."""
    names = [one.sender.name for one in seen if one.packet.payload_bytes]
    return [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]


@settings(deadline=None, max_examples=30)
@given(lines=LINES, loss=st.sampled_from([0.0, 0.1]), seed=st.integers(0, 1_000))
def test_everything_arrives_and_in_order_however_bad_the_path(
    lines: list[Line], loss: float, seed: int
) -> None:
    wire, ours, theirs = network(loss, seed)
    wire.clock.start(talk(wire, (ours, 50_000, theirs, 80), lines, start_ns=START_NS))
    wire.clock.run()
    seen = sorted(wire.captured, key=lambda one: one.ts_ns)
    # It closes only once both have heard everything.
    assert any(one.packet.tcp_flags & FIN for one in seen if one.sender is ours)
    if not loss:
        for host, side in ((ours, Side.CLIENT), (theirs, Side.SERVER)):
            said = sum(len(line.data) for line in lines if line.side is side)
            assert sum(one.packet.payload_bytes for one in seen if one.sender is host) == said


def test_a_server_may_speak_first() -> None:
    seen = captured(Said(22, [server(b"SSH-2.0-x\r\n"), client(b"SSH-2.0-y\r\n")]))
    assert payloads(seen) == ["server", "client"]


def test_a_line_waits_for_its_time_and_for_what_was_said_before() -> None:
    at_ns = START_NS + 5 * SECOND
    seen = captured(Said(80, [client(b"a" * 3_000, at_ns), server(b"b", START_NS), client(b"c", START_NS)]))
    times = {one.packet.frame[-1:]: one.ts_ns for one in seen if one.packet.payload_bytes}
    assert payloads(seen) == ["client", "server", "client"]
    assert at_ns <= times[b"a"] < times[b"b"] < times[b"c"]


@pytest.mark.parametrize(
    ("end", "fins", "resets"),
    [(End.CLIENT_CLOSES, 2, 0), (End.SERVER_CLOSES, 2, 0), (End.CLIENT_RESETS, 0, 1), (End.STAYS_OPEN, 0, 0)],
)
def test_a_conversation_ends_as_told(end: End, fins: int, resets: int) -> None:
    flags = [one.packet.tcp_flags for one in captured(Said(80, [client(b"?"), server(b"!")], end))]
    assert sum(bool(flag & FIN) for flag in flags) == fins
    assert sum(bool(flag & RST) for flag in flags) == resets
