"""A million packets of a scan around one write, made in a second and never kept: what a flood must not hide.

Each frame is the same connection attempt with another address, port and time, written as an array.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from tests.support import pcap_bytes

SCANNER: Final = "10.40.0.7"
WRITER: Final = "10.40.0.9"
CONTROLLER: Final = "10.20.0.11"
#: Addresses and ports that are tried, over and over: 20,000 conversations.
HOSTS: Final = 200
PORTS: Final = 100
#: Between two packets of the scan.
STEP_US: Final = 100

POLICY: Final = """\
schema: 1
site: {id: small, name: "Small site", tz: UTC}
zones:
- {id: control, name: "Control", purdue: 2, criticality: C2, cidrs: [10.20.0.0/24], internet: deny, sensors: [s1]}
- {id: office, name: "Office", purdue: 3, criticality: C4, cidrs: [10.40.0.0/24], sensors: [s1]}
assets:
- {id: plc1, zone: control, ip: 10.20.0.11, role: plc}
- {id: hist1, zone: office, ip: 10.40.0.9, role: historian}
conduits:
- id: c-hist
  from: office
  to: control
  allow:
  - {id: r1, src: [hist1], dst: [plc1], service: modbus, port: 502, functions: [3],
     reason: trending, owner: ot, expires: 2030-01-01}
"""

#: A record of a pcap file with an Ethernet, IPv4 and TCP header.
_RECORD: Final = np.dtype(
    [
        ("seconds", "<u4"),
        ("micros", "<u4"),
        ("lengths", "V8"),
        ("before_source", "V26"),
        ("source", ">u4"),
        ("destination", ">u4"),
        ("source_port", ">u2"),
        ("destination_port", ">u2"),
        ("rest", "V22"),
    ]
)


def write_flood(file: Path, packets: int) -> None:
    """Half of the scan, one whole conversation with a write in it, and the other half."""
    half = packets // 2
    middle_us = half * STEP_US
    exchange = pcap_bytes.modbus_exchange(
        WRITER, CONTROLLER, pcap_bytes.WRITE_REQUEST, pcap_bytes.WRITE_RESPONSE
    )
    written = pcap_bytes.pcap(exchange, start_s=pcap_bytes.START_S + middle_us // 1_000_000)
    with file.open("wb") as out:
        out.write(written[:24])
        out.write(_scan(0, half, 0))
        out.write(written[24:])
        out.write(_scan(half, packets, len(exchange) * 1_000))


def _scan(first: int, after: int, later_us: int) -> bytes:
    attempt = pcap_bytes.tcp_frame(SCANNER, "10.20.0.1", 40_000, 1, seq=1, ack=0, flags=pcap_bytes.SYN)
    lengths = len(attempt).to_bytes(4, "little") * 2
    one = np.frombuffer(bytes(8) + lengths + attempt, dtype=_RECORD)
    number = np.arange(first, after)
    records = np.repeat(one, after - first)
    micros = number * STEP_US + later_us
    records["seconds"] = pcap_bytes.START_S + micros // 1_000_000
    records["micros"] = micros % 1_000_000
    records["destination"] = one["destination"][0] + number % HOSTS
    records["destination_port"] = 1_000 + number // HOSTS % PORTS
    return records.tobytes()
