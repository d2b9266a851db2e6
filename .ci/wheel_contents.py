"""What a wheel must and must not hold. usage: wheel_contents.py WHEEL.

Every file of the packages but the sources of the native engine must be inside: a page without its template,
a store without its migrations and a demo without its captures only fail on a user's machine.
"""

from __future__ import annotations

import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEBIBYTE = 1024 * 1024
#: The engine is about 2 MiB, the sample captures below 10: more means that something else slipped in.
SIZE_LIMIT = 20 * MEBIBYTE
BUILT = {"__pycache__", "target"}


def wanted(packages: list[str]) -> set[str]:
    """The files of those packages that belong in the wheel, as POSIX paths below the repository."""
    files = (
        path.relative_to(ROOT) for name in packages for path in (ROOT / name).rglob("*") if path.is_file()
    )
    return {
        file.as_posix()
        for file in files
        if not BUILT & set(file.parts) and file.parts[:2] != ("sensors", "native") and file.suffix != ".so"
    }


def main(wheel: Path) -> int:
    """Print every fault of the wheel; the exit status."""
    packages: list[str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["maturin"][
        "python-packages"
    ]
    with zipfile.ZipFile(wheel) as archive:
        names = {info.filename for info in archive.infolist() if not info.is_dir()}
    faults = [f"left out: {name}" for name in sorted(wanted(packages) - names)]
    faults += [
        f"does not belong: {name}" for name in sorted(names) if name.startswith(("sensors/native/", "tests/"))
    ]
    if not any(name.startswith("sensors/_native.") and name.endswith(".so") for name in names):
        faults.append("left out: the native engine")
    if wheel.stat().st_size > SIZE_LIMIT:
        faults.append(f"{wheel.stat().st_size / MEBIBYTE:.1f} MiB, more than {SIZE_LIMIT // MEBIBYTE}")
    for fault in faults:
        print(f"{wheel.name}: {fault}", file=sys.stderr)
    if not faults:
        print(f"{wheel.name}: {len(names)} files, {wheel.stat().st_size / MEBIBYTE:.1f} MiB")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
