"""Packets per second of the decoder, against other tools on the same captures in the same run.

    python -m benchmarks.throughput [--scale 0.3] [--rounds 3] [--captures FOLDER]

Rounds are interleaved: each round runs every peer once, so a slow minute of the machine hits all of them, and
the best round counts, since disturbance only ever adds time. Rates are per CPU second (user and system, all
threads) and per wall second. Start-up counts against a peer that is measured as a whole command, ours too.

Prints a table for each capture and writes benchmarks/results/throughput.json, .md and .svg.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from benchmarks.captures import ROOT, NoCaptureError, cut, generated, given
from benchmarks.machine import describe
from benchmarks.measure import Cost, measure
from benchmarks.peers import PEERS, Peer
from benchmarks.plot import svg
from benchmarks.report import Result, markdown
from geophone.starting import begin_with_huge_pages

RESULTS = ROOT / "benchmarks" / "results"


def _best(costs: list[Cost]) -> Cost:
    """The least of each figure: disturbance only adds."""
    return Cost(
        min(cost.wall_s for cost in costs),
        min(cost.cpu_s for cost in costs),
        min(cost.peak_rss_bytes for cost in costs),
    )


def _inputs(capture: Path, peers: list[Peer], scratch: Path) -> dict[str, tuple[Path, int]]:
    """For each peer: the file it reads and the packets in it, cut where the peer is slow."""
    whole = cut(capture, sys.maxsize, scratch / "whole.pcap")
    (scratch / "whole.pcap").unlink()
    inputs = {}
    for peer in peers:
        if 0 < peer.packet_limit < whole:
            target = scratch / f"{capture.stem}-{peer.packet_limit}.pcap"
            inputs[peer.name] = (target, cut(capture, peer.packet_limit, target))
        else:
            inputs[peer.name] = (capture, whole)
    return inputs


def _progress(words: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{words:<78}\r", end="", file=sys.stderr, flush=True)


def run(capture: Path, rounds: int) -> list[Result]:
    """Every peer on one capture."""
    reasons = {peer.name: peer.missing() for peer in PEERS}
    able = [peer for peer in PEERS if not reasons[peer.name]]
    costs: dict[str, list[Cost]] = {peer.name: [] for peer in able}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        inputs = _inputs(capture, able, scratch)
        for number in range(1, rounds + 1):
            for peer in able:
                _progress(f"{capture.name}: round {number} of {rounds}, {peer.name}")
                cost, output = measure(peer.command(inputs[peer.name][0], scratch))
                costs[peer.name].append(peer.cost(cost, output))
    _progress("")
    return [
        Result(capture.name, peer.name, peer.work, inputs[peer.name][1], _best(costs[peer.name]))
        if peer in able
        else Result(capture.name, peer.name, peer.work, 0, None, reasons[peer.name])
        for peer in PEERS
    ]


def main() -> int:
    """Measure, print, write; the exit status."""
    begin_with_huge_pages()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throughput", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--scale", type=float, default=0.3, help="million packets in a generated capture (0.3)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds, the best counts (3)")
    parser.add_argument("--captures", type=Path, help="a folder of pcap files instead of generated ones")
    parser.add_argument(
        "--no-write", action="store_true", help="print only, leave benchmarks/results as it is"
    )
    options = parser.parse_args()
    try:
        captures = given(options.captures) if options.captures else generated(options.scale)
    except NoCaptureError as problem:
        print(problem, file=sys.stderr)
        return 2
    machine = describe()
    versions = {peer.name: peer.version() for peer in PEERS if not peer.missing()}
    results = []
    for capture in captures:
        part = run(capture, options.rounds)
        print(markdown(part), flush=True)
        results += part
    if not options.no_write:
        _write(
            results,
            machine,
            {name: version for name, version in versions.items() if version},
            options.rounds,
        )
    return 0


def _write(results: list[Result], machine: dict[str, str], versions: dict[str, str], rounds: int) -> None:
    RESULTS.mkdir(exist_ok=True)
    record = {
        "machine": machine,
        "versions": versions,
        "rounds": rounds,
        "results": [
            {
                **asdict(one),
                "packets_per_cpu_s": one.packets_per_cpu_s,
                "packets_per_wall_s": one.packets_per_wall_s,
            }
            for one in results
        ],
    }
    (RESULTS / "throughput.json").write_text(json.dumps(record, indent=1) + "\n")
    facts = "\n".join(
        f"- {name}: {value}" for name, value in {**machine, **versions, "rounds": rounds}.items()
    )
    about = f"{machine['cpu']}, {machine['cores']} cores"
    (RESULTS / "throughput.svg").write_text(svg(results, about))
    tables = "\n".join(
        markdown([one for one in results if one.capture == capture])
        for capture in dict.fromkeys(one.capture for one in results)
    )
    (RESULTS / "throughput.md").write_text(
        f"# Throughput\n\nWritten by `make bench`; the best of the interleaved rounds.\n\n"
        f"![packets per CPU second](throughput.svg)\n\n{facts}\n\n{tables}"
    )


if __name__ == "__main__":
    sys.exit(main())
