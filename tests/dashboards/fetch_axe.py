"""Fetches what the accessibility tests inject: axe-core, into .cache. A second run finds nothing to do.

    python -m tests.dashboards.fetch_axe

For tests only: never committed, never served, never part of the product.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Final

from tests.support.fetching import CACHE, Package, from_npm, member_of, npm_command, placing, run

PACKAGE: Final = Package(
    "axe-core", "4.14.1", "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745"
)
MEMBER: Final = "package/axe.min.js"
SCRIPT: Final = CACHE / "axe-core" / PACKAGE.version / "axe.min.js"


def fetch(script: Path = SCRIPT) -> bool:
    """Put the script in its place; False where it was there already. FetchError says what to do."""
    if script.exists():
        return False
    npm = npm_command()
    with (
        placing(script) as (folder, partial),
        member_of(from_npm(npm, PACKAGE, folder), MEMBER) as content,
        partial.open("wb") as file,
    ):
        shutil.copyfileobj(content, file)
    return True


if __name__ == "__main__":
    sys.exit(run("axe-core", PACKAGE, SCRIPT, fetch))
