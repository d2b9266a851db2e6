"""`geophone crosscheck` over the shared captures and over what real OT stacks said to each other, for the docs' page.

`python -m tests.shared_captures.crosschecks` writes it.

`verified.yaml` holds every reason that the crosscheck gives for a difference, who is right, and how that was verified.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from sensors.crosscheck import PROTOCOL_NAMES, Crosscheck, Difference, FieldAgreement, crosscheck
from tests.shared_captures.captures import FOLDER, NAMES

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "crosscheck.md"

#: The tshark that the page was written with; another one may differ in its own ways.
TSHARK: Final = "4.0.17"

#: Conversations of real OT stacks, recorded on loopback.
RECORDED: Final = Path(__file__).resolve().parents[1] / "sensors" / "operations" / "recorded"
STACKS: Final = ("s7.pcap", "iec104.pcap", "enip.pcap", "bacnet.pcap", "dnp3.pcap")

#: Everything that the page tells of.
CAPTURES: Final = (*NAMES, *STACKS)

#: Examples named of each reason.
_EXAMPLES: Final = 4

_REASONS: Final = yaml.safe_load(Path(__file__).with_name("verified.yaml").read_text())

#: Reason given by the crosscheck -> (who is right, how it was verified).
VERIFIED: Final[dict[str, tuple[str, str]]] = {one["reason"]: (one["right"], one["how"]) for one in _REASONS}


@dataclass(frozen=True, slots=True)
class Whole:
    """One field over all captures."""

    protocol: str
    field: str
    compared: int
    equal: int
    explained: int

    @property
    def percent(self) -> str:
        """Equal values among those compared, cut, not rounded."""
        return f"{self.equal * 100_000 // self.compared / 1000:.3f}"


@cache
def found(name: str) -> Crosscheck:
    """The crosscheck of one capture, every difference kept."""
    return crosscheck((RECORDED if name in STACKS else FOLDER) / name, differences_kept=100_000)


def wholes() -> list[Whole]:
    """Every field, added over the captures."""
    fields: defaultdict[tuple[str, str], list[FieldAgreement]] = defaultdict(list)
    for name in CAPTURES:
        for field in found(name).fields:
            fields[field.protocol, field.field].append(field)
    return [
        Whole(
            *key,
            compared=sum(one.compared for one in ones),
            equal=sum(one.matched for one in ones),
            explained=sum(one.explained for one in ones),
        )
        for key, ones in sorted(
            fields.items(), key=lambda item: (PROTOCOL_NAMES.index(item[0][0]), item[0][1])
        )
    ]


def by_reason() -> dict[str, list[tuple[str, Difference]]]:
    """Every difference with its capture, by the reason given for it."""
    reasons: defaultdict[str, list[tuple[str, Difference]]] = defaultdict(list)
    for name in CAPTURES:
        for field in found(name).fields:
            for one in field.differences:
                reasons[one.explanation].append((name, one))
    return dict(sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])))


def _short(name: str) -> str:
    """What a capture is called in the examples."""
    return name.removesuffix(".pcap") if name in STACKS else name[:2]


#: What Wireshark shows and our table of operations has no row for, message by message.
_NOT_COMPARED: Final = (
    "## What of the OT protocols is not compared",
    "",
    "- What a device tells by itself or by the cycle: values of IEC 60870-5-104 that nobody asked for, implicit",
    "  messages of EtherNet/IP, unsolicited responses of DNP3. One row counts them for a minute.",
    "- IEC 60870-5-104: send and receive numbers and test frames, which our table does not keep; the station of an",
    "  answer to a command for all stations, as the row has the one that was asked.",
    "- CIP: the packet around several messages and the one that wraps another (unconnected send), which are no",
    "  operations; values of attributes that Wireshark shows decoded, of which we show the bytes.",
    "- S7comm-plus: tshark has no dissector for it.",
    "",
)


def page() -> str:
    """The crosscheck of the shared captures as Markdown."""
    lines = [
        "# The shared captures, field by field beside Wireshark",
        "",
        "`geophone crosscheck` over the twelve shared public captures, and over five conversations of real OT stacks",
        f"(`tests/sensors/operations/recorded`), with tshark {TSHARK}. Written by",
        "`python -m tests.shared_captures.crosschecks`; tests fail on a difference that has no reason here, on a",
        "reason that is no longer needed, and on a field below 99.9 % whose differences are not all explained.",
        "How the two are laid side by side: [decision 0024](decisions/0024-wireshark-in-a-process-of-our-own.md).",
        "",
        "| capture | fields | values compared | equal | % | explained | unexplained |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in CAPTURES:
        fields = found(name).fields
        compared, equal, explained = (
            sum(counts)
            for counts in zip(*((f.compared, f.matched, f.explained) for f in fields), strict=True)
        )
        share = equal * 100_000 // compared / 1000
        lines.append(
            f"| {name} | {len(fields)} | {compared:,} | {equal:,} | {share:.3f} | {explained} "
            f"| {compared - equal - explained} |"
        )
    lines += [
        "",
        "## Fields",
        "",
        "| protocol | field | compared | equal | % | explained |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {one.protocol} | {one.field} | {one.compared:,} | {one.equal:,} | {one.percent} | {one.explained or ''} |"
        for one in wholes()
    ]
    lines += ["", *_NOT_COMPARED, "## Differences, and who is right", ""]
    for reason, differences in by_reason().items():
        right, how = VERIFIED.get(reason, ("**unknown**", "**not verified**"))
        fields_named = ", ".join(sorted({f"{one.protocol} {one.field}" for _, one in differences}))
        examples = "; ".join(
            f"{_short(name)} frame {one.frame}: {one.ours}, Wireshark {one.wireshark}"
            for name, one in differences[:_EXAMPLES]
        )
        lines += [
            f"### {len(differences)} × {fields_named}",
            "",
            f"*{reason or 'no reason is known'}*",
            "",
            f"Right: {right}. {how}",
            "",
            f"For example: {examples}.",
            "",
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    text = page()
    PAGE.write_text(text)
    sys.stdout.write(text)
