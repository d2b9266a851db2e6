"""The other conversations of a plant's day, true to their standards: MQTT, TLS, DNS, NTP."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from scapy.layers.dns import DNS, DNSQR, DNSRR

from pcaps.lab.synth import opcua
from pcaps.lab.synth.clock import MILLISECOND, SECOND, Process
from pcaps.lab.synth.frames import udp_frame
from pcaps.lab.synth.mqtt import packets
from pcaps.lab.synth.network import Host, Network, Packet
from pcaps.lab.synth.tcp import Endpoint, connection

MQTT_PORT: Final = packets.PORT
HTTPS_PORT: Final = 443
DNS_PORT: Final = 53
NTP_PORT: Final = 123
#: The session that the day's reads belong to; the morning saw it begin.
_SESSION: Final = opcua.number_node(1, 4711)
_NTP_EPOCH_S: Final = 2_208_988_800  # 1900 to 1970 (RFC 5905, 6)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One message of a client and what the server answers; an empty answer is none.

    `cuts` are the bytes of the request before which its sender begins a new TCP segment.
    """

    request: bytes
    response: bytes
    cuts: tuple[int, ...] = ()

    def segments(self) -> list[bytes]:
        """The request as it is given to TCP."""
        starts = (0, *self.cuts)
        ends = (*self.cuts, len(self.request))
        return [self.request[start:end] for start, end in zip(starts, ends, strict=True)]


def converse(
    network: Network,
    client: Host,
    client_port: int,
    server: Host,
    server_port: int,
    exchanges: Sequence[tuple[int, Exchange]],
    service_ns: int,
) -> Process:
    """One TCP connection: each exchange at its time, then a FIN five seconds after the last."""
    if not exchanges:
        return
    yield exchanges[0][0]
    ours, theirs = connection(network, client, client_port, server, server_port)

    def opened(waker: Callable[[], None]) -> None:
        ours.on_open = waker
        ours.connect()

    yield opened
    for at_ns, exchange in exchanges:
        yield at_ns

        theirs.on_data = _answering(theirs, exchange, service_ns)
        for segment in exchange.segments():
            ours.send(segment)
    yield exchanges[-1][0] + 5 * SECOND
    ours.close()


def _answering(server: Endpoint, exchange: Exchange, service_ns: int) -> Callable[[bytes], None]:
    """What a server does with the bytes of a request: once all are there, it answers."""
    missing = len(exchange.request)

    def take(data: bytes) -> None:
        nonlocal missing
        missing -= len(data)
        if missing == 0 and exchange.response:
            server.clock.after(service_ns, lambda: server.send(exchange.response))

    return take


