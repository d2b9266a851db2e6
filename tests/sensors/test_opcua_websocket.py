"""OPC UA over WebSocket: what a real client and server said over TCP, framed by wsproto, gives the same rows."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("wsproto", reason="wsproto is of the extra `dev`")
from wsproto import WSConnection
from wsproto.connection import ConnectionType
from wsproto.events import AcceptConnection, BytesMessage, Event, Ping, Request

from tests.sensors.talks import Rows, decoded, write_pcap
from tests.support.byte_streams import connections
from tests.support.pcap_records import records
from tests.support.tcp_talk import Sent, Turn, cut, talk, turns

#: asyncua on both sides, in the lab.
RECORDED = Path(__file__).parents[2] / "pcaps" / "lab-opcua-password.pcapng"

#: When, where and in what a row was seen, which the frames around it change.
ELSEWHERE = {"ts", "flow_id", "server_port", "transport", "latency_ns"}


@cache
def chunks() -> tuple[Turn, ...]:
    """The longest conversation, chunk by chunk: a chunk's length is behind its four letters (OPC 10000-6, 7.1.2.2)."""
    flow = max(
        (flow for flow in decoded(RECORDED)["flows"] if flow["service"] == "opcua"),
        key=lambda flow: int(flow["payload_bytes_c2s"]),
    )
    client = flow["client_ip"], flow["client_port"]
    both = {client, (flow["server_ip"], flow["server_port"])}
    one = next(found for found in connections(records(RECORDED)) if set(found.sides) == both)
    found: list[Turn] = []
    waiting = {True: b"", False: b""}
    for from_client, said in turns(one, client):
        waiting[from_client] += said
        while len(rest := waiting[from_client]) >= 8:
            (length,) = struct.unpack_from("<I", rest, 4)
            if len(rest) < length:
                break
            found.append((from_client, rest[:length]))
            waiting[from_client] = rest[length:]
    assert waiting == {True: b"", False: b""}
    return tuple(found)


def upgraded(said: Sequence[Turn], subprotocol: str = "opcua+uacp") -> list[Turn]:
    """The same within WebSocket: its upgrade, then a frame each (7.5.2), and now and then a ping."""
    client, server = WSConnection(ConnectionType.CLIENT), WSConnection(ConnectionType.SERVER)
    told: list[Turn] = []

    def tell(from_client: bool, event: Event) -> None:
        sender, receiver = (client, server) if from_client else (server, client)
        sent = sender.send(event)
        receiver.receive_data(sent)
        list(receiver.events())
        told.append((from_client, sent))

    tell(True, Request(host="plc1.mine-a.example", target="/", subprotocols=[subprotocol]))
    tell(False, AcceptConnection(subprotocol=subprotocol))
    for number, (from_client, chunk) in enumerate(said):
        if number % 9 == 4:
            tell(from_client, Ping(b"still there?"))
        tell(from_client, BytesMessage(chunk))
    return told


def essence(rows: Rows) -> list[dict[str, Any]]:
    """What the rows of a conversation say of it."""
    return [
        {name: value for name, value in row.items() if name not in ELSEWHERE and "frame" not in name}
        for row in rows["opcua"]
    ]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The rows over plain TCP: what is held against Wireshark, and against what asyncua says, elsewhere."""
    folder = tmp_path_factory.mktemp("opcua")
    rows = decoded(write_pcap(folder / "tcp.pcap", talk(chunks(), 4_840)))
    assert {row["transport"] for row in rows["opcua"]} == {"tcp"}
    return essence(rows)


def sizes(*some: int) -> Iterator[int]:
    return cycle(some)


def test_the_conversation_says_something(expected: list[dict[str, Any]]) -> None:
    services = Counter(row["service"] for row in expected)
    assert services["CreateSession"] == services["ActivateSession"] == 1
    assert {row["outcome"] for row in expected} >= {"answered"}


@pytest.mark.parametrize("port", [80, 443, 4_840, 50_000])
def test_the_rows_are_those_of_the_same_chunks_over_tcp(
    tmp_path: Path, expected: list[dict[str, Any]], port: int
) -> None:
    rows = decoded(write_pcap(tmp_path / "ws.pcap", talk(upgraded(chunks()), port)))
    assert essence(rows) == expected
    assert {row["transport"] for row in rows["opcua"]} == {"websocket"}
    (flow,) = rows["flows"]
    assert (flow["service"], flow["confidence"]) == ("opcua", "handshake")
    assert "http" not in rows
    assert "anomalies" not in rows


@pytest.mark.parametrize("segments", [(1,), (3, 700, 11), (1_400,)])
def test_it_does_not_matter_how_frames_are_cut_into_segments(
    tmp_path: Path, segments: tuple[int, ...]
) -> None:
    # The request in one piece: until its end, nobody knows what it asks for.
    whole = [Sent(True, 0, upgraded([])[0][1])]
    said = upgraded(chunks()[:40])
    pieces = sizes(*segments)
    frames = talk(said, 8_080, lambda turn: whole if turn == said[0] else cut(turn, pieces))
    plain = essence(decoded(write_pcap(tmp_path / "tcp.pcap", talk(chunks()[:40], 4_840))))
    assert essence(decoded(write_pcap(tmp_path / "ws.pcap", frames))) == plain


@pytest.mark.parametrize("first", [0, 1, 5, 6])
def test_of_a_connection_whose_upgrade_was_not_seen_the_rows_are_the_same(tmp_path: Path, first: int) -> None:
    # Without its SYN: joined in its middle.
    frames = talk(upgraded(chunks()[first:])[2:], 8_080)[3:]
    rows = decoded(write_pcap(tmp_path / "middle.pcap", frames))
    plain = decoded(write_pcap(tmp_path / "plain.pcap", talk(chunks()[first:], 4_840)[3:]))
    assert essence(rows) == essence(plain)
    assert {row["transport"] for row in rows["opcua"]} == {"websocket"}
    (flow,) = rows["flows"]
    assert flow["service"] == "opcua"


def test_the_server_s_agreement_alone_is_enough(tmp_path: Path, expected: list[dict[str, Any]]) -> None:
    said = upgraded(chunks())
    frames = talk(said, 8_080)
    # The frame with the request is not there, and its acknowledgement is.
    rows = decoded(write_pcap(tmp_path / "agreed.pcap", frames[:3] + frames[4:]))
    first, *others = essence(rows)
    assert others == expected[1:]
    # What was not seen stands before the first message, and it says so.
    assert [name for name, value in first.items() if value != expected[0][name]] == ["after_gap"]


def test_another_subprotocol_is_not_taken_for_it(tmp_path: Path) -> None:
    said = upgraded([(True, b"hello"), (False, b"hello yourself")], "chat")
    rows = decoded(write_pcap(tmp_path / "chat.pcap", talk(said, 8_080)))
    assert [flow["service"] for flow in rows["flows"]] == ["websocket"]
    assert "opcua" not in rows
