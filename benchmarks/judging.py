"""What judging costs beside decoding: the parts of a replay, policies of any size, and a flood of forged sources.

usage: python -m benchmarks.judging CAPTURE… [--rounds 3] [--packets 200000] [--sources 1000000] [--no-write]

CPU time of this process, the least of interleaved rounds. Every figure is relative to decoding the same capture alone
in the same run: what a machine, or a busy hour, adds to both falls out.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from analyzers.behaviour import Behaviour
from analyzers.conformance import Conformance
from analyzers.conversations import Conversations
from analyzers.polls.watch import Polls
from analyzers.sla import Meter
from benchmarks.captures import cut
from benchmarks.forged import Flooded, flooded
from benchmarks.machine import describe
from benchmarks.policies import site
from benchmarks.profiling import Spent, profiled
from benchmarks.storing import Keeping, keeping
from geophone.starting import begin_with_huge_pages
from policy.zoning import CompiledSite
from sensors.engine import Batches, decode

RESULTS: Final = Path(__file__).resolve().parent / "results" / "judging.md"

#: Assets and rules of the policy whose parts are measured, and the sizes over which the cost has to stay flat.
_USUAL: Final = (100, 100)
SIZES: Final = (10, 100, 1_000, 10_000)

#: Files in the table of the profile.
_PROFILED: Final = 24

_Result = TypeVar("_Result")

#: CPU seconds by part.
Cost = dict[str, float]


class _Clock:
    """Adds up what each part takes."""

    def __init__(self) -> None:
        self.cost: Cost = {}

    def run(self, part: str, work: Callable[[], _Result]) -> _Result:
        """Do it, on the account of that part."""
        started = time.process_time()
        result = work()
        self.cost[part] = self.cost.get(part, 0.0) + time.process_time() - started
        return result


def parts(capture: Path, compiled: CompiledSite) -> Cost:
    """One replay without a store, part by part; "decode" is the first."""
    return _replayed(capture, compiled, None)


def stored(capture: Path, compiled: CompiledSite) -> Cost:
    """One replay from the capture to the stored findings, part by part."""
    with keeping(capture) as keep:
        return _replayed(capture, compiled, keep)


def _replayed(capture: Path, compiled: CompiledSite, keep: Keeping | None) -> Cost:
    clock = _Clock()
    conversations, meter, polls = Conversations(compiled), Meter(compiled), Polls(compiled, "", "")
    checks, detections = Conformance(compiled, "", ""), Behaviour(compiled, "", "")
    with decode(capture) as run:
        batches = iter(run)
        while (batch := clock.run("decode", lambda: next(batches, None))) is not None:
            _feed(clock, batch, conversations, checks, detections, polls, meter)
            if keep is not None:
                clock.run("storing", partial(keep.add, batch))
    found = clock.run("checks", lambda: checks.finish(""))
    found += clock.run("detections", lambda: detections.finish(""))
    found += clock.run("polls", lambda: polls.finish(""))
    minutes = clock.run("measuring", meter.finish)
    if keep is not None:
        clock.run("storing", lambda: keep.finish(minutes, found))
    return clock.cost


def _feed(
    clock: _Clock,
    batch: Batches,
    conversations: Conversations,
    checks: Conformance,
    detections: Behaviour,
    polls: Polls,
    meter: Meter,
) -> None:
    coverage = batch.get("coverage")
    traffic = clock.run("conversations", lambda: conversations.enrich(batch))
    clock.run("checks", lambda: checks.feed(traffic))
    clock.run("detections", lambda: detections.feed(traffic))
    clock.run("polls", lambda: polls.feed(traffic, coverage))
    clock.run("measuring", lambda: meter.feed(traffic, coverage))


def least(runs: Sequence[Cost]) -> Cost:
    """The least of each part: disturbance only adds."""
    return {part: min(run[part] for run in runs) for part in runs[0]}


def sized(capture: Path, rounds: int) -> dict[str, Cost]:
    """The cost of each part with policies of every size, interleaved."""
    policies = {
        **{f"{number:,} rules": site(10, number) for number in SIZES},
        **{f"{number:,} assets": site(number, 10) for number in SIZES},
    }
    runs: dict[str, list[Cost]] = {name: [] for name in policies}
    for _ in range(rounds):
        for name, compiled in policies.items():
            runs[name].append(parts(capture, compiled))
    return {name: least(costs) for name, costs in runs.items()}


def _parts_table(cost: Cost) -> list[str]:
    whole, decoding = sum(cost.values()), cost["decode"]
    bare = whole - cost["storing"]
    judging = cost["checks"] + cost["detections"]
    lines = [
        "| part | of decoding | of the replay, stored | of the replay without a store |",
        "|---|--:|--:|--:|",
    ]
    for part, value in cost.items():
        without = f"{value / bare:.0%}" if part != "storing" else ""
        lines.append(f"| {part} | {value / decoding:.0%} | {value / whole:.0%} | {without} |")
    return [
        *lines,
        "",
        f"Checks and detections together: {judging / whole:.0%} of the replay from the capture to the stored findings,",
        f"{judging / bare:.0%} of one that stores nothing.",
    ]


def _profile_table(spent: Sequence[Spent]) -> list[str]:
    return [
        "| file | of the profiled replay |",
        "|---|--:|",
        *(f"| {one.file} | {one.share:.1%} |" for one in spent[:_PROFILED]),
    ]


def _sizes_table(costs: dict[str, Cost]) -> list[str]:
    lines = [
        "| policy | checks, of decoding | detections, of decoding | both, of size 10 |",
        "|---|--:|--:|--:|",
    ]
    for name, cost in costs.items():
        base = costs[f"{SIZES[0]} {name.split()[1]}"]
        both, least_both = (one["checks"] + one["detections"] for one in (cost, base))
        shares = " | ".join(f"{cost[part] / cost['decode']:.0%}" for part in ("checks", "detections"))
        lines.append(f"| {name} | {shares} | {both / least_both:.2f} |")
    return lines


def _flood_table(floods: Sequence[Flooded]) -> list[str]:
    lines = [
        "| forged sources | CPU µs a source | forgotten | memory, MiB | found |",
        "|--:|--:|--:|--:|---|",
    ]
    lines += [
        f"| {one.sources:,} | {one.cpu_s * 1e6 / one.sources:.1f} | {one.evicted:,} "
        f"| {one.grown_bytes / 2**20:.0f} | {', '.join(one.found)} |"
        for one in floods
    ]
    return lines


def report(
    costs: dict[str, Cost], spent: Sequence[Spent], sizes: dict[str, Cost], floods: Sequence[Flooded]
) -> str:
    """The tables as Markdown."""
    machine = "; ".join(f"{name}: {value}" for name, value in describe().items())
    return "\n".join(
        [
            "# What judging costs beside decoding",
            "",
            f"Written by `python -m benchmarks.judging {' '.join(costs)}`. CPU time of the process, all threads, the",
            "least of interleaved rounds. The store is embedded; opening it does not count.",
            "",
            f"Machine: {machine}.",
            "",
            *_replays(costs),
            f"## Where judging {next(iter(costs))} spends it",
            "",
            "A replay without a store under cProfile: what each file took, with the libraries that it called. Watching",
            "makes Python dearer and leaves compiled code as it is.",
            "",
            *_profile_table(spent),
            "",
            "## Policies of any size",
            "",
            "Flat is 1.00: a row costs the same under ten rules and under ten thousand.",
            "",
            *_sizes_table(sizes),
            "",
            "## A flood of forged sources and one real scanner",
            "",
            "Every source begins one connection; a scanner among them knocks at a hundred addresses. Memory is what",
            "the process has grown by, the traffic itself included.",
            "",
            *_flood_table(floods),
            "",
        ]
    )


def _replays(costs: dict[str, Cost]) -> list[str]:
    lines = []
    for name, cost in costs.items():
        title = f"## A replay of {name}, part by part ({_USUAL[0]} assets, {_USUAL[1]} rules)"
        lines += [title, "", *_parts_table(cost), ""]
    return lines


def main() -> None:
    """Measure, print and record."""
    begin_with_huge_pages()
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("captures", nargs="+", type=Path, help="generated captures: mixed_1m.pcap")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--packets", type=int, default=200_000, help="of the capture, for the sizes of policies"
    )
    parser.add_argument("--sources", type=int, default=1_000_000, help="of the largest flood")
    parser.add_argument("--no-write", action="store_true", help="print only")
    options = parser.parse_args()
    usual = site(*_USUAL)
    runs: dict[str, list[Cost]] = {capture.name: [] for capture in options.captures}
    for _ in range(options.rounds):
        for capture in options.captures:
            runs[capture.name].append(stored(capture, usual))
    first = options.captures[0]
    spent = profiled(lambda: parts(first, usual))
    with tempfile.TemporaryDirectory() as folder:
        part = Path(folder) / "part.pcap"
        cut(first, options.packets, part)
        sizes = sized(part, options.rounds)
    floods = [flooded(sources) for sources in (options.sources // 10, options.sources)]
    text = report({name: least(costs) for name, costs in runs.items()}, spent, sizes, floods)
    print(text)
    if not options.no_write:
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
