"""What an engine that counts is shown, so that the compiler learns which paths are taken: `make profile`.

    python -m benchmarks.training ENGINE.so

The sample captures, and hostile shapes: none of the captures that `benchmarks.throughput` measures.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: Units of each hostile shape: together about as much as the sample captures.
_UNITS = 500


def load(engine: Path) -> None:
    """Put another build of the native engine in the place of the installed one."""
    name = "sensors._native"
    if name in sys.modules:
        raise ImportError(f"{name} is loaded already: what is decoded would not be counted by {engine}")
    loader = importlib.machinery.ExtensionFileLoader(name, str(engine))
    specification = importlib.util.spec_from_file_location(name, engine, loader=loader)
    if specification is None:
        raise ImportError(f"{engine} is no extension module")
    module = importlib.util.module_from_spec(specification)
    loader.exec_module(module)
    sys.modules[name] = module


def show(capture: Path) -> None:
    """Decode a capture to its end."""
    from sensors.engine import decode

    with decode(capture) as run:
        for _batches in run:
            pass


def main(engine: Path) -> None:
    """Show it everything."""
    load(engine)
    # These import the engine themselves: not before the one that counts is in its place.
    from benchmarks.growth import write
    from benchmarks.hostile_shapes import SHAPES

    for capture in sorted(file for file in (ROOT / "pcaps").iterdir() if ".pcapng" in file.suffixes):
        show(capture)
    with tempfile.TemporaryDirectory() as folder:
        for shape in SHAPES:
            file = Path(folder) / "shape.pcap"
            write(file, shape.frames(_UNITS))
            show(file)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
