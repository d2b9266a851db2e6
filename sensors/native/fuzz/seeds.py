"""Seeds for the fuzz targets, from the captures in pcaps/: `python sensors/native/fuzz/seeds.py FOLDER`.

Writes FOLDER/<target>/seeds/ in the form that each target reads; `capture` reads pcaps/ itself. Seeds are no part of
the repository: the captures are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from scapy.layers.inet import TCP
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap

CAPTURES = Path(__file__).parents[3] / "pcaps"

#: Ethernet's place among the link types of the target `frames`.
ETHERNET = 1

#: Frames, or segments, of one seed: libFuzzer takes small inputs further than large ones.
PIECES = 24

#: Seeds of one capture and target.
SEEDS = 12

#: What the length byte of both forms can say.
LONGEST = 255


def frames_seed(packets: list[Packet]) -> bytes:
    """Link type, cut bytes, milliseconds since the last (times the cut), length; then the frame's bytes."""
    frames = (bytes(packet) for packet in packets)
    return b"".join(
        bytes([ETHERNET, min(max(len(frame) - LONGEST, 0), 255), 1, min(len(frame), LONGEST)])
        + frame[:LONGEST]
        for frame in frames
    )


def modbus_seed(packets: list[Packet]) -> bytes:
    """One byte of options; then for each segment who sends it (1: the server), its length and its bytes."""
    seed = bytearray([0])
    for packet in packets:
        payload = bytes(packet[TCP].payload)[:LONGEST]
        seed += bytes([int(packet[TCP].sport == 502), len(payload)]) + payload
    return bytes(seed)


def runs(packets: list[Packet]) -> Iterator[list[Packet]]:
    """Runs of packets that follow each other, spread over the capture."""
    step = max(len(packets) // SEEDS, PIECES)
    return islice((packets[at : at + PIECES] for at in range(0, len(packets), step)), SEEDS)


def is_modbus(packet: Packet) -> bool:
    """A segment with payload to or from port 502."""
    return TCP in packet and Raw in packet and 502 in (packet[TCP].sport, packet[TCP].dport)


def write(folder: Path) -> int:
    """Write all seeds; how many there are."""
    count = 0
    for path in sorted(CAPTURES.glob("*.pcapng")):
        packets = list(rdpcap(str(path), count=20_000))
        modbus = [packet for packet in packets if is_modbus(packet)]
        seeds = {
            "frames": [frames_seed(run) for run in runs(packets)],
            "modbus": [modbus_seed(run) for run in runs(modbus)],
        }
        for target, contents in seeds.items():
            place = folder / target / "seeds"
            place.mkdir(parents=True, exist_ok=True)
            for number, content in enumerate(contents):
                (place / f"{path.stem}-{number}").write_bytes(content)
            count += len(contents)
    return count


def main() -> None:
    """Write the seeds into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py FOLDER")
    folder = Path(sys.argv[1])
    sys.stdout.write(f"{write(folder)} seeds in {folder}\n")


if __name__ == "__main__":
    main()