def mqtt_day(
    client_id: str, topic: str, start_ns: int, end_ns: int, period_ns: int
) -> list[tuple[int, Exchange]]:
    """A gateway's MQTT 3.1.1 connection: CONNECT, then PUBLISH at QoS 1 every period, PINGREQ between."""
    exchanges = [(start_ns, Exchange(packets.connect(4, client_id), packets.connack(4)))]
    for number, at_ns in enumerate(range(start_ns + SECOND, end_ns, period_ns), 1):
        packet_id = number & 0xFFFF
        body = b'{"vibration_um_s":%d,"temperature_dc":%d}' % (
            1800 + number * 13 % 240,
            412 + number * 7 % 30,
        )
        publish = packets.publish(4, topic, body, qos=1, packet_id=packet_id)
        exchanges.append((at_ns, Exchange(publish, packets.puback(packet_id))))
        exchanges.append((at_ns + period_ns // 2, Exchange(packets.pingreq(), packets.pingresp())))
    return exchanges


def opcua_day(url: str, start_ns: int, end_ns: int, period_ns: int) -> list[tuple[int, Exchange]]:
    """A client's OPC UA channel without security: hello, open, then a Read every period."""
    channel = opcua.Channel(random.Random(url))
    exchanges = [(start_ns, Exchange(opcua.hello(url), opcua.acknowledge()))]
    # The opening still has the time of the hello.
    opening = channel.open(start_ns)
    exchanges.append((start_ns + 100 * MILLISECOND, Exchange(*opening)))
    nodes = (1001, 1002, 1003)
    for number, at_ns in enumerate(range(start_ns + SECOND, end_ns, period_ns), 2):
        values = {f"ns=2;i={node}": node * 10 + number * 3 % 50 for node in nodes}
        asked = opcua.services.read(values, numbers_in_full=True)
        exchanges.append((at_ns, Exchange(*channel.call(*asked, at_ns, _SESSION))))
    return exchanges


def tls_visit(
    name: str, start_ns: int, pages: int, page_bytes: int, chance: random.Random
) -> list[tuple[int, Exchange]]:
    """A short TLS 1.2 conversation (RFC 5246) that resumes a session: handshake, then sealed requests."""
    session = chance.randbytes(32)
    suite = b"\xc0\x2f"
    server_name = name.encode()
    sni = struct.pack("!HBH", len(server_name) + 3, 0, len(server_name)) + server_name
    extensions = struct.pack("!HH", 0, len(sni)) + sni
    hello = b"\x03\x03" + chance.randbytes(32) + b"\x20" + session + b"\x00\x02" + suite + b"\x01\x00"
    hello += struct.pack("!H", len(extensions)) + extensions
    answer = b"\x03\x03" + chance.randbytes(32) + b"\x20" + session + suite + b"\x00"
    change = _tls(20, b"\x01")
    finished = _tls(22, chance.randbytes(40))
    sealed = _tls(23, chance.randbytes(180))
    exchanges = [
        (
            start_ns,
            Exchange(_tls(22, _handshake(1, hello)), _tls(22, _handshake(2, answer)) + change + finished),
        ),
        (start_ns + 60 * MILLISECOND, Exchange(change + _tls(22, chance.randbytes(40)), b"")),
    ]
    for page in range(pages):
        at_ns = start_ns + 120 * MILLISECOND + page * 2 * SECOND
        exchanges.append((at_ns, Exchange(sealed, _tls(23, chance.randbytes(page_bytes)))))
    return exchanges


def http_visit(host: str, paths: Sequence[str], start_ns: int) -> list[tuple[int, Exchange]]:
    """Pages fetched over HTTP/1.1 in clear (RFC 9112), two seconds apart."""
    page = b"<html><title>Controller</title><body>Diagnostics</body></html>"
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(page)}\r\n\r\n".encode()
    return [
        (
            start_ns + number * 2 * SECOND,
            Exchange(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode(), head + page),
        )
        for number, path in enumerate(paths)
    ]


def dns_question(network: Network, client: Host, server: Host, number: int, name: str, address: str) -> None:
    """Ask for a name's address, and the answer (RFC 1035)."""
    question = DNSQR(qname=name)
    asked = bytes(DNS(id=number, rd=1, qd=question))
    record = DNSRR(rrname=name, rdata=address, ttl=300)
    answered = bytes(DNS(id=number, qr=1, rd=1, ra=1, qd=question, an=record))
    _ask_udp(network, client, 40_000 + number % 20_000, server, DNS_PORT, asked, answered)


def ntp_question(network: Network, client: Host, server: Host) -> None:
    """Ask for the time, and the answer (RFC 5905, 7.3)."""
    stamp = _ntp_time(network.clock.now_ns)
    asked = struct.pack("!BBbb", 0x23, 0, 6, -20) + bytes(36) + stamp
    answered = (
        struct.pack("!BBbb", 0x24, 2, 6, -20)
        + struct.pack("!II", 0x0120, 0x0080)
        + bytes([10, 30, 0, 1])
        + stamp * 4
    )
    _ask_udp(network, client, NTP_PORT, server, NTP_PORT, asked, answered)


def _ask_udp(
    network: Network,
    client: Host,
    client_port: int,
    server: Host,
    server_port: int,
    asked: bytes,
    answered: bytes,
) -> None:
    flow = f"udp/{client.name}:{client_port}>{server.name}:{server_port}@{network.clock.now_ns}"

    def packet(sender: Host, receiver: Host, ports: tuple[int, int], payload: bytes) -> Packet:
        frame = udp_frame(network.addresses(sender, receiver), *ports, sender.next_ip_id(), payload)
        return Packet(frame, flow, len(payload))

    def answer() -> None:
        network.clock.after(
            MILLISECOND,
            lambda: network.send(
                server, client, packet(server, client, (server_port, client_port), answered), lambda: None
            ),
        )

    network.send(client, server, packet(client, server, (client_port, server_port), asked), answer)


def _tls(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3, 3]) + struct.pack("!H", len(body)) + body


def _handshake(kind: int, body: bytes) -> bytes:
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def _ntp_time(now_ns: int) -> bytes:
    seconds, rest = divmod(now_ns, SECOND)
    return struct.pack("!II", seconds + _NTP_EPOCH_S & 0xFFFFFFFF, (rest << 32) // SECOND)
