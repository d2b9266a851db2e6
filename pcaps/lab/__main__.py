"""Remake the sample captures.

`python -m pcaps.lab make [NAME …]` writes the synthetic ones, with `--check` it only compares.
`python -m pcaps.lab real` records the small real one anew, `python -m pcaps.lab plant [SCENARIO …]` those of the lab
plant (root and network namespaces needed).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

try:
    from pcaps.lab import files
    from pcaps.lab.scenarios import SCENARIOS
except ModuleNotFoundError as missing:
    # The captures ship with the product; the packages that make them are an extra.
    sys.exit(f"remaking captures needs {missing.name}: install the `lab` extra: pip install 'geophone[lab]'")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 if all is well, 1 if not."""
    parser = argparse.ArgumentParser(prog="python -m pcaps.lab", description="Remake the sample captures.")
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="remake the synthetic captures from their seeds")
    make.add_argument("names", nargs="*", metavar="NAME", help="these only; all that are kept if left out")
    make.add_argument(
        "--check", action="store_true", help="write nothing; fail where a committed file differs"
    )
    make.add_argument(
        "--folder", type=Path, default=files.FOLDER, help="where the files are (default: %(default)s)"
    )
    real = commands.add_parser(
        "real", help="record the real-stack capture anew, in network namespaces (root)"
    )
    real.add_argument(
        "--folder", type=Path, default=files.FOLDER, help="where to write (default: %(default)s)"
    )
    plant = commands.add_parser(
        "plant", help="record the golden files of the lab plant anew, in network namespaces (root)"
    )
    plant.add_argument("names", nargs="*", metavar="SCENARIO", help="these only; all if left out")
    plant.add_argument(
        "--folder", type=Path, default=files.FOLDER, help="where to write (default: %(default)s)"
    )
    plant.add_argument("--name", default="geolab", help="which lab to play on (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    if chosen.command == "plant":
        from pcaps.lab.plant import golden

        return golden.record(chosen.names, chosen.folder, chosen.name)
    if chosen.command == "real":
        from pcaps.lab.real.recording import record

        return record(chosen.folder)
    return _make(chosen.names, chosen.folder, check=chosen.check)


def _make(names: Sequence[str], folder: Path, *, check: bool) -> int:
    known = {scenario.name: scenario for scenario in SCENARIOS}
    if unknown := [name for name in names if name not in known]:
        print(f"no synthetic capture {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)  # noqa: T201
        return 1
    failed = False
    for name in names or [name for name, scenario in known.items() if scenario.committed]:
        made = files.made(known[name])
        if check:
            wrong = made.differing(folder)
            failed = failed or bool(wrong)
            print(f"{name}: {'differs: ' + ', '.join(wrong) if wrong else 'same bytes'}")  # noqa: T201
        else:
            print(f"{name}: {made.write(folder):,} bytes")  # noqa: T201
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
