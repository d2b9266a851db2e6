"""What a SPAN port adds and loses is counted exactly, and leaves the rest alone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Dot1Q, Ether

from pcaps.lab.mine_a import MineA
from pcaps.lab.site import MINUTE_NS, MORNING_NS
from pcaps.lab.synth.clock import MICROSECOND, SECOND
from pcaps.lab.synth.frames import FIN, RST, SYN
from pcaps.lab.synth.pcapng import Frame, Interface, encode
from pcaps.lab.synth.span import copy_twice, in_order, lose, repeat, telling
from sensors.capture import open_capture
from sensors.engine import decode
from tests.support.wireshark import TSHARK, wireshark_fields


def quiet_minutes() -> MineA:
    site = MineA(seed=5, minutes=2)
    site.operators()
    site.background()
    site.run()
    return site


SITE = quiet_minutes()
CAPTURED = in_order(SITE.network.captured)


def always(_: int) -> bool:
    return True


def test_every_routed_packet_is_copied_once_and_no_other() -> None:
    frames, copies = copy_twice(CAPTURED, 5, always)
    routed = [one for one in CAPTURED if one.receiver is not None]
    assert sum(copies.values()) == len(routed)
    assert len(frames) == len(CAPTURED) + len(routed)
    assert len(routed) < len(CAPTURED)  # ARP stays in its zone


def test_a_copy_differs_where_a_router_changes_a_packet_and_nowhere_else() -> None:
    one = next(
        one for one in CAPTURED if one.packet.payload_bytes and one.receiver and one.receiver.name == "plc1"
    )
    frames, _ = copy_twice([one], 5, always)
    ingress, egress = (Ether(frame.data) for frame in frames)
    assert 30 * MICROSECOND <= frames[1].ts_ns - frames[0].ts_ns < 200 * MICROSECOND
    assert egress[Dot1Q].vlan == 60
    assert egress.dst == one.receiver.mac if one.receiver else False
    assert (egress.src, egress.dst) != (ingress.src, ingress.dst)
    assert egress[IP].ttl == ingress[IP].ttl - 1
    assert egress[IP].id == ingress[IP].id
    assert bytes(egress[TCP]) == bytes(ingress[TCP])
    recomputed = egress[IP].copy()
    del recomputed.chksum
    assert IP(bytes(recomputed)).chksum == egress[IP].chksum


def test_outside_its_minutes_the_port_copies_nothing_twice() -> None:
    frames, copies = copy_twice(CAPTURED, 5, lambda time_ns: time_ns >= MORNING_NS + 60 * MINUTE_NS)
    assert copies == {"tcp": 0, "udp": 0}
    assert [frame.data for frame in frames] == [one.packet.frame for one in CAPTURED]


def test_removed_frames_are_counted_and_are_neither_handshakes_nor_farewells() -> None:
    kept, removed = lose(CAPTURED, 0.2, 5, always)
    gone = [one for one in CAPTURED if all(one is not other for other in kept)]
    assert len(gone) == removed.frames > 0
    assert sum(bool(one.packet.payload_bytes) for one in gone) == removed.data_segments > 0
    assert not any(one.packet.tcp_flags & (SYN | FIN | RST) for one in gone)


def test_no_two_segments_in_a_row_are_removed_from_one_direction() -> None:
    kept, _ = lose(CAPTURED, 0.5, 5, always)
    survived = {id(one) for one in kept}
    previous: dict[tuple[str, str], bool] = {}
    for one in CAPTURED:
        if one.packet.tcp_flags and one.packet.payload_bytes:
            direction = (one.packet.flow, one.sender.name)
            gone = id(one) not in survived
            assert not (gone and previous.get(direction))
            previous[direction] = gone


def test_a_repeating_port_shows_every_frame_twice_and_unchanged() -> None:
    frames, packets = repeat(CAPTURED, 5)
    assert Counter(frame.data for frame in frames) == {
        data: 2 * count for data, count in Counter(one.packet.frame for one in CAPTURED).items()
    }
    assert packets == sum(IP in Ether(one.packet.frame) for one in CAPTURED)
    assert [frame.ts_ns for frame in frames] == sorted(frame.ts_ns for frame in frames)


def test_a_port_that_tells_its_losses_tells_all_of_them_up_to_its_last_time() -> None:
    kept, removed = lose(CAPTURED, 0.2, 5, always)
    told = telling(CAPTURED, kept, MORNING_NS + 9 * MINUTE_NS)
    assert [frame.data for frame in told] == [one.packet.frame for one in kept]
    after_last = sum(one.ts_ns > kept[-1].ts_ns for one in CAPTURED)
    assert sum(frame.dropped for frame in told) == removed.frames - after_last
    until_ns = MORNING_NS + MINUTE_NS
    first_minute = sum(frame.dropped for frame in told if frame.ts_ns < until_ns)
    assert sum(frame.dropped for frame in telling(CAPTURED, kept, until_ns)) == first_minute > 0


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
def test_wireshark_reads_the_interfaces_and_the_losses_of_a_capture(tmp_path: Path) -> None:
    frames = [
        Frame(SECOND, CAPTURED[0].packet.frame, interface=1, dropped=3),
        Frame(2 * SECOND, CAPTURED[1].packet.frame),
    ]
    capture = tmp_path / "two.pcapng"
    capture.write_bytes(encode(frames, (Interface("a", "first"), Interface("b", "second", 7)), comment=""))
    names = ("frame.interface_name", "frame.interface_description", "frame.packet_flags")
    assert [row[:2] for row in wireshark_fields(capture, "frame", *names)] == [
        ("b", "second"),
        ("a", "first"),
    ]
    run = decode(open_capture(capture))
    with run:
        dropped = {
            row["interface_id"]: row["dropped_packets"]
            for rows in run
            for row in rows["coverage"].to_pylist()
        }
    assert dropped == {0: 0, 1: 7}
