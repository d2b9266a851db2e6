"""The simulated stations behave as TCP does: what the path does to them is what shows at the tap."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND, Clock
from pcaps.lab.synth.frames import FIN, RST, SYN
from pcaps.lab.synth.network import Captured, Host, Impairment, Network
from pcaps.lab.synth.tcp import connection
from pcaps.lab.synth.truth import Seen, observe

LEG_NS = 500 * MICROSECOND
FOREVER_NS = 3_600 * SECOND


@dataclass
class Talk:
    """One connection: twenty requests of 10 bytes, each answered by 30 bytes."""

    captured: list[Captured]
    received_by_server: bytes
    received_by_client: bytes
    network: Network

    @property
    def seen(self) -> Seen:
        return observe(self.captured, self.network)["client", "server"]


REQUESTS = [bytes([number]) * 10 for number in range(20)]


def host(name: str, zone: str, *, ack_delay_ns: int = 40 * MILLISECOND) -> Host:
    return Host(
        name,
        zone,
        f"10.0.0.{len(name)}",
        "00:00:5e:00:53:01",
        "00:00:5e:00:53:02",
        LEG_NS,
        0,
        ack_delay_ns,
        False,
        7,
    )


def talk(
    *, loss: float = 0.0, seed: int = 1, server_ack_delay_ns: int = 40 * MILLISECOND, burst: bool = False
) -> Talk:
    clock = Clock(SECOND)
    bad = Impairment("near", "far", 0, FOREVER_NS, 0, 0, loss)
    network = Network(clock, seed, (bad,) if loss else ())
    client = host("client", "near")
    ours, theirs = connection(
        network, client, 1000, host("server", "far", ack_delay_ns=server_ack_delay_ns), 2000
    )
    to_server, to_client = bytearray(), bytearray()
    waiting = iter(REQUESTS)

    def ask() -> None:
        for request in waiting if burst else itertools.islice(waiting, 1):
            ours.send(request)

    def serve(data: bytes) -> None:
        to_server.extend(data)
        clock.after(5 * MILLISECOND, lambda: theirs.send(data * 3))

    def take(data: bytes) -> None:
        to_client.extend(data)
        if len(to_client) == 30 * len(REQUESTS):
            ours.close()
        elif len(to_client) % 30 == 0 and not burst:
            clock.after(100 * MILLISECOND, ask)

    ours.on_open, ours.on_data, theirs.on_data = ask, take, serve
    ours.connect()
    clock.run()
    return Talk(
        sorted(network.captured, key=lambda one: one.ts_ns), bytes(to_server), bytes(to_client), network
    )


def payloads(done: Talk, sender: str) -> int:
    return sum(bool(one.packet.payload_bytes) for one in done.captured if one.sender.name == sender)


def test_a_good_path_shows_every_segment_once() -> None:
    done = talk()
    assert payloads(done, "client") == payloads(done, "server") == len(REQUESTS)
    assert done.seen == Seen(data_segments=2 * len(REQUESTS))


def test_the_handshake_shows_both_halves_of_the_round_trip() -> None:
    syn, syn_ack, ack = talk().captured[:3]
    assert syn.packet.tcp_flags == SYN
    # Behind the tap: one leg there, one back. The stations answer after 20 microseconds.
    assert syn_ack.ts_ns - syn.ts_ns == 2 * LEG_NS + 20 * MICROSECOND
    assert ack.ts_ns - syn_ack.ts_ns == 2 * LEG_NS + 20 * MICROSECOND


def test_a_quick_answer_carries_the_acknowledgement() -> None:
    pure_acks = [
        one for one in talk().captured if one.sender.name == "server" and not one.packet.payload_bytes
    ]
    # The SYN-ACK, the FIN and the acknowledgement of the client's FIN: no request was acknowledged alone.
    assert len(pure_acks) == 3


def test_a_station_that_acknowledges_at_once_sends_it_before_its_answer() -> None:
    done = talk(server_ack_delay_ns=0)
    pure_acks = [one for one in done.captured if one.sender.name == "server" and not one.packet.payload_bytes]
    assert len(pure_acks) == len(REQUESTS) + 3


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000), loss=st.sampled_from([0.02, 0.1, 0.3]), burst=st.booleans())
def test_the_stream_arrives_whole_over_a_bad_path(seed: int, loss: float, burst: bool) -> None:
    done = talk(loss=loss, seed=seed, burst=burst)
    assert done.received_by_server == b"".join(REQUESTS)
    assert len(done.received_by_client) == 30 * len(REQUESTS)


@settings(deadline=None, max_examples=50)
@given(seed=st.integers(0, 10_000))
def test_what_is_sent_is_captured_unless_it_was_lost_before_the_tap(seed: int) -> None:
    done = talk(loss=0.1, seed=seed)
    sent_by_server = done.network.losses.offered["before_tap_data"]
    assert payloads(done, "server") == sent_by_server - done.network.losses.dropped["before_tap_data"]


def test_a_segment_lost_behind_the_tap_is_seen_twice() -> None:
    done = next(
        done
        for done in (talk(loss=0.02, seed=seed) for seed in itertools.count())
        if done.network.losses.dropped
        == {"after_tap_data": 1, "after_tap_control": 0, "before_tap_data": 0, "before_tap_control": 0}
    )
    assert done.seen == Seen(data_segments=2 * len(REQUESTS) + 1, seen_twice=1)


def test_a_segment_of_a_burst_lost_before_the_tap_is_a_hole_that_gets_filled() -> None:
    done = next(
        done
        for done in (talk(loss=0.02, seed=seed, burst=True) for seed in itertools.count())
        if done.network.losses.dropped["before_tap_data"] == sum(done.network.losses.dropped.values()) == 1
        and done.received_by_client[-30:] == bytes([19]) * 30
        and done.seen.filled_holes
    )
    assert done.seen.seen_twice == 0
    assert payloads(done, "server") == len(REQUESTS)
    assert done.seen.repeats == 1


def test_a_connection_ends_with_a_fin_each_way_and_no_reset() -> None:
    flags = [one.packet.tcp_flags for one in talk().captured]
    assert sum(bool(flag & FIN) for flag in flags) == 2
    assert not any(flag & RST for flag in flags)
