"""What a packet and a flow cost as the number of concurrent flows grows: 1,000 to 1,000,000.

    python -m benchmarks.flows [--flows 1000 10000 100000 1000000] [--rounds 3]

Every flow is a Modbus conversation that is polled. A request and its answer open each flow; then every flow is visited
in shuffled order, again and again, the worst that can happen to a cache. Each size runs in a process of its own,
once a round, rounds interleaved, the best counts. Cost is CPU time of the packets after the flows are open, in batches
of the same size for all, without the batch in which the capture ends, as that ends the flows too; memory is the growth
of the resident set from before the first flow to after the last, divided by the flows.

Beside it stands what the machine's memory alone asks for: as many cache lines as the engine reads for a packet, those
of one flow side by side, flows in random order, read by one loop that does nothing else.

Prints a table and writes benchmarks/results/flows.json and .md.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import numpy as np

from benchmarks.captures import ROOT
from benchmarks.machine import describe
from geophone.starting import begin_with_huge_pages

RESULTS = ROOT / "benchmarks" / "results"

#: Packets in one batch while flows are open.
_BATCH = 65_536
#: Least packets that are measured, however few flows there are.
_LEAST_PACKETS = 2_000_000
#: Cache lines that the engine reads for such a packet: five of the flow, two of its Modbus, one each of the index of
#: flows and of the packets that were seen last.
_LINES = 9
_LINE_WORDS = 8

_START_S = 1_700_000_040
_PCAP_HEADER = np.frombuffer(
    bytes.fromhex("4d3cb2a1 0200 0400 00000000 00000000 ffff0000 01000000".replace(" ", "")), np.uint8
)
#: Ethernet, IPv4, TCP and a read of 10 holding registers; addresses, ports and numbers are filled in.
_REQUEST = bytes.fromhex(
    "020000000002 020000000001 0800"
    "4500 0034 0001 4000 4006 0000 0a000000 0a800000"
    "0000 01f6 00000001 00000001 5018 2000 0000 0000"
    "0000 0000 0006 01 03 0000 000a".replace(" ", "")
)
#: The answer: 20 bytes of registers.
_ANSWER = bytes.fromhex(
    "020000000001 020000000002 0800"
    "4500 0045 0001 4000 4006 0000 0a800000 0a000000"
    "01f6 0000 00000001 00000001 5018 2000 0000 0000"
    "0000 0000 0017 01 03 14".replace(" ", "")
) + bytes(20)


@dataclass(frozen=True, slots=True)
class Row:
    """One size: flows, packets measured, CPU nanoseconds of one and of its memory alone, bytes of a flow, peak."""

    flows: int
    packets: int
    cpu_ns_per_packet: float
    memory_ns_per_packet: float
    cpu_ns_per_opening: float
    bytes_per_flow: float
    peak_mib: float

    def at_best(self, other: Row) -> Row:
        """The better of two measurements, each figure by itself: whatever else runs only ever adds to them."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Row(*(min(mine, others) for mine, others in pairs))


def _records(template: bytes, flows: np.ndarray, first: int, turn: int, answer: bool) -> np.ndarray:
    """One packet for each of `flows`, as pcap records of nanosecond captures."""
    size = len(template)
    rows = np.empty((len(flows), 16 + size), np.uint8)
    rows[:, 16:] = np.frombuffer(template, np.uint8)
    ns = (first + np.arange(len(flows), dtype=np.int64)) * 2_000
    head = np.empty((len(flows), 4), "<u4")
    head[:, 0] = _START_S + ns // 1_000_000_000
    head[:, 1] = ns % 1_000_000_000
    head[:, 2:] = size
    rows[:, :16] = head.view(np.uint8).reshape(len(flows), 16)

    def put(at: int, values: np.ndarray, kind: str) -> None:
        width = np.dtype(kind).itemsize
        rows[:, 16 + at : 16 + at + width] = values.astype(kind).view(np.uint8).reshape(len(flows), width)

    client, port = 0x0A000000 + flows // 16, 40_000 + flows % 16
    server = 0x0A800000 + flows // 64
    put(26, server if answer else client, ">u4")
    put(30, client if answer else server, ">u4")
    put(36 if answer else 34, port, ">u2")
    # sequence numbers go on by what each side has sent
    asked, told = 12 * (turn + answer), 29 * turn
    put(38, np.full(len(flows), 1_000 + (told if answer else 12 * turn)), ">u4")
    put(42, np.full(len(flows), 1_000 + (asked if answer else told)), ">u4")
    put(18, np.full(len(flows), 1 + 2 * turn + answer), ">u2")
    put(54, np.full(len(flows), turn + 1), ">u2")
    return rows


