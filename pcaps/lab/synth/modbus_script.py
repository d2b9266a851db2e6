"""A Modbus/TCP connection told word for word: what the client asks, what the server says to it, and when.

For what a well-behaved poller never says: identity, diagnostics, other units, exceptions, headers that lie. The PDUs'
bytes are pymodbus's own where it has them; where they are to be wrong they are given as bytes (Modbus Application
Protocol V1.1b3; Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3 for the header).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from pymodbus.pdu import ModbusPDU

from pcaps.lab.synth.background import Exchange
from pcaps.lab.synth.clock import MILLISECOND
from pcaps.lab.synth.tally import Said

#: The exception bit of an answer's function code (V1.1b3, 7).
EXCEPTION: Final = 0x80
#: What the length field counts beside the PDU: the unit identifier.
_UNIT_BYTES: Final = 1


def pdu_bytes(pdu: ModbusPDU | bytes) -> bytes:
    """A PDU's function code and data."""
    return pdu if isinstance(pdu, bytes) else bytes([pdu.function_code]) + pdu.encode()


def adu(
    pdu: ModbusPDU | bytes,
    transaction_id: int,
    *,
    unit: int = 1,
    protocol_id: int = 0,
    length: int | None = None,
) -> bytes:
    """A PDU behind its header; `protocol_id` and `length` are there to be wrong."""
    body = pdu_bytes(pdu)
    counted = len(body) + _UNIT_BYTES if length is None else length
    return struct.pack("!HHHB", transaction_id & 0xFFFF, protocol_id, counted, unit) + body


def refused(function: int, code: int) -> bytes:
    """The exception answer to a function (V1.1b3, 7)."""
    return bytes([function | EXCEPTION, code])


@dataclass(slots=True)
class Script:
    """One connection from `now_ns` on; each line is said some time after the one before it."""

    now_ns: int
    unit: int = 1
    exchanges: list[tuple[int, Exchange]] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    _transaction_id: int = 0

    def ask(
        self,
        request: ModbusPDU | bytes,
        answer: ModbusPDU | bytes | None,
        *,
        unit: int | None = None,
        cuts: tuple[int, ...] = (),
        then_ms: int = 1_000,
    ) -> None:
        """A request and its answer, None for none; `cuts` are bytes of the whole unit, header included."""
        self._transaction_id += 1
        whose = self.unit if unit is None else unit
        asked = adu(request, self._transaction_id, unit=whose)
        answered = b"" if answer is None else adu(answer, self._transaction_id, unit=whose)
        refused = answer is not None and pdu_bytes(answer)[0] >= EXCEPTION
        self.said.append(Said(self.now_ns, pdu_bytes(request)[0], answer is not None, refused))
        self._say(Exchange(asked, answered, cuts), then_ms)

    def utter(
        self, words: bytes, answer: bytes = b"", *, said: tuple[Said, ...] = (), then_ms: int = 1_000
    ) -> None:
        """Bytes as they are, and what is said to them; `said` are the operations that they make."""
        self.said += said
        self._say(Exchange(words, answer), then_ms)

    def _say(self, exchange: Exchange, then_ms: int) -> None:
        self.exchanges.append((self.now_ns, exchange))
        self.now_ns += then_ms * MILLISECOND
