"""The SLA's samples beside Wireshark's, one by one; `python -m tests.shared_captures.sla_agreement` writes the page.

Wireshark's are read here, from `tshark -T fields`, not through our crosscheck; from that comes only the reason why a
sample differs, each of which was verified by hand (`verified.yaml`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.shared_captures.captures import FOLDER, NAMES, rows
from tests.shared_captures.crosschecks import TSHARK, VERIFIED, found
from tests.shared_captures.estimators import estimator_lines
from tests.support.wireshark import wireshark_fields

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "sla-agreement.md"
#: What two samples of one round trip may differ by.
TOLERANCE_NS: Final = 1_000
HANDSHAKE: Final = "handshake"
ACK: Final = "ACK"
INDICATORS: Final = (HANDSHAKE, ACK)
#: The field of the crosscheck that tells why a sample of one differs or is not there.
_FIELDS: Final = {HANDSHAKE: ("handshake round trip",), ACK: ("round-trip sample", "round-trip time")}
_BOTH_WAYS: Final = ("handshake_server", "handshake_client", "ack_server", "ack_client")


@dataclass(frozen=True, slots=True)
class Pair:
    """One round trip: our samples that end at a frame, and Wireshark's; None or empty where one takes none."""

    capture: str
    frame: int
    ours_ns: tuple[int, ...]
    wireshark_ns: int | None
    reason: str = ""

    @property
    def beside(self) -> bool:
        """Whether both have a sample."""
        return bool(self.ours_ns) and self.wireshark_ns is not None

    @property
    def alike(self) -> bool:
        """Whether both have one, and they are within the tolerance."""
        theirs = self.wireshark_ns
        return theirs is not None and any(abs(own - theirs) <= TOLERANCE_NS for own in self.ours_ns)

    @property
    def right(self) -> str:
        """Who is right about a difference."""
        return VERIFIED[self.reason][0] if self.reason in VERIFIED else "**unknown**"


@cache
def pairs(capture: str, indicator: str) -> tuple[Pair, ...]:
    """Every sample of either, with the reason where they are not alike."""
    ours, theirs = (_ours(capture, indicator), _wiresharks(capture, indicator))
    reasons = _reasons(capture, indicator)
    made = (
        Pair(capture, frame, tuple(ours.get(frame, ())), theirs.get(frame))
        for frame in sorted(ours.keys() | theirs.keys())
    )
    return tuple(
        pair
        if pair.alike
        else Pair(capture, pair.frame, pair.ours_ns, pair.wireshark_ns, _why(pair, reasons))
        for pair in made
    )


def everywhere(indicator: str) -> list[Pair]:
    """The samples of all captures."""
    return [pair for name in NAMES for pair in pairs(name, indicator)]


def _ours(capture: str, indicator: str) -> dict[int, list[int]]:
    samples = rows(capture, "rtt")
    found_ns: dict[int, list[int]] = {}
    if indicator == ACK:
        for frame, kind, rtt_ns in samples.select("frame", "kind", "rtt_ns").iter_rows():
            if kind in _BOTH_WAYS:
                found_ns.setdefault(frame, []).append(rtt_ns)
        return found_ns
    halves: dict[int, dict[str, tuple[int, int]]] = {}
    for flow, frame, kind, rtt_ns in samples.select("flow_id", "frame", "kind", "rtt_ns").iter_rows():
        if kind in ("handshake_server", "handshake_client"):
            halves.setdefault(flow, {})[kind] = frame, rtt_ns
    for half in halves.values():
        if len(half) == 2:
            acked, _ = half["handshake_client"]
            found_ns[acked] = [sum(rtt_ns for _, rtt_ns in half.values())]
    return found_ns


@cache
def _fields(capture: str) -> tuple[tuple[int, str, int | None, int | None], ...]:
    """Frame, stream, initial RTT and ACK RTT, ns, of every frame that has one of them."""
    names = ("frame.number", "tcp.stream", "tcp.analysis.initial_rtt", "tcp.analysis.ack_rtt")
    wanted = "tcp.analysis.initial_rtt or tcp.analysis.ack_rtt"
    return tuple(
        (int(frame), stream, _nanoseconds(initial), _nanoseconds(ack))
        for frame, stream, initial, ack in wireshark_fields(FOLDER / capture, wanted, *names)
    )


