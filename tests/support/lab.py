"""Whether a lab can be built here, and a name for it that no other test has."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from pcaps.lab.plant.plant import PACKAGES

_PATH = f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin"
MISSING = sorted({package for tool, package in PACKAGES.items() if shutil.which(tool, path=_PATH) is None})

needs_lab = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}"),
]


def lab_name(letter: str) -> str:
    """Several test runs may share a machine."""
    return f"t{letter}{os.getpid()}"


def namespaces_of(lab: str) -> list[str]:
    """The lab's namespaces that there are."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=True).stdout
    return sorted(
        line.split()[0] for line in listed.splitlines() if line.strip() and line.startswith(f"{lab}-")
    )
