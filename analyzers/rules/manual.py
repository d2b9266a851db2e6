"""The declared tables in; docs/rule-fields.md, what rules can look at, out: `python -m analyzers.rules.manual`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from analyzers.rules.fields import HOLDS, SERVICES_OF_RULES, Service

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "rule-fields.md"

_HEAD: Final = """\
# What rules can look at

The services of `logsource` and their fields, for [rules of your own](rules.md). Written by
`python -m analyzers.rules.manual` from the declared tables; a test holds it.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((_HEAD, *(_of(service) for service in SERVICES_OF_RULES.values())))


def _of(service: Service) -> str:
    rows = [
        f"| `{column.name}` | {HOLDS[column.kind]}{f' ({column.unit})' if column.unit else ''} | {column.doc} |"
        for column in service.fields.values()
    ]
    head = [
        f"## {service.name}",
        "",
        service.table.doc,
        "",
        "| field | holds | meaning |",
        "| --- | --- | --- |",
    ]
    return "\n".join([*head, *rows, ""])


def main() -> int:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