def _wiresharks(capture: str, indicator: str) -> dict[int, int]:
    if indicator == ACK:
        return {frame: ack for frame, _, _, ack in _fields(capture) if ack is not None}
    first: dict[str, tuple[int, int]] = {}
    for frame, stream, initial, _ in _fields(capture):
        if initial is not None:
            first.setdefault(stream, (frame, initial))
    return dict(first.values())


def _nanoseconds(seconds: str) -> int | None:
    """`0.000166000` without a float's rounding."""
    if not seconds:
        return None
    whole, _, part = seconds.partition(".")
    return int(whole) * 1_000_000_000 + int(part.ljust(9, "0"))


def _reasons(capture: str, indicator: str) -> dict[tuple[int, str], str]:
    """Why, by frame, and for handshakes (told at their SYN there) by Wireshark's time."""
    told = {}
    for field in found(capture).fields:
        if field.protocol == "tcp" and field.field in _FIELDS[indicator]:
            for one in field.differences:
                told[one.frame, ""] = told[0, one.wireshark] = one.explanation
    return told


def _why(pair: Pair, reasons: dict[tuple[int, str], str]) -> str:
    return reasons.get((pair.frame, "")) or reasons.get((0, str(pair.wireshark_ns)), "")


def page() -> str:
    """The agreement as Markdown."""
    return "\n".join((*_sample_lines(), *estimator_lines())) + "\n"


def _sample_lines() -> Iterator[str]:
    yield "# What the SLA rests on, beside Wireshark"
    yield ""
    yield f"Round trips of the twelve shared public captures, ours and tshark's ({TSHARK}: `tcp.analysis.initial_rtt`,"
    yield "`tcp.analysis.ack_rtt`), sample by sample; and what of each capture can be measured at all. Written by"
    yield "`python -m tests.shared_captures.sla_agreement`; tests fail where less than 99 % of all samples that both"
    yield "take are within 1 µs, on a difference without a verified reason, and on a Modbus capture of which nothing"
    yield "can be measured."
    yield ""
    yield "*Both* take a sample; of these, so many are *within 1 µs*. A sample that only one of them takes is listed"
    yield "below with who is right."
    yield ""
    yield "| capture | sample | both | within 1 µs | % | only Wireshark | only ours |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for indicator in INDICATORS:
        for name in NAMES:
            yield _line(name, indicator, list(pairs(name, indicator)))
        yield _line("**all**", indicator, everywhere(indicator))
    yield ""
    yield "## Differences, and who is right"
    yield ""
    yield "| samples | indicator | what | why | right | for example |"
    yield "|---:|---|---|---|---|---|"
    for indicator in INDICATORS:
        yield from _differences(indicator)
    yield ""
    yield "How each was verified, frame by frame: [crosscheck.md](crosscheck.md)."
    yield ""


def _line(name: str, indicator: str, of: list[Pair]) -> str:
    both, alike = sum(one.beside for one in of), sum(one.alike for one in of)
    # cut, not rounded: what is not all does not read as all
    share = f"{alike * 100_000 // both / 1000:.3f}" if both else "–"
    only_theirs = sum(not one.ours_ns for one in of)
    only_ours = sum(one.wireshark_ns is None for one in of)
    return f"| {name} | {indicator} | {both:,} | {alike:,} | {share} | {only_theirs} | {only_ours} |"


def _differences(indicator: str) -> Iterator[str]:
    groups: dict[tuple[str, str], list[Pair]] = {}
    for one in everywhere(indicator):
        if not one.alike:
            what = "another time" if one.beside else "only Wireshark" if not one.ours_ns else "only ours"
            groups.setdefault((what, one.reason), []).append(one)
    for (what, reason), ones in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        words = reason.removeprefix("ours: ") or "**no reason is known**"
        example = ones[0]
        yield (
            f"| {len(ones)} | {indicator} | {what} | {words} | {example.right} | {example.capture[:2]}, "
            f"frame {example.frame} |"
        )


if __name__ == "__main__":
    text = page()
    PAGE.write_text(text)
    sys.stdout.write(text)
