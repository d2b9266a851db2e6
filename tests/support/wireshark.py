"""A second opinion: what Wireshark's dissectors read in a capture."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

TSHARK: Final = shutil.which("tshark")


def wireshark_fields(
    capture: Path, display_filter: str, *names: str, options: tuple[str, ...] = ()
) -> list[tuple[str, ...]]:
    """The named fields of every frame that passes the filter; of a field that is there more often, all, by commas."""
    assert TSHARK is not None
    command = [TSHARK, "-n", "-r", str(capture), "-Y", display_filter, "-T", "fields"]
    for option in options:
        command += ["-o", option]
    for name in names:
        command += ["-e", name]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [tuple(line.split("\t")) for line in shown.splitlines()]
