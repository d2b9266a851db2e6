"""PDML in pieces: the same messages whatever the pieces; a message apiece, several in a frame."""

from __future__ import annotations

import io
from itertools import pairwise

import pytest

from sensors.crosscheck import dissection
from sensors.crosscheck.dissection import messages, nanoseconds
from sensors.crosscheck.wireshark import WiresharkFailed


def packet(number: int, *layers: str) -> str:
    return (
        f'<packet><proto name="geninfo"><field name="num" show="{number}"/><field name="len" show="60"/>'
        '<field name="caplen" show="60"/><field name="timestamp" value="1.5"/></proto>'
        f'<proto name="frame"><field name="filtered" value="frame"/></proto>{"".join(layers)}</packet>\n'
    )


def layer(name: str, *fields: tuple[str, str]) -> str:
    inside = "".join(f'<field name="{field}" show="{show}" pos="3" value="0a"/>' for field, show in fields)
    return f'<proto name="{name}">{inside}</proto>'


TWO_IN_ONE = packet(
    7,
    layer("tcp", ("tcp.len", "24")),
    layer("mbtcp", ("mbtcp.trans_id", "1")),
    layer("modbus", ("modbus.func_code", "3"), ("modbus.regval_uint16", "5"), ("modbus.regval_uint16", "6")),
    layer("mbtcp", ("mbtcp.trans_id", "2")),
    layer("modbus", ("modbus.func_code", "0x04")),
)
PDML = f"<?xml version='1.0'?><pdml>{TWO_IN_ONE}{packet(9, layer('mbtcp', ('mbtcp.trans_id', '3')))}</pdml>"


class Pieces(io.RawIOBase):
    """A stream that gives its bytes in given pieces."""

    def __init__(self, data: bytes, cuts: list[int]) -> None:
        self._pieces = [data[a:b] for a, b in pairwise([0, *cuts, len(data)])]

    def read(self, _size: int = -1) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def read(stream: io.RawIOBase | io.BytesIO) -> list[tuple[int, int | None, int | None, list[int]]]:
    return [
        (
            message.frame,
            message.number("mbtcp.trans_id"),
            message.number("modbus.func_code"),
            message.numbers("modbus.regval_uint16"),
        )
        for message in messages(stream, "mbtcp", ("modbus",))  # type: ignore[arg-type]
    ]


WANTED = [(7, 1, 3, [5, 6]), (7, 2, 4, []), (9, 3, None, [])]


def test_every_message_of_a_frame_is_one_with_its_own_layers() -> None:
    assert read(io.BytesIO(PDML.encode())) == WANTED


def test_where_the_pieces_end_does_not_matter() -> None:
    data = PDML.encode()
    for cut in range(1, len(data)):
        assert read(Pieces(data, [cut])) == WANTED
    assert read(Pieces(data, list(range(1, len(data))))) == WANTED


def test_text_of_the_wire_does_not_end_a_packet() -> None:
    hostile = packet(
        1, layer("mbtcp", ("mbtcp.trans_id", "&lt;/packet&gt;"), ("mbtcp.unit_id", "\x01\ufffe4"))
    )
    (message,) = messages(io.BytesIO(hostile.encode()), "mbtcp", ())
    assert message.text("mbtcp.trans_id") == "</packet>"
    assert message.number("mbtcp.trans_id") is None


def test_a_packet_of_endless_words_is_refused_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissection, "PACKET_BYTES", 1000)
    with pytest.raises(WiresharkFailed, match="about one packet"):
        read(io.BytesIO(b"<packet>" + b"x" * 300_000))


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        ("1595660608.239863001", 1_595_660_608_239_863_001),
        ("0.000015000", 15_000),
        ("-0.5", -500_000_000),
        ("12", 12_000_000_000),
        (".25", 250_000_000),
    ],
)
def test_times_keep_their_last_digit(seconds: str, wanted: int) -> None:
    assert nanoseconds(seconds) == wanted
