"""Modbus conversations as frames, for tests that damage them, and what decoding them gives."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pyarrow as pa

from sensors.engine import DecodeRun, decode
from tests.support.pcap_bytes import ACK, FIN, PSH, SYN, pcap, tcp_frame

Rows = dict[str, list[dict[str, Any]]]


def adu(transaction_id: int, pdu: bytes, unit: int = 1) -> bytes:
    """A Modbus/TCP message (MODBUS Messaging on TCP/IP V1.0b, 3.1.3)."""
    return struct.pack(">HHHB", transaction_id, 0, len(pdu) + 1, unit) + pdu


def read_request(address: int, quantity: int = 2) -> bytes:
    return struct.pack(">BHH", 3, address, quantity)


def read_response(*values: int) -> bytes:
    return struct.pack(">BB", 3, 2 * len(values)) + struct.pack(f">{len(values)}H", *values)


def talk(
    transactions: int, *, client: str = "10.1.0.5", server: str = "10.1.0.9", sport: int = 40_000
) -> list[bytes]:
    """Handshake, `transactions` reads of two registers (3 frames each, the ACK too), orderly end."""
    up = {"src": client, "dst": server, "sport": sport, "dport": 502}
    down = {"src": server, "dst": client, "sport": 502, "dport": sport}
    frames: list[bytes] = []
    c, s = 1_000, 5_000

    def send(side: dict[str, Any], seq: int, ack: int, flags: int, payload: bytes = b"") -> None:
        frames.append(
            tcp_frame(
                **side, seq=seq, ack=ack, flags=flags, payload=payload, ip_id=(len(frames) + 1) % 65_536
            )
        )

    send(up, c, 0, SYN)
    send(down, s, c + 1, SYN | ACK)
    c, s = c + 1, s + 1
    send(up, c, s, ACK)
    for number in range(transactions):
        request = adu(number, read_request(number % 1000))
        response = adu(number, read_response(number % 65_536, number % 7))
        send(up, c, s, ACK | PSH, request)
        c += len(request)
        send(down, s, c, ACK | PSH, response)
        s += len(response)
        send(up, c, s, ACK)
    send(up, c, s, ACK | FIN)
    send(down, s, c + 1, ACK | FIN)
    send(up, c + 1, s + 1, ACK)
    return frames


def write_pcap(file: Path, frames: list[bytes], **how: Any) -> Path:
    """The frames as a capture file."""
    file.write_bytes(pcap(frames, **how))
    return file


def rows_of(run: DecodeRun) -> Rows:
    """Every table's rows, in order, times as integers of nanoseconds."""
    rows: Rows = {}
    for batches in run:
        for name, batch in batches.items():
            rows.setdefault(name, []).extend(_plain(batch).to_pylist())
    return rows


def decoded(file: Path, **options: Any) -> Rows:
    """Every table's rows of a capture."""
    with decode(file, **options) as run:
        return rows_of(run)


def _plain(batch: pa.RecordBatch) -> pa.Table:
    """Times as integers: Python's own datetime has no nanoseconds."""
    table = pa.table(batch)
    for number, field in enumerate(table.schema):
        if pa.types.is_timestamp(field.type):
            table = table.set_column(number, field.name, table.column(number).cast(pa.int64()))
    return table
