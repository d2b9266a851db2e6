from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import pcap_bytes

Geophone = Callable[..., "subprocess.CompletedProcess[str]"]

POLICY = """\
schema: 1
site: {id: small, name: "Small site", tz: UTC}
zones:
- {id: control, name: "Control", purdue: 2, criticality: C2, cidrs: [10.20.0.0/24], internet: deny, sensors: [s1]}
- {id: office, name: "Office", purdue: 4, criticality: C4, cidrs: [10.40.0.0/24], sensors: [s1]}
conduits: []
"""


@pytest.fixture(scope="session")
def geophone() -> Geophone:
    """Run the real command in a process of its own, as a user does."""

    def run(*args: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "geophone", *map(str, args)],
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "COLUMNS": "200"},
            check=False,
        )

    return run


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    file = tmp_path / "small.yaml"
    file.write_text(POLICY)
    return file


@pytest.fixture
def quiet_capture(tmp_path: Path) -> Path:
    """One read inside the control zone: nothing to report."""
    file = tmp_path / "quiet.pcap"
    frames = pcap_bytes.modbus_exchange(
        "10.20.0.5", "10.20.0.11", pcap_bytes.READ_REQUEST, pcap_bytes.READ_RESPONSE
    )
    file.write_bytes(pcap_bytes.pcap(frames))
    return file


@pytest.fixture
def intruder_capture(tmp_path: Path) -> Path:
    """An office host writes a register of a controller."""
    file = tmp_path / "intruder.pcap"
    frames = pcap_bytes.modbus_exchange(
        "10.40.0.7", "10.20.0.11", pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE
    )
    file.write_bytes(pcap_bytes.pcap(frames))
    return file
