"""Keys and certificates of the tools, made anew for each recording."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pcaps.lab.plant.stations.tools.room import do

_DAYS: Final = "3650"


def certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A certificate that a name signs for itself, and its key; made where they are not there yet."""
    made, key = folder / f"{name}.pem", folder / f"{name}.key"
    if not made.exists():
        do(
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-days", _DAYS, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(made)),
        )
    return made, key


def fingerprint(certificate_file: Path) -> str:
    """SHA-256 over it, as openssl and OpenVPN write it."""
    said = do("openssl", "x509", "-in", str(certificate_file), "-noout", "-fingerprint", "-sha256")
    return said.strip().partition("=")[2]
