"""The sensor on a real wire: it hears everything, says nothing, and what it hears is what a capture file gives."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import polars as pl
import pytest

from sensors.decode import readable
from sensors.engine import decode
from sensors.records import table as declared
from tests.sensors.talks import talk, write_pcap
from tests.support.frame_sender import frames
from tests.support.sensor import Sensor, sensor, table
from tests.support.wire import FAR, TAP, Wire, wire

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces and packet sockets need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is not installed"),
]


@pytest.fixture
def span(request: pytest.FixtureRequest) -> Iterator[Wire]:
    with wire("live") as made:
        yield made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may reach: the sensor writes as nobody, and pytest's own folders are closed to it."""
    with tempfile.TemporaryDirectory(prefix="geophone-live-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def tagged(frame: bytes, tag: bytes = b"\x81\x00\x20\x64") -> bytes:
    """The frame with a VLAN tag: priority 1, VLAN 100."""
    return frame[:12] + tag + frame[12:]


def mixed_talks() -> list[bytes]:
    """Talks without a tag, with one, and with two."""
    plain = talk(20)
    vlan = [tagged(frame) for frame in talk(20, client="10.1.0.6", sport=41_000)]
    service = b"\x88\xa8\x00\x07"
    double = [tagged(tagged(f), service) for f in talk(20, client="10.1.0.7", sport=42_000)]
    return [frame for three in zip(plain, vlan, double, strict=True) for frame in three]


def of_file(capture: Path, name: str) -> pl.DataFrame:
    """All rows of one table of a capture file, as the sensor writes them."""
    with decode(capture) as run:
        parts = [readable(batches[name], declared(name)) for batches in run if name in batches]
    return pl.concat(pl.DataFrame(part) for part in parts)


def without_times(rows: pl.DataFrame) -> pl.DataFrame:
    """What does not depend on when the frames came."""
    timed = [
        name
        for name, kind in rows.schema.items()
        if kind == pl.Datetime or name.endswith(("_ns", "_rtt", "delay", "latency"))
    ]
    return rows.drop(timed)


def test_nothing_is_sent_and_no_address_appears(span: Wire, open_folder: Path) -> None:
    capture = write_pcap(open_folder / "talk.pcap", talk(50))
    addresses = span.run("ip", "-br", "address")
    before = span.sent_by(TAP)
    with sensor(
        span, "--out", open_folder / "out", "--write", open_folder / "rec", "--fanout", "2", "--wait"
    ) as running:
        assert "promiscuity 2" in span.run("ip", "-d", "link", "show", TAP)
        span.send(capture)
        running.wait_for(lambda: (open_folder / "rec").exists() and any((open_folder / "rec").iterdir()))
        assert running.stop()["packets"] == 156
    assert span.sent_by(TAP) == before == 0
    assert span.run("cat", f"/sys/class/net/{FAR}/statistics/rx_packets") == "0\n"
    assert span.run("ip", "-br", "address") == addresses
    assert "promiscuity 0" in span.run("ip", "-d", "link", "show", TAP)


def test_live_rows_are_those_of_the_capture_file_tags_included(span: Wire, open_folder: Path) -> None:
    capture = write_pcap(open_folder / "mixed.pcap", mixed_talks())
    with sensor(span, "--out", open_folder / "out") as running:
        span.send(capture)
        time.sleep(0.3)
        summary = running.stop()
    assert summary["packets"] == len(mixed_talks())
    assert summary["dropped_packets"] == 0
    for name in ("flow_starts", "modbus", "flows"):
        live, file = table(open_folder / "out", name), of_file(capture, name)
        assert without_times(live).to_dicts() == without_times(file).to_dicts(), name
    assert sorted(table(open_folder / "out", "flow_starts")["vlan"].to_list()) == sorted(
        of_file(capture, "flow_starts")["vlan"].to_list()
    )


def test_a_sample_capture_put_on_the_wire_gives_its_rows(span: Wire, open_folder: Path) -> None:
    capture = open_folder / "sample.pcap"
    subprocess.run(["editcap", "-F", "pcap", "pcaps/unauthorised-write.pcapng", str(capture)], check=True)
    with sensor(span, "--out", open_folder / "out") as running:
        span.send(capture, "--pause", "0.002")
        time.sleep(0.3)
        running.stop()
    for name in ("flow_starts", "modbus"):
        live, file = table(open_folder / "out", name), of_file(capture, name)
        assert without_times(live).to_dicts() == without_times(file).to_dicts(), name


def test_what_this_machine_sends_on_the_interface_is_left_out_and_told(span: Wire, open_folder: Path) -> None:
    capture = write_pcap(open_folder / "talk.pcap", talk(5))
    with sensor(span) as running:
        span.send(capture, interface=TAP)
        time.sleep(0.3)
        summary = running.stop()
    assert (summary["packets"], summary["own_packets"]) == (0, 21)
    assert f"{TAP}: this machine itself sends on it; its packets are left out" in running.said


def test_what_the_kernel_drops_is_counted_everywhere(span: Wire, open_folder: Path) -> None:
    capture = write_pcap(open_folder / "talk.pcap", talk(300))
    sent = 20 * 906
    with sensor(
        span, "--ring-mib", "1", "--out", open_folder / "out", "--write", open_folder / "rec"
    ) as running:
        running.process.send_signal(signal.SIGSTOP)
        span.send(capture, "--times", "20")
        running.process.send_signal(signal.SIGCONT)
        time.sleep(1.5)
        # One frame more, after which the drops are told in the recording too.
        span.send(write_pcap(open_folder / "one.pcap", talk(1)[:1]))
        time.sleep(0.3)
        summary = running.stop()
    assert summary["dropped_packets"] > 0
    assert summary["packets"] + summary["dropped_packets"] == sent + 1
    assert summary["full_ring"] > 0
    assert summary["coverage"] < 1
    assert table(open_folder / "out", "coverage")["dropped_packets"].sum() == summary["dropped_packets"]
    assert of_file(open_folder / "rec", "coverage")["dropped_packets"].sum() == summary["dropped_packets"]


def test_two_rings_share_the_flows_and_each_flow_is_in_one(span: Wire, open_folder: Path) -> None:
    talks = [talk(10, client=f"10.1.1.{n}", sport=40_000 + 7 * n) for n in range(40)]
    capture = write_pcap(
        open_folder / "talks.pcap", [f for several in zip(*talks, strict=True) for f in several]
    )
    with sensor(
        span, "--fanout", "2", "--out", open_folder / "out", "--write", open_folder / "rec"
    ) as running:
        span.send(capture)
        time.sleep(0.3)
        summary = running.stop()
    assert summary["packets"] == summary["recorded_packets"] == 40 * 36
    flows = table(open_folder / "out", "flows")
    assert (flows.height, flows["flow_id"].n_unique()) == (40, 40)
    assert flows["packets_c2s"].unique().to_list() == [2 + 20 + 2]
    assert flows["packets_s2c"].unique().to_list() == [1 + 10 + 1]
    assert table(open_folder / "out", "modbus")["outcome"].unique().to_list() == ["answered"]
    # Each ring has half of the numbers.
    halves = {flow_id > (2**32 - 1) // 2 for flow_id in flows["flow_id"]}
    assert halves == {False, True}
    assert of_file(open_folder / "rec", "modbus").height == 400


def _numbered_anew(running: Sensor, times: int) -> bool:
    """Whether it said so often that flows are."""
    return sum("numbered anew" in line for line in running.said) >= times


def test_flows_whose_numbers_are_used_up_are_numbered_anew_and_join_none(
    span: Wire, open_folder: Path
) -> None:
    out = open_folder / "out"
    with sensor(span, "--fanout", "2", "--out", out, "--limit", "flow_numbers=80") as running:
        for turn in range(3):
            # Of 40 flows at least one ring has 20, which half of 80 numbers are too few for: all may be numbered twice.
            talks = [talk(2, client=f"10.1.{turn}.{n}", sport=40_000 + 7 * n) for n in range(40)]
            span.send(write_pcap(open_folder / f"{turn}.pcap", [frame for one in talks for frame in one]))
            running.wait_for(partial(_numbered_anew, running, turn + 1))
        summary = running.stop()
    folders = [out, *sorted(out.glob("from-*"))]
    assert len(folders) == summary["numbered_anew"] + 1 >= 4
    assert f"are in {folders[1]}" in "\n".join(running.said)
    clients = []
    for folder in folders:
        if not (folder / "flows").exists():
            continue
        starts, modbus = table(folder, "flow_starts"), table(folder, "modbus")
        assert starts["flow_id"].n_unique() == starts.height
        assert starts.filter(pl.col("flow_id") > 80).is_empty()
        assert starts["flow_id"].sort().equals(table(folder, "flows")["flow_id"].sort())
        asked = modbus.join(starts.select("flow_id", of_flow="client_ip"), on="flow_id")
        assert asked.height == modbus.height
        assert asked["client_ip"].equals(asked["of_flow"], check_names=False)
        clients += modbus["client_ip"].to_list()
    # Every request is there, once, wherever its flow was cut.
    assert sorted(clients) == sorted(
        f"10.1.{turn}.{n}" for turn in range(3) for n in range(40) for _ in range(2)
    )


def test_privileges_are_given_up_in_every_thread(span: Wire) -> None:
    with sensor(span, "--fanout", "2") as running:
        tasks = list(Path(f"/proc/{running.process.pid}/task").iterdir())
        assert len(tasks) >= 3
        for task in tasks:
            status = dict(
                line.split(":\t", 1) for line in (task / "status").read_text().splitlines() if ":\t" in line
            )
            assert status["Uid"].split() == ["65534"] * 4
            assert status["Gid"].split() == ["65534"] * 4
            assert {status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb", "CapBnd")} == {"0" * 16}
            assert status["NoNewPrivs"] == "1"
        running.stop()


@pytest.mark.parametrize(
    ("command", "said"),
    [(("link", "del", FAR), "vanished"), (("link", "set", "dev", TAP, "down"), "went down")],
    ids=["vanishes", "goes down"],
)
def test_an_interface_that_is_lost_ends_the_sensor_with_every_row(
    span: Wire, open_folder: Path, command: tuple[str, ...], said: str
) -> None:
    capture = write_pcap(open_folder / "talk.pcap", talk(20))
    with sensor(span, "--out", open_folder / "out") as running:
        span.send(capture)
        span.run("ip", *command)
        status, summary = running.ended()
    reason = f"{TAP}: the interface {said} while it was listened to"
    assert (status, summary["ended_by"]) == (2, reason)
    assert running.said[-1] == reason
    assert table(open_folder / "out", "modbus").height == 20
    anomalies = table(open_folder / "out", "anomalies")
    assert anomalies.select("kind", "detail").rows() == [("read_error", reason)]


def test_two_rings_end_when_their_interface_vanishes_even_when_told_to_wait(span: Wire) -> None:
    with sensor(span, "--wait", "--fanout", "2") as running:
        span.run("ip", "link", "del", TAP)
        status, summary = running.ended()
    assert status == 2
    assert "vanished, which several rings cannot wait for" in summary["ended_by"]


@pytest.mark.parametrize("how", ["down", "gone"])
def test_an_interface_that_comes_back_is_waited_for(span: Wire, open_folder: Path, how: str) -> None:
    capture = write_pcap(open_folder / "talk.pcap", talk(20))
    with sensor(span, "--wait") as running:
        span.send(capture)
        time.sleep(0.3)
        if how == "down":
            span.run("ip", "link", "set", "dev", TAP, "down")
            time.sleep(0.5)
        else:
            span.run("ip", "link", "del", TAP)
            time.sleep(0.5)
            span.run("ip", "link", "add", "name", TAP, "type", "veth", "peer", "name", FAR)
            span.run("ip", "link", "set", "dev", FAR, "up")
        span.run("ip", "link", "set", "dev", TAP, "up")
        # A new one is listened to when it is promiscuous, as the old one was.
        running.wait_for(lambda: "promiscuity 1" in span.run("ip", "-d", "link", "show", TAP))
        span.send(capture)
        time.sleep(0.3)
        assert running.stop()["packets"] == 2 * 66
    assert span.sent_by(TAP) == 0


def test_the_recording_holds_every_packet_byte_by_byte(span: Wire, open_folder: Path) -> None:
    capture = write_pcap(open_folder / "mixed.pcap", mixed_talks())
    with sensor(span, "--write", open_folder / "rec") as running:
        span.send(capture)
        time.sleep(0.3)
        running.stop(signal.SIGINT)
    (recorded,) = (open_folder / "rec").iterdir()
    assert recorded.stat().st_mode & 0o777 == 0o600
    plain = open_folder / "recorded.pcap"
    # Wireshark's own tool reads it and writes it as a format that the sender's test code reads.
    subprocess.run(["editcap", "-F", "pcap", str(recorded), str(plain)], check=True)
    assert list(frames(plain.read_bytes())) == mixed_talks()


def test_the_recording_stays_within_its_bounds_and_loses_the_oldest(span: Wire, open_folder: Path) -> None:
    folder = open_folder / "rec"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    stranger = folder / "evidence-of-march.pcapng"
    stranger.touch()
    earlier = folder / f"20200101T000000.000000Z-{TAP}.pcapng"
    earlier.touch()
    other = folder / "20200101T000000.000000Z-span7.pcapng"
    other.touch()
    capture = write_pcap(open_folder / "talk.pcap", talk(1_000))
    with sensor(span, "--write", folder, "--write-mib", "1", "--write-files", "3") as running:
        span.send(capture, "--times", "20")
        time.sleep(1.2)
        summary = running.stop()
    files = sorted(file for file in folder.iterdir() if file not in (stranger, other))
    assert len(files) == 3
    assert all(file.stat().st_size <= 1 << 20 for file in files)
    assert stranger.exists()
    assert other.exists()
    assert not earlier.exists()
    assert summary["recorded_packets"] == summary["packets"] == 20 * 3_006
    assert summary["recorded_files"] - (summary["removed_files"] - 1) == 3
    counts = [
        subprocess.run(["tshark", "-r", str(file)], capture_output=True, text=True, check=True).stdout
        for file in files
    ]
    kept = sum(len(text.splitlines()) for text in counts)
    assert kept > 15_000
    # What is kept is the end: the last frame is the last one sent.
    assert "40000 → 502 [ACK] Seq" in counts[-1].splitlines()[-1]


def test_a_killed_sensor_leaves_a_readable_recording(span: Wire, open_folder: Path) -> None:
    capture = write_pcap(open_folder / "talk.pcap", talk(1_000))
    with sensor(span, "--write", open_folder / "rec") as running:
        span.send(capture, "--times", "20")
        # It is written down within a second of its coming, without any more coming, on a machine that has the time.
        content = 20 * sum(32 + len(frame) for frame in frames(capture.read_bytes()))
        running.wait_for(
            lambda: sum(file.stat().st_size for file in (open_folder / "rec").iterdir()) > content
        )
        time.sleep(1.5)
        span.send(capture)
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
    (recorded,) = (open_folder / "rec").iterdir()
    counted = subprocess.run(["tshark", "-r", str(recorded)], capture_output=True, text=True, check=True)
    # All but the last second: what came with the second sending may be there or not.
    assert len(counted.stdout.splitlines()) >= 20 * 3_006


def test_a_full_disk_stops_the_recording_and_nothing_else(span: Wire, open_folder: Path) -> None:
    small = open_folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0777", "tmpfs", str(small)], check=True)
    try:
        capture = write_pcap(open_folder / "talk.pcap", talk(1_000))
        with sensor(span, "--write", small, "--out", open_folder / "out") as running:
            span.send(capture, "--times", "10")
            time.sleep(1.2)
            summary = running.stop()
        (recorded, *more) = sorted(small.iterdir())
        read = subprocess.run(["tshark", "-r", str(recorded)], capture_output=True, text=True, check=True)
    finally:
        subprocess.run(["umount", str(small)], check=True)
    assert any("recording paused: No space left on device" in line for line in running.said)
    assert summary["packets"] == 10 * 3_006
    assert 0 < summary["recorded_packets"] < summary["packets"]
    assert summary["recorded_packets"] + summary["unrecorded_packets"] == summary["packets"]
    assert len(read.stdout.splitlines()) == summary["recorded_packets"]
    assert more == []
    assert table(open_folder / "out", "flow_minutes")["packets_c2s"].sum() > 0


def test_minutes_are_closed_by_the_clock_when_no_packet_comes(span: Wire, open_folder: Path) -> None:
    """An idle UDP flow ends by the clock alone: the limit of its silence is set to a second."""
    frame = bytearray(talk(1)[0])
    frame[14 + 9] = 17
    frame[34 + 4 : 34 + 6] = (20).to_bytes(2, "big")
    capture = write_pcap(open_folder / "one.pcap", [bytes(frame)])
    with sensor(span, "--limit", "udp_idle_s=1", "--out", open_folder / "out", "--every", "1") as running:
        span.send(capture)
        running.wait_for(lambda: any((open_folder / "out" / "flows").glob("*.parquet")))
        assert table(open_folder / "out", "flows")["end_reason"].to_list() == ["idle"]
        running.stop()