def write_capture(path: Path, flows: int) -> int:
    """A capture of `flows` polled conversations; gives its packets."""
    order = np.random.default_rng(1)
    numbers = np.arange(flows, dtype=np.int64)
    turns = 1 + max(2, _LEAST_PACKETS // (2 * flows))
    written = 0
    with path.open("wb") as out:
        out.write(_PCAP_HEADER.tobytes())
        for turn in range(turns):
            for answer in (False, True):
                shuffled = numbers if turn == 0 and not answer else order.permutation(numbers)
                for start in range(0, flows, _BATCH):
                    some = shuffled[start : start + _BATCH]
                    template = _ANSWER if answer else _REQUEST
                    out.write(_records(template, some, written, turn, answer).tobytes())
                    written += len(some)
    return written


def _resident_bytes() -> int:
    fields = Path("/proc/self/statm").read_text().split()
    return int(fields[1]) * 4096


def _opening(capture: Path, flows: int) -> tuple[float, float]:
    """CPU nanoseconds and resident bytes that a flow takes to be opened."""
    from sensors.engine import EngineLimits, decode

    with decode(capture, limits=EngineLimits(flow_limit=2 * flows), max_packets=min(_BATCH, flows)) as run:
        gc.collect()
        before = _resident_bytes()
        started = time.process_time()
        opened = 0
        while opened < flows:
            opened += next(run)["flow_starts"].num_rows
        return (time.process_time() - started) * 1e9 / flows, (_resident_bytes() - before) / flows


def _steady(capture: Path, flows: int, packets: int) -> tuple[int, float]:
    """Packets of flows that are open, in whole batches, and the CPU nanoseconds of one."""
    from sensors.engine import EngineLimits, decode

    with decode(capture, limits=EngineLimits(flow_limit=2 * flows), max_packets=_BATCH) as run:
        done = 0
        while done < 2 * flows:
            next(run)
            done += _BATCH
        first, started = done, time.process_time()
        while done + _BATCH < packets:
            next(run)
            done += _BATCH
        return done - first, (time.process_time() - started) * 1e9 / (done - first)


def _memory_alone(flows: int) -> float:
    """CPU nanoseconds that reading the lines of a packet takes where nothing else is done."""
    order = np.random.default_rng(2)
    # A word of every line is read: which, does not matter.
    lines = np.arange(flows * _LINES * _LINE_WORDS, dtype=np.int64)
    within = np.arange(_LINES, dtype=np.int64) * _LINE_WORDS
    seen = np.empty(_BATCH // 4 * _LINES, np.int64)
    spent, packets = 0.0, 0
    while packets < _LEAST_PACKETS // 2:
        visited = order.integers(flows, size=_BATCH // 4) * (_LINES * _LINE_WORDS)
        places = (visited[:, None] + within).ravel()
        started = time.process_time()
        lines.take(places, out=seen, mode="clip")
        spent += time.process_time() - started
        packets += len(visited)
    return spent * 1e9 / packets


def measure_one(capture: Path, flows: int, packets: int) -> Row:
    """Decode a capture of `write_capture`, which has so many packets, in this process."""
    from resource import RUSAGE_SELF, getrusage

    opening_ns, held_bytes = _opening(capture, flows)
    measured, packet_ns = _steady(capture, flows, packets)
    peak_mib = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    return Row(flows, measured, packet_ns, _memory_alone(flows), opening_ns, held_bytes, peak_mib)


def main() -> int:
    """Measure and write."""
    begin_with_huge_pages()
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--flows", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument(
        "--one", nargs=3, metavar=("CAPTURE", "FLOWS", "PACKETS"), help="measure one, print JSON"
    )
    chosen = options.parse_args()
    if chosen.one:
        capture, flows, packets = chosen.one
        print(json.dumps(asdict(measure_one(Path(capture), int(flows), int(packets)))))
        return 0
    machine = describe()
    best: dict[int, Row] = {}
    with tempfile.TemporaryDirectory() as folder:
        captures = {flows: Path(folder) / f"{flows}.pcap" for flows in chosen.flows}
        packets_of = {flows: write_capture(capture, flows) for flows, capture in captures.items()}
        for _ in range(chosen.rounds):
            for flows, capture in captures.items():
                one = ["--one", str(capture), str(flows), str(packets_of[flows])]
                command = [sys.executable, "-m", "benchmarks.flows", *one]
                row = Row(**json.loads(subprocess.run(command, check=True, capture_output=True).stdout))
                best[flows] = row.at_best(best.get(flows, row))
    text = _markdown(list(best.values()), machine)
    print(text)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "flows.md").write_text(text)
    report = {"machine": machine, "rows": [asdict(row) for row in best.values()]}
    (RESULTS / "flows.json").write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _markdown(rows: list[Row], machine: dict[str, str]) -> str:
    base = rows[0].cpu_ns_per_packet
    lines = [
        f"| {row.flows:,} | {row.packets:,} | {row.cpu_ns_per_packet:,.0f} | {row.cpu_ns_per_packet / base:.2f} "
        f"| {row.memory_ns_per_packet:,.0f} | {row.cpu_ns_per_opening:,.0f} | {row.bytes_per_flow:,.0f} "
        f"| {row.peak_mib:,.0f} |\n"
        for row in rows
    ]
    about = ", ".join(f"{name} {value}" for name, value in machine.items())
    return (
        "# Cost by concurrent flows\n\n"
        f"`python -m benchmarks.flows`; {about}.\n\n"
        f"Memory alone: {_LINES} cache lines of random flows, read by a loop that does nothing else.\n\n"
        "| flows | packets | CPU ns/packet | of the first | memory alone, ns | CPU ns/new flow | bytes/flow "
        "| peak MiB |\n"
        "|--:|--:|--:|--:|--:|--:|--:|--:|\n" + "".join(lines)
    )


if __name__ == "__main__":
    sys.exit(main())
