"""tshark's rows, one a frame, in; frames with the addresses, ports and verdicts of their innermost packet out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from typing import IO, Final

from sensors.crosscheck.dissection import nanoseconds
from sensors.crosscheck.facts import Fact
from sensors.crosscheck.wireshark import WiresharkFailed

_ONE_EACH: Final = (
    "frame.number",
    "frame.time_epoch",
    "frame.len",
    "frame.cap_len",
    "frame.interface_id",
    "frame.protocols",
)
_ADDRESSES: Final = ("eth.src", "eth.dst", "vlan.id", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst")
_TRANSPORT: Final = (
    "ip.id",
    "ip.ttl",
    "ipv6.hlim",
    "tcp.stream",
    "tcp.srcport",
    "tcp.dstport",
    "tcp.len",
    "tcp.flags",
    "tcp.seq_raw",
    "tcp.ack_raw",
    "udp.stream",
    "udp.srcport",
    "udp.dstport",
    "udp.length",
)
_TIMES: Final = ("tcp.analysis.ack_rtt", "tcp.analysis.acks_frame", "tcp.analysis.initial_rtt")
_VERDICTS: Final = {
    "tcp.analysis.retransmission": Fact.RETRANSMISSION,
    "tcp.analysis.spurious_retransmission": Fact.SPURIOUS,
    "tcp.analysis.out_of_order": Fact.OUT_OF_ORDER,
    "tcp.analysis.lost_segment": Fact.LOST_BEFORE,
    "tcp.analysis.ack_lost_segment": Fact.ACK_OF_UNSEEN,
    "tcp.analysis.keep_alive": Fact.KEEP_ALIVE,
    "_ws.malformed": Fact.MALFORMED,
    "ip.flags.mf": Fact.FRAGMENT,
}

#: What a verdict's cell holds where Wireshark does not hold it; a verdict itself has no value, or 1.
_NOT: Final = ("", "0", "False")

_UDP_HEADER: Final = 8
_MAPPED: Final = b"\0" * 10 + b"\xff\xff"

#: A field that comes up several times in a frame, as under a tunnel, is joined by this; no value holds it.
_JOIN: Final = ","

#: Longest row of a frame: tunnels in tunnels, not a file.
_ROW_BYTES: Final = 2**20

End = tuple[bytes, int]


@dataclass(slots=True)
class Frame:
    """One frame, as Wireshark dissects it; addresses and ports are those of the innermost packet."""

    number: int
    ns: int
    wire_bytes: int
    captured_bytes: int
    interface: int
    protocols: list[str]
    macs: tuple[str, str]
    vlans: list[int]
    addresses: tuple[bytes, bytes] | None
    #: Empty where there is none.
    ip_id: str
    hops: str
    #: "tcp" or "udp" where it belongs to a stream of it; a header quoted by ICMP does not.
    transport: str
    stream: int
    ports: tuple[int, int]
    payload_bytes: int
    sequence: tuple[str, str]
    facts: Fact
    ack_rtt_ns: int | None
    acked_frame: int
    initial_rtt_ns: int | None
    #: Messages by the fields that were asked to be counted.
    counts: tuple[int, ...]

    @property
    def ends(self) -> tuple[End, End]:
        """Sender and receiver."""
        source, target = self.addresses or (b"", b"")
        return (source, self.ports[0]), (target, self.ports[1])


def arguments(counted: Sequence[str]) -> list[str]:
    """What tshark has to write; `counted`: fields that messages have once."""
    command = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", f"aggregator={_JOIN}"]
    for name in (*_ONE_EACH, *_ADDRESSES, *_TRANSPORT, *_TIMES, *_VERDICTS, *counted):
        command += ["-e", name]
    return command


def frames(rows: IO[bytes], counted: int) -> Iterator[Frame]:
    """Every frame of the capture, in order."""
    width = len(_ONE_EACH) + len(_ADDRESSES) + len(_TRANSPORT) + len(_TIMES) + len(_VERDICTS) + counted
    while line := rows.readline(_ROW_BYTES):
        cells = line.decode(errors="replace").rstrip("\n").split("\t")
        if len(cells) != width:
            raise WiresharkFailed(f"tshark wrote a row of {len(cells)} fields where {width} were asked for")
        yield _frame(cells)


def _frame(cells: list[str]) -> Frame:
    number, epoch, wire, captured, interface, protocols = cells[:6]
    mac_from, mac_to, vlans, ip_from, ip_to, ipv6_from, ipv6_to = cells[6:13]
    ip_id, ttl, hop_limit = map(_last, cells[13:16])
    tcp_stream, tcp_from, tcp_to, tcp_len, flags, seq, ack = map(_last, cells[16:23])
    udp_stream, udp_from, udp_to, udp_len = map(_last, cells[23:27])
    ack_rtt, acked, initial_rtt = map(_last, cells[27:30])
    verdicts, counts = cells[30 : 30 + len(_VERDICTS)], cells[30 + len(_VERDICTS) :]
    chain = protocols.split(":")
    facts = Fact(0)
    for fact, said in zip(_VERDICTS.values(), verdicts, strict=True):
        if said not in _NOT:
            facts |= fact
    # ICMP quotes the head of the packet that it is about: those ports and numbers are no segment.
    quoting = "icmp" in chain or "icmpv6" in chain
    transport = "" if quoting else "tcp" if tcp_stream else "udp" if udp_stream else ""
    stream, source, target = {
        "tcp": (tcp_stream, tcp_from, tcp_to),
        "udp": (udp_stream, udp_from, udp_to),
        "": ("0", "0", "0"),
    }[transport]
    payload = 0
    if transport == "tcp":
        payload = int(tcp_len or 0)
        facts |= _flags(int(flags or "0", 16))
        facts |= Fact.DATA if payload else Fact(0)
    elif transport == "udp":
        payload = max(0, int(udp_len or 0) - _UDP_HEADER)
    sixth = "ipv6" in chain and (not ip_from or _last_of(chain, "ip", "ipv6") == "ipv6")
    ends = (ipv6_from, ipv6_to) if sixth else (ip_from, ip_to)
    return Frame(
        number=int(number),
        ns=nanoseconds(epoch),
        wire_bytes=int(wire),
        captured_bytes=int(captured),
        interface=int(interface or 0),
        protocols=chain,
        # Within a tunnel that carries frames there are several: the innermost one's ends are the flow's.
        macs=(_last(mac_from), _last(mac_to)),
        vlans=[int(vlan) for vlan in vlans.split(_JOIN) if vlan],
        addresses=(_packed(_last(ends[0])), _packed(_last(ends[1]))) if ends[0] else None,
        ip_id="" if sixth else ip_id,
        hops=hop_limit if sixth else ttl,
        transport=transport,
        stream=int(stream),
        ports=(int(source), int(target)),
        payload_bytes=payload,
        sequence=(seq, ack),
        facts=facts,
        ack_rtt_ns=nanoseconds(ack_rtt) if ack_rtt and not quoting else None,
        acked_frame=int(acked or 0),
        initial_rtt_ns=nanoseconds(initial_rtt) if initial_rtt and not quoting else None,
        counts=tuple(cell.count(_JOIN) + 1 if cell else 0 for cell in counts),
    )


def _flags(bits: int) -> Fact:
    """The TCP header's flags (RFC 9293, 3.1) that are kept."""
    flags = Fact.FIN if bits & 1 else Fact(0)
    flags |= Fact.SYN if bits & 2 else Fact(0)
    return flags | (Fact.RST if bits & 4 else Fact(0)) | (Fact.ACK if bits & 16 else Fact(0))


def _last(cell: str) -> str:
    return cell.rpartition(_JOIN)[2]


def _last_of(chain: list[str], *names: str) -> str:
    return next(name for name in reversed(chain) if name in names)


@lru_cache(maxsize=65_536)
def _packed(address: str) -> bytes:
    """16 bytes, IPv4 as IPv4-mapped IPv6, as in our tables."""
    packed = ip_address(address).packed
    return packed if len(packed) == 16 else _MAPPED + packed
