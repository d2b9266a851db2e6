"""What the recording's stations do on purpose, with the times at which the tap saw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from pcaps import Planted
from pcaps.lab.notes import Table, moment
from pcaps.lab.real.stations import PLC1, PORT
from pcaps.lab.synth.pcapng import Frame

_OFFICE: Final = "10.40.0.77"
_HISTORIAN: Final = "10.35.0.10"
#: Functions of a first-time client, and of a client that only may read.
_ALL: Final = (3, 16)
_WRITES: Final = (6, 16)

#: Id, who did it to the mill's controller, with which functions, how often if not once an operation, why.
_DONE: Final = (
    ("SEG-02", _OFFICE, _ALL, 1, "one session from level 4 to level 1"),
    ("M1", _OFFICE, _WRITES, 0, "writes of a client that never wrote there"),
    ("M2", _OFFICE, _ALL, 0, "requests of a client that had never spoken Modbus"),
    ("SEG-05", _HISTORIAN, _WRITES, 0, "writes; its rule lets the historian only read"),
    ("M1", _HISTORIAN, _WRITES, 0, "writes of a client that never wrote there"),
)


def planted(captured: Sequence[Frame], operations: Sequence[Table]) -> tuple[Planted, ...]:
    """Times from the frames, numbers from what the stations report to have asked."""
    made = []
    for check, client, functions, count, because in _DONE:
        times = list(_times(captured, client, functions))
        asked = sum(
            int(str(one["asked"]))
            for one in operations
            if one["client"] == client and one["function"] in functions
        )
        made.append(
            Planted(
                id=check,
                src_ip=client,
                dst_ip=PLC1,
                service="modbus",
                first=moment(min(times)),
                last=moment(max(times)),
                count=count or asked,
                because=because if count else f"{asked} {because}",
            )
        )
    return tuple(made)


def _times(captured: Sequence[Frame], client: str, functions: Sequence[int]) -> Iterator[int]:
    """When requests with these functions and their answers crossed the tap."""
    for frame in captured:
        packet = Ether(frame.data)
        if IP not in packet or TCP not in packet or {packet[IP].src, packet[IP].dst} != {client, PLC1}:
            continue
        pdu = bytes(packet[TCP].payload)
        if PORT in (packet[TCP].sport, packet[TCP].dport) and len(pdu) > 7 and pdu[7] & 0x7F in functions:
            yield frame.ts_ns
