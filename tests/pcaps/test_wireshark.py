"""A second opinion on every sample: Wireshark counts what the notes say is in it."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache

import pytest

from pcaps import Sample, sample, samples
from tests.support.dissectors import told

TSHARK = shutil.which("tshark")
pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

SAMPLES = samples()
REPEATS = (
    "seen_twice",
    "seen_more_often",
    "repeated_in_vain",
    "filled_holes",
    "filled_at_once",
    "filled_behind_acks",
)
#: Wireshark 4.0 cannot know how long an OpenVPN HMAC is, and does not know TigerVNC's encodings and clipboard: what it
#: calls malformed there was sent by the tools themselves.
HALF_KNOWN = ("openvpn", "vnc")
CHECKSUMS = ("ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE")


def fields(
    one: Sample, display_filter: str, *names: str, options: tuple[str, ...] = ()
) -> list[tuple[str, ...]]:
    """The named fields of every frame that passes the filter, as Wireshark dissects it."""
    assert TSHARK is not None
    command = [TSHARK, "-n", "-r", str(one.capture), "-Y", display_filter, "-T", "fields", *told(one.capture)]
    for option in ("tcp.reassemble_out_of_order:TRUE", *options):
        command += ["-o", option]
    for name in names or ("frame.number",):
        command += ["-e", name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [tuple(line.split("\t")) for line in shown.splitlines()]


@dataclass(frozen=True)
class Frame:
    """What Wireshark says of one frame."""

    at: datetime
    delta: Decimal
    malformed: bool
    #: Of IP, TCP and UDP, in tunnels too: 0 is wrong.
    checksums: str


@cache
def frames(name: str) -> list[Frame]:
    """Every frame of a sample, in one run."""
    is_real = sample(name).origin["kind"] == "real stack"
    statuses = [f"{layer}.checksum.status" for layer in ("ip", "tcp", "udp")]
    names = (
        "frame.time_epoch",
        "frame.time_delta",
        "_ws.malformed",
        "mqtt.topic",
        "frame.protocols",
        *statuses,
    )
    return [
        Frame(
            datetime.fromtimestamp(float(at), UTC),
            Decimal(delta),
            # A Sparkplug host's STATE is JSON since 3.0 (6.4.27); Wireshark 4.0 takes it for a protobuf.
            bool(malformed)
            and "spBv1.0/STATE/" not in topic
            and not (is_real and protocols.endswith(HALF_KNOWN)),
            ",".join(checksums),
        )
        for at, delta, malformed, topic, protocols, *checksums in fields(
            sample(name), "frame", *names, options=CHECKSUMS
        )
    ]


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_wireshark_reads_every_frame(one: Sample) -> None:
    assert len(frames(one.name)) == one.frames


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_frames_are_in_the_order_of_time(one: Sample) -> None:
    assert all(frame.delta >= 0 for frame in frames(one.name))


@pytest.mark.parametrize("one", SAMPLES, ids=lambda one: one.name)
def test_no_checksum_is_wrong_and_no_frame_malformed_that_was_not_planted(one: Sample) -> None:
    assert not any("0" in frame.checksums.split(",") for frame in frames(one.name))
    planted = [(each.first, each.last) for each in one.planted if each.id == "M11"]
    for frame in frames(one.name):
        assert not frame.malformed or any(first <= frame.at <= last for first, last in planted), frame


@pytest.mark.parametrize("name", ["normal-shift", "conduit-misuse", "unauthorised-write"])
def test_wireshark_counts_the_modbus_messages_that_the_stations_counted(name: str) -> None:
    one = sample(name)
    assert len(fields(one, "modbus && tcp.dstport == 502")) == one.truth["modbus_requests"]
    assert len(fields(one, "modbus && tcp.srcport == 502")) == one.truth["modbus_answers"]


def test_wireshark_counts_the_functions_that_pymodbus_sent() -> None:
    one = sample("unauthorised-write")
    seen = Counter(fields(one, "modbus && tcp.dstport == 502", "ip.src", "ip.dst", "modbus.func_code"))
    said = {
        (each["client"], each["server"], str(each["function"])): each["asked"]
        for each in one.truth["operation"]
    }
    assert seen == said


@pytest.mark.parametrize("name", ["normal-shift", "conduit-misuse", "unauthorised-write"])
def test_a_good_network_and_a_good_capture_show_no_oddity_of_sequence(name: str) -> None:
    oddity = "tcp.analysis.retransmission || tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment"
    assert fields(sample(name), oddity) == []


def test_wireshark_counts_the_repeats_of_the_degraded_link() -> None:
    one = sample("degraded-link")
    repeats = "(tcp.analysis.retransmission || tcp.analysis.out_of_order) && tcp.len > 0"
    talks = one.truth["conversation"]
    assert len(fields(one, repeats)) == sum(talk[kind] for talk in talks for kind in REPEATS)
    spurious = len(fields(one, "tcp.analysis.spurious_retransmission && tcp.len > 0"))
    assert spurious == sum(talk["repeated_in_vain"] for talk in talks)


def test_outside_its_bad_minutes_the_degraded_link_is_good() -> None:
    odd = fields(sample("degraded-link"), "tcp.analysis.retransmission && tcp.len > 0", "frame.time_relative")
    # The last segment lost in the bad minutes is sent again up to a second later.
    assert all(8 * 60 - 1 <= float(at) <= 16 * 60 + 1 for (at,) in odd)


def test_the_round_trip_of_the_degraded_link_shows_in_wiresharks_handshakes() -> None:
    one = sample("degraded-link")
    names = ("ip.src", "ip.dst", "frame.time_epoch", "tcp.analysis.initial_rtt")
    ends = fields(one, "tcp.flags == 0x010 && tcp.seq == 1 && tcp.ack == 1 && tcp.len == 0", *names)
    for path in one.truth["round_trip"]:
        start, end = (Decimal(path[name].timestamp()) for name in ("from", "to"))
        measured = sorted(
            Decimal(rtt) * 1_000_000_000
            for client, server, at, rtt in ends
            if (client, server) == (path["client"], path["server"]) and start <= Decimal(at) < end
        )
        assert measured, path
        tolerance = max(3 * path["rtt_ns"] // 100, 300_000)
        assert abs(measured[len(measured) // 2] - path["rtt_ns"]) <= tolerance, path


def test_every_span_duplicate_is_an_earlier_packet_again() -> None:
    one = sample("gap-and-duplicates")
    packets = Counter(
        fields(one, "ip", "ip.src", "ip.dst", "ip.id", "tcp.seq_raw", "tcp.ack_raw", "udp.length")
    )
    assert sum(count - 1 for count in packets.values()) == one.truth["span_duplicates"]
    assert max(packets.values()) == 2


def test_every_removed_segment_leaves_a_hole_of_its_own() -> None:
    one = sample("gap-and-duplicates")
    reached: dict[tuple[str, str], int] = {}
    holes = 0
    rows = fields(
        one, "tcp", "tcp.stream", "ip.src", "tcp.seq_raw", "tcp.len", "tcp.flags.syn", "tcp.flags.fin"
    )
    for stream, sender, seq, length, syn, fin in rows:
        direction, start = (stream, sender), int(seq)
        holes += start > reached.get(direction, start)
        reached[direction] = max(reached.get(direction, 0), start + int(length) + (syn == "1") + (fin == "1"))
    assert holes == one.truth["removed_data_segments"]
