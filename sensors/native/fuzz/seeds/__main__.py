"""Writes FOLDER/TARGET/seeds/ for every target but `capture`, which reads pcaps/ itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from sensors.native.fuzz.seeds import (
    datagrams,
    frames,
    layer2,
    link,
    modbus,
    mqtt,
    opcua,
    operations,
    services,
)
from sensors.native.fuzz.seeds.captures import captures

_MADE: Final = {
    "services": services.made,
    "operations": operations.made,
    "mqtt": mqtt.made,
    "opcua": opcua.made,
    "link": link.made,
    "datagrams": datagrams.made,
    "layer2": layer2.made,
}
_RECORDED: Final = {
    "frames": frames.recorded,
    "modbus": modbus.recorded,
    "tcp": modbus.recorded,
    "opcua": opcua.recorded,
    "datagrams": datagrams.recorded,
    "layer2": layer2.recorded,
}


def main() -> None:
    """Write the seeds into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m sensors.native.fuzz.seeds FOLDER")
    folder = Path(sys.argv[1])
    count = sum(_keep(folder, target, "made", made()) for target, made in _MADE.items())
    for name, packets in captures():
        count += sum(_keep(folder, target, name, cut(packets)) for target, cut in _RECORDED.items())
    sys.stdout.write(f"{count} seeds in {folder}\n")


def _keep(folder: Path, target: str, name: str, contents: list[bytes]) -> int:
    """Write seeds of one target; how many there are."""
    place = folder / target / "seeds"
    place.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents):
        (place / f"{name}-{number}").write_bytes(content)
    return len(contents)


if __name__ == "__main__":
    main()
