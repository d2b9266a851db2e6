"""Fetches what the `server` tests run: ClickHouse as a library, into .cache. A second run finds nothing to do.

    python -m tests.store.fetch_server

Debian's ClickHouse (18.16) is years older than what the store is made for. This npm package holds the current
engine as one shared library, which also is a whole server. It is for tests only and never part of the product.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "@chdb/lib-linux-x64-gnu"
VERSION = "26.7.3-stable.1"
ARCHIVE_SHA256 = "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad"
MEMBER = "package/libchdb.so"

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "clickhouse-server"
LIBRARY = CACHE / VERSION / "libchdb.so"


class FetchError(Exception):
    """Why the server could not be fetched, and what to do."""


def fetch(library: Path = LIBRARY) -> bool:
    """Put the library in its place; False where it was there already. FetchError says what to do."""
    if library.exists():
        return False
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise FetchError(
            f"{PACKAGE} is for Linux on x86-64: on this machine the tests marked `server` are skipped"
        )
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            "npm is not installed: install it (Debian: apt-get install npm), then run this again"
        )
    library.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=library.parent) as folder:
        archive = _download(npm, Path(folder))
        _check(archive)
        partial = Path(folder) / "libchdb.so"
        with tarfile.open(archive) as packed:
            content = packed.extractfile(MEMBER)
            if content is None:
                raise FetchError(
                    f"{PACKAGE} {VERSION} has no {MEMBER}: it is not the package this was written for"
                )
            with partial.open("wb") as file:
                shutil.copyfileobj(content, file, 1 << 20)
        partial.replace(library)
    return True


def _download(npm: str, folder: Path) -> Path:
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), f"{PACKAGE}@{VERSION}"]
    result = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    archives = list(folder.glob("*.tgz"))
    if result.returncode or len(archives) != 1:
        said = (result.stderr or result.stdout).strip().splitlines()
        raise FetchError(
            f"`npm pack {PACKAGE}@{VERSION}` failed ({said[-1] if said else 'it said nothing'}): "
            "check that npm reaches its registry, then run this again"
        )
    return archives[0]


def _check(archive: Path) -> None:
    digest = hashlib.sha256()
    with archive.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != ARCHIVE_SHA256:
        raise FetchError(
            f"{PACKAGE} {VERSION} has SHA-256 {digest.hexdigest()}, not {ARCHIVE_SHA256}: it was changed on the way; "
            "it was not kept"
        )


def main() -> int:
    """The command: what it did, on one line; 1 and the reason where it could not."""
    try:
        fetched = fetch()
    except FetchError as error:
        print(f"ClickHouse for the tests: {error}", file=sys.stderr)  # noqa: T201
        return 1
    size_mb = LIBRARY.stat().st_size // 1_000_000
    what = "fetched to" if fetched else "is in"
    print(f"ClickHouse for the tests: {PACKAGE} {VERSION} {what} {LIBRARY} ({size_mb} MB)")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
