"""tshark's PDML in; one object a message, with Wireshark's fields, out. pyshark reads each packet's PDML.

pyshark's own run of tshark is not used (decision 0024): it takes a crash for the end of the capture.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import IO, Any, Final

from sensors.crosscheck.wireshark import WiresharkFailed

#: Longest PDML of one packet that is read: the largest MQTT message (256 MiB) is not worth a second opinion.
PACKET_BYTES: Final = 64 * 2**20

_CHUNK_BYTES: Final = 2**18
_START: Final = b"<packet>"
_END: Final = b"</packet>"


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as Wireshark shows it."""

    #: The value as text: numbers decimal or `0x…`, bytes as `aa:bb`.
    text: str
    #: The bytes it was read from, hex; empty where Wireshark made it up.
    raw: str
    #: With its words: `Function Code: Read Coils (1)`.
    words: str
    #: Where in the frame, or in the reassembled message, it was read.
    position: int


class Message:
    """One message as Wireshark reads it: the fields of its layers."""

    def __init__(self, frame: int, layers: Sequence[Any]) -> None:
        self.frame = frame
        self._layers = list(layers)

    def cut(self, begin: int, end: int | None, keep: str) -> Message:
        """Only what was read from `begin` to before `end`, and fields whose names start with `keep`."""
        part = Message(self.frame, ())
        part._by_name = {
            name: kept
            for name, found in self._by_name.items()
            if (
                kept := [
                    one
                    for one in found
                    if name.startswith(keep)
                    or (begin <= one.position and (end is None or one.position < end))
                ]
            )
        }
        return part

    def add(self, layer: Any) -> None:
        """One more layer of the same message."""
        self._layers.append(layer)

    @cached_property
    def _by_name(self) -> dict[str, list[Shown]]:
        named: dict[str, list[Shown]] = {}
        for layer in self._layers:
            # pyshark's public access asks for one field at a time, and takes `a.b` and `a_b` for the same.
            for name, container in layer._all_fields.items():
                named.setdefault(name, []).extend(
                    Shown(one.show or "", one.raw_value or "", one.showname or "", int(one.pos or 0))
                    for one in container.all_fields
                )
        return named

    @property
    def names(self) -> frozenset[str]:
        """Every field there is."""
        return frozenset(self._by_name)

    def all(self, name: str) -> list[Shown]:
        """Every field of that name, in the order of the dissection."""
        return self._by_name.get(name, [])

    def text(self, name: str) -> str | None:
        """The first one's text; None where there is none."""
        found = self.all(name)
        return found[0].text if found else None

    def number(self, name: str) -> int | None:
        """The first one as a number, decimal or hexadecimal; None where there is none."""
        text = self.text(name)
        return None if text is None else _number(text)

    def numbers(self, name: str) -> list[int]:
        """Every one as a number."""
        return [number for one in self.all(name) if (number := _number(one.text)) is not None]

    def octets(self, name: str) -> bytes | None:
        """The first one's bytes; None where there is none, or where it has none."""
        found = self.all(name)
        if not found:
            return None
        try:
            return bytes.fromhex(found[0].raw or found[0].text.replace(":", ""))
        except ValueError:
            return None

    def nanoseconds(self, name: str) -> int | None:
        """A duration in seconds, as Wireshark writes it, in nanoseconds."""
        text = self.text(name)
        return None if text is None else nanoseconds(text)


def nanoseconds(seconds: str) -> int:
    """`1.234567890` as nanoseconds; a float would lose the last digits of a time of day."""
    whole, _, part = seconds.lstrip("-").partition(".")
    value = int(whole or 0) * 10**9 + int((part + "0" * 9)[:9])
    return -value if seconds.startswith("-") else value


def _number(text: str) -> int | None:
    if text in ("True", "False"):
        return int(text == "True")
    try:
        return int(text, 0) if text.startswith("0x") else int(text)
    except ValueError:
        return None


def messages(pdml: IO[bytes], begins: str, layers: Sequence[str]) -> Iterator[Message]:
    """Every message of a PDML stream: from a `begins` layer to the next, with those of its `layers`."""
    # Here, not above: a quarter of a second, and needed by nothing else.
    from pyshark.tshark.output_parser.tshark_xml import packet_from_xml_packet

    for xml in _packets(pdml):
        packet = packet_from_xml_packet(xml)
        found: list[Message] = []
        for layer in packet.layers:
            # The name as in the PDML: pyshark's `layer_name` changes some.
            name = layer._layer_name
            if name == begins:
                found.append(Message(int(packet.number), [layer]))
            elif name in layers and found:
                found[-1].add(layer)
        yield from found


def _packets(pdml: IO[bytes]) -> Iterator[bytes]:
    """Each packet's PDML, whole."""
    held = bytearray()
    searched = 0
    while chunk := pdml.read(_CHUNK_BYTES):
        held += chunk
        start = 0
        while (end := held.find(_END, searched)) >= 0:
            end += len(_END)
            yield bytes(held[max(held.find(_START, start, end), start) : end])
            start = searched = end
        del held[:start]
        # The end tag may be cut by the chunk's end.
        searched = max(0, len(held) - len(_END) + 1)
        if len(held) > PACKET_BYTES:
            raise WiresharkFailed(f"tshark wrote more than {PACKET_BYTES >> 20} MiB about one packet")
