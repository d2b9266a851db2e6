"""The detections' classes in; their manual page, docs/detections.md, out: `python -m analyzers.manual`."""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from analyzers.detections import DETECTIONS
from analyzers.detections.base import Detection
from analyzers.findings import Severity
from analyzers.techniques import TECHNIQUES
from policy.detection_settings import DetectionSettings

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "detections.md"
_HEADING: Final = re.compile(r"^(\S.*)\n((?:    .*\n?|\n)+)", re.MULTILINE)

_HEAD: Final = """\
# The detections

What Geophone looks for without being told: behaviour that no line of a policy is needed for. Each finding names its
detection by the id here. Written by `python -m analyzers.manual` from the detections themselves; a test holds it.

The severity is the base, 1 (info) to 5 (critical): a target that is of criticality C1 or a safety device adds one, so
does an operation that the device confirmed; a change window that covers it takes one off. A technique of
[ATT&CK for ICS](https://attack.mitre.org/matrices/ics/) that a finding may be, and as well may not be, is called
possible. Thresholds are changed, and detections switched off, in the policy:

```yaml
detections:
  switched_off: [O3]
  M8: {units: 20}
  kept: 100000
```

`kept` (50,000 unless set) bounds what a flood of forged sources can make the counts of scans and floods (G1, G3) hold:
so many entries each, one a source and ten seconds. Past it the sources that did least are forgotten, the longest silent
first; how many is said in the summary of a replay and in the log of a sensor. What a forgotten source did is not
counted: counts may read low, never high, and a scan of which more forged sources than are kept lie between two knocks
is missed. So many conversations of a minute are measured each on its own, too: past it those that said least are
measured together, one row of many for every two zones, and how many is said in the summary of a replay.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, _overview(), *(_entry(kind) for kind in DETECTIONS)]
    return "\n".join(parts)


def _overview() -> str:
    lines = [
        "| id | the network shows… | severity | technique |",
        "| --- | --- | --- | --- |",
        *(
            f"| [{kind.id}](#{kind.id.lower()}) | {kind.title} | {kind.base_severity} | {_techniques(kind)} |"
            for kind in DETECTIONS
        ),
    ]
    return "\n".join(lines) + "\n"


def _techniques(kind: type[Detection]) -> str:
    return ", ".join((*kind.techniques, *(f"{one} possible" for one in kind.possible_techniques)))


def _entry(kind: type[Detection]) -> str:
    summary, _, sections = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")
    severity = Severity(kind.base_severity)
    names = [
        f"{one} {TECHNIQUES[one][0]} ({' and '.join(TECHNIQUES[one][1])}){word}"
        for ones, word in ((kind.techniques, ""), (kind.possible_techniques, ", possible"))
        for one in ones
    ]
    parts = [
        f"## {kind.id}\n\n{summary}\n",
        f"- **Severity** {int(severity)} ({severity.word}). {'; '.join(names)}.",
        "".join(
            f"- **{heading}** {' '.join(body.split())}\n"
            for heading, body in _HEADING.findall(sections + "\n")
        ),
        *_thresholds(kind.id),
    ]
    return "\n".join(parts)


def _thresholds(id: str) -> list[str]:  # noqa: A002 - the catalogue's own word
    setting = DetectionSettings.model_fields.get(id)
    if setting is None or not isinstance(setting.default, BaseModel):
        return []
    lines = [
        f"| `detections.{id}.{name}` | {_default(getattr(setting.default, name))} | {info.description} |\n"
        for name, info in type(setting.default).model_fields.items()
    ]
    return ["| setting | default | what it means |\n| --- | --- | --- |\n" + "".join(lines)]


def _default(value: int | tuple[str, ...]) -> str:
    return f"{value:,}" if isinstance(value, int) else ", ".join(value) or "none"


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
