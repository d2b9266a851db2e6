"""Seeds for the fuzz targets, from the captures in pcaps/: `python sensors/native/fuzz/seeds.py FOLDER`.

Writes FOLDER/<target>/seeds/ in the form that each target reads; `capture` reads pcaps/ itself. Seeds are no part of
the repository: the captures are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))  # the packets of the tests

from datagram_seeds import PORTS, made_datagram_seeds  # type: ignore[import-not-found]  # beside this script
from layer2_seeds import layer2_seed, made_layer2_seeds  # type: ignore[import-not-found]  # beside this script
from link_seeds import link_seeds  # type: ignore[import-not-found]  # beside this script
from mqtt_seeds import mqtt_seeds  # type: ignore[import-not-found]  # beside this script
from opcua_seeds import made_opcua_seeds  # type: ignore[import-not-found]  # beside this script
from operation_seeds import operation_seeds  # type: ignore[import-not-found]  # beside this script
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Loopback
from scapy.packet import Packet, Raw
from scapy.utils import rdpcap
from service_seeds import services_seeds  # type: ignore[import-not-found]  # beside this script

CAPTURES = Path(__file__).parents[3] / "pcaps"

#: Public captures beside the project, where they are there.
SHARED = Path(__file__).parents[4] / "shared" / "captures"

#: Ports of OPC UA in all of them.
OPCUA_PORTS = frozenset({4840, 48010})

#: Ethernet's place among the link types of the target `frames`.
ETHERNET = 1

#: Frames, or segments, of one seed: libFuzzer takes small inputs further than large ones.
PIECES = 24

#: Seeds of one capture and target.
SEEDS = 12

#: Bytes of one input that libFuzzer is told to take (.ci/fuzz).
LARGEST = 4_096

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


def opcua_seed(packets: list[Packet]) -> bytes:
    """Options 4 (the capture opens its connection itself); then raw segments: side, length, bytes."""
    seed = bytearray([4])
    for packet in packets:
        payload = bytes(packet[TCP].payload)
        side = int(packet[TCP].sport in OPCUA_PORTS)
        for at in range(0, len(payload), LONGEST):
            piece = payload[at : at + LONGEST]
            if len(seed) + 2 + len(piece) > LARGEST:
                return bytes(seed)
            seed += bytes([side, len(piece)]) + piece
    return bytes(seed)


def is_opcua(packet: Packet) -> bool:
    """A segment with payload to or from a port of OPC UA."""
    return (
        TCP in packet and Raw in packet and not OPCUA_PORTS.isdisjoint((packet[TCP].sport, packet[TCP].dport))
    )


def datagrams_seed(port: int, packets: list[Packet]) -> bytes:
    """The port's place; then for each datagram who sends it, its length in two bytes and its bytes."""
    seed = bytearray([PORTS.index(port)])
    for packet in packets:
        payload = bytes(packet[UDP].payload)[:2047]
        seed += bytes([int(packet[UDP].sport == port)]) + len(payload).to_bytes(2, "big") + payload
    return bytes(seed)


def runs(packets: list[Packet]) -> Iterator[list[Packet]]:
    """Runs of packets that follow each other, spread over the capture."""
    step = max(len(packets) // SEEDS, PIECES)
    return islice((packets[at : at + PIECES] for at in range(0, len(packets), step)), SEEDS)


def dissected(packet: Packet) -> Packet:
    """The packet; of a loopback interface the IP packet behind its four bytes, which scapy knows by other numbers."""
    raw = bytes(packet)
    if not isinstance(packet, Loopback | Raw) or len(raw) < 5:
        return packet
    return IPv6(raw[4:]) if raw[4] >> 4 == 6 else IP(raw[4:])


def is_modbus(packet: Packet) -> bool:
    """A segment with payload to or from port 502."""
    return TCP in packet and Raw in packet and 502 in (packet[TCP].sport, packet[TCP].dport)


def write(folder: Path) -> int:
    """Write all seeds; how many there are."""
    count = keep(folder, "services", "standard", services_seeds())
    count += keep(folder, "operations", "made", operation_seeds())
    count += keep(folder, "mqtt", "made", mqtt_seeds())
    count += keep(folder, "opcua", "made", made_opcua_seeds())
    count += keep(folder, "link", "made", link_seeds())
    count += keep(folder, "datagrams", "made", made_datagram_seeds())
    count += keep(folder, "layer2", "made", made_layer2_seeds())
    for path in sorted([*CAPTURES.glob("*.pcapng"), *SHARED.glob("0[456]-*.pcap")]):
        packets = [dissected(packet) for packet in rdpcap(str(path), count=4_000)]
        modbus = [packet for packet in packets if is_modbus(packet)]
        seeds = {
            "frames": [frames_seed(run) for run in runs(packets)],
            "modbus": [modbus_seed(run) for run in runs(modbus)],
            "tcp": [modbus_seed(run) for run in runs(modbus)],
            "opcua": [opcua_seed(run) for run in runs([packet for packet in packets if is_opcua(packet)])],
            "datagrams": [
                datagrams_seed(port, run)
                for port in PORTS
                for run in runs([p for p in packets if UDP in p and port in (p[UDP].sport, p[UDP].dport)])
            ],
            "layer2": [
                seed for run in runs(packets) if (seed := layer2_seed([bytes(frame) for frame in run]))
            ],
        }
        for target, contents in seeds.items():
            count += keep(folder, target, path.stem, contents)
    return count


def keep(folder: Path, target: str, name: str, contents: list[bytes]) -> int:
    """Write seeds of one target; how many there are."""
    place = folder / target / "seeds"
    place.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents):
        (place / f"{name}-{number}").write_bytes(content)
    return len(contents)


def main() -> None:
    """Write the seeds into the folder that the command line names."""
    if len(sys.argv) != 2:
        sys.exit("usage: seeds.py FOLDER")
    folder = Path(sys.argv[1])
    sys.stdout.write(f"{write(folder)} seeds in {folder}\n")


if __name__ == "__main__":
    main()
