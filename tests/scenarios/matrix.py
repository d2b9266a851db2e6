"""What is planted in the samples, and what is found; `python -m tests.scenarios.matrix` writes the docs' page."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzers.catalogue import compares, judges
from analyzers.findings import Finding
from pcaps import Planted, Sample, samples
from tests.scenarios.pipeline import outcome
from tests.scenarios.twins import findings_of_twin, planted_in_twin

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "scenarios.md"

_HEAD: Final = """\
# The sample captures: what is planted, what is found

Every capture of [pcaps/](../pcaps/), what was done in it on purpose (told by who did it, in the notes beside the
capture), and what this version finds of it. *Not judged yet*: no check or detection of this version has that id.
*No baseline*: it is new, which shows beside a baseline only, and nobody keeps one for that capture. Where there is one,
the capture named as its twin taught it.
A twin is a capture as close as can be without what is planted: this version finds none of it there. Written by
`python -m tests.scenarios.matrix`; tests fail when it is out of date, when something judged is not found, when a
twin is not silent, and when anything else is found.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One planted thing, and what became of it."""

    sample: Sample
    planted: Planted
    judged: bool
    #: It is looked for without a baseline, or there is one.
    compared: bool
    found: tuple[Finding, ...]
    #: What the twin gives of the same id; nothing, if all is well.
    found_in_twin: tuple[Finding, ...]

    @property
    def verdict(self) -> str:
        """In the words of the page."""
        if not self.compared:
            return "no baseline"
        if not self.judged:
            return "not judged yet"
        return f"found, × {sum(finding.count for finding in self.found)}" if self.found else "**missed**"

    @property
    def twin(self) -> str:
        """The same of the twin."""
        if not self.sample.twin or not self.judged:
            return self.sample.twin or "none"
        return f"{self.sample.twin}: {'**not silent**' if self.found_in_twin else 'silent'}"


def row(one: Sample, planted: Planted) -> Row:
    """What became of something planted in a sample."""
    findings = outcome(one.name).result.findings
    twins = findings_of_twin(one.twin, one.baseline) if one.twin else ()
    # What is done in the twin too, like bad weather, is not what it is without.
    in_both = planted_in_twin(one.twin) if one.twin else ()
    return Row(
        sample=one,
        planted=planted,
        judged=looked_for(one, planted),
        compared=bool(one.baseline) or not compares(planted.id),
        found=tuple(finding for finding in findings if is_about(finding, planted)),
        found_in_twin=tuple(
            finding
            for finding in twins
            if finding.kind == planted.id and not any(is_about(finding, other) for other in in_both)
        ),
    )


def looked_for(one: Sample, planted: Planted) -> bool:
    """Whether this version looks for it in this sample: some things are found beside a baseline alone."""
    return judges(planted.id, planted.service) and (bool(one.baseline) or not compares(planted.id))


def is_about(finding: Finding, planted: Planted) -> bool:
    """Whether a finding says what was planted: the same id, the same two ends, the same service."""
    return (
        finding.kind == planted.id
        and finding.src_ip == planted.src_ip
        and planted.dst_ip in ("", finding.dst_ip)
        and planted.service in ("", finding.service)
    )


def page(all_samples: Sequence[Sample]) -> str:
    """The whole page."""
    busy = [one for one in all_samples if one.planted]
    calm = [one for one in all_samples if not one.planted]
    planted_rows = [row(one, planted) for one in busy for planted in one.planted]
    parts = [_HEAD, _summary(planted_rows, len(all_samples))]
    for one in busy:
        parts.append(f"## {one.name}: {one.title}\n")
        parts.append(
            _table(
                ("id", "planted", "from", "to", "this version", "twin"),
                (
                    (
                        each.planted.id,
                        each.planted.because,
                        each.planted.src_ip,
                        each.planted.dst_ip or "many",
                        each.verdict,
                        each.twin,
                    )
                    for each in planted_rows
                    if each.sample is one
                ),
            )
        )
    parts.append("## Nothing is planted in these, and nothing is found\n")
    twin_of = {one.name: [other.name for other in busy if other.twin == one.name] for one in calm}
    parts.append(
        _table(
            ("capture", "what it is", "twin of"),
            ((one.name, one.title, ", ".join(twin_of[one.name])) for one in calm),
        )
    )
    return "\n".join(parts)


def _summary(planted_rows: Sequence[Row], captures: int) -> str:
    ids = {each.planted.id for each in planted_rows}
    judged = [each for each in planted_rows if each.judged]
    found = sum(bool(each.found) for each in judged)
    return (
        f"{captures} captures, {len(planted_rows)} planted things of {len(ids)} ids. This version judges "
        f"{len({each.planted.id for each in judged})} of the ids and finds {found} of the {len(judged)} things.\n"
    )


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in (head, rule, *lines))


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(samples()), encoding="utf-8")
    print(f"wrote {PAGE}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
