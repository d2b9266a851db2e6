"""A small TCP: what two stations' stacks put on the wire, delayed ACKs and retransmissions included.

RFC 9293 (states, sequence numbers), RFC 6298 (retransmission timeout), RFC 5681 and RFC 6582 (fast
retransmit, fast recovery), RFC 7323 (timestamps). Left out: windows that fill up, congestion control, SACK:
a control network's conversations are small, and its old stacks have none of it.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pcaps.lab.synth.clock import MILLISECOND, SECOND, Clock
from pcaps.lab.synth.frames import ACK, FIN, PSH, RST, SYN, TcpTemplate
from pcaps.lab.synth.network import TURNAROUND_NS, Host, Network, Packet

MSS: Final = 1460
WINDOW: Final = 8192
#: RFC 6298 says 1 s; the floor every common stack uses is lower.
RTO_FLOOR_NS: Final = 200 * MILLISECOND
RTO_START_NS: Final = SECOND
RTO_CEILING_NS: Final = 60 * SECOND
DUPLICATE_ACKS: Final = 3


@dataclass(slots=True)
class _Sent:
    """A segment that waits for its acknowledgement."""

    seq: int
    length: int
    flags: int
    payload: bytes
    sent_ns: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class _Segment:
    """A segment as it arrives."""

    seq: int
    ack: int
    flags: int
    payload: bytes
    timestamp: tuple[int, int]


@dataclass(slots=True)
class Endpoint:
    """One end of a connection; `on_data` gets the stream's bytes in order."""

    clock: Clock
    network: Network
    host: Host
    peer_host: Host
    port: int
    peer_port: int
    flow: str
    seq: int
    on_data: Callable[[bytes], None] = lambda _: None
    on_open: Callable[[], None] = lambda: None
    peer: Endpoint = field(init=False)
    _template: TcpTemplate = field(init=False)
    _acked: int = field(init=False)
    _expected: int = 0
    _waiting: list[_Sent] = field(default_factory=list)
    _early: dict[int, _Segment] = field(default_factory=dict)
    _rto_ns: int = RTO_START_NS
    _srtt_ns: int = 0
    _rttvar_ns: int = 0
    _timer: int = 0
    _ack_owed: int = 0
    _ack_timer: int = 0
    _duplicate_acks: int = 0
    _recover_to: int = 0
    _echo: int = 0
    _ended: bool = False

    def __post_init__(self) -> None:
        self._acked = self.seq
        self._template = TcpTemplate(
            self.network.addresses(self.host, self.peer_host),
            self.port,
            self.peer_port,
            timestamps=self.host.timestamps and self.peer_host.timestamps,
            mss=MSS,
        )

    def connect(self) -> None:
        """Send the SYN."""
        self._queue(SYN, b"")

    def send(self, data: bytes) -> None:
        """Send bytes of the stream, at most a segment's worth in each."""
        for start in range(0, len(data), MSS):
            self._queue(PSH | ACK, data[start : start + MSS])

    def close(self) -> None:
        """Send the FIN."""
        self._ended = True
        self._queue(FIN | ACK, b"")

    def reset(self) -> None:
        """Give up: send a RST, and forget the connection."""
        self._transmit(self.seq, RST | ACK, b"")
        self._forget()

    # -- out -------------------------------------------------------------------------------------------------

    def _queue(self, flags: int, payload: bytes) -> None:
        sent = _Sent(self.seq, len(payload) or 1, flags, payload, self.clock.now_ns)
        self.seq += sent.length
        self._waiting.append(sent)
        self._transmit(sent.seq, flags, payload)
        if len(self._waiting) == 1:
            self._arm()

    def _transmit(self, seq: int, flags: int, payload: bytes) -> None:
        self._ack_owed = 0
        self._ack_timer += 1
        timestamp = (self.clock.now_ns // MILLISECOND & 0xFFFFFFFF, self._echo)
        frame = self._template.frame(
            seq=seq,
            ack=self._expected,
            flags=flags,
            ip_id=self.host.next_ip_id(),
            window=WINDOW,
            payload=payload,
            timestamp=timestamp,
        )
        segment = _Segment(seq, self._expected, flags, payload, timestamp)
        packet = Packet(frame, self.flow, len(payload), flags, seq, self._expected if flags & ACK else 0)
        peer = self.peer
        self.network.send(self.host, self.peer_host, packet, lambda: peer._receive(segment))

    def _acknowledge(self) -> None:
        self._transmit(self.seq, ACK, b"")

    def _repeat_first(self) -> None:
        first = self._waiting[0]
        first.repeated = True
        self._transmit(first.seq, first.flags, first.payload)

    def _arm(self) -> None:
        self._timer += 1
        armed = self._timer

        def expire() -> None:
            if armed != self._timer or not self._waiting:
                return
            self._rto_ns = min(2 * self._rto_ns, RTO_CEILING_NS)
            self._recover_to = self.seq
            self._duplicate_acks = 0
            self._repeat_first()
            self._arm()

        self.clock.after(self._rto_ns, expire)

    def _forget(self) -> None:
        self._waiting.clear()
        self._timer += 1
        self._ack_timer += 1
        self._ended = True

    # -- in --------------------------------------------------------------------------------------------------

    def _receive(self, segment: _Segment) -> None:
        if segment.flags & RST:
            self._forget()
            return
        if segment.flags & SYN:
            self._receive_syn(segment)
            return
        if segment.flags & ACK:
            self._receive_ack(segment)
        if segment.payload or segment.flags & FIN:
            self._receive_data(segment)

    def _receive_syn(self, segment: _Segment) -> None:
        if self._expected:  # our answer was lost: say it again
            if segment.flags & ACK:
                self._acknowledge()
            elif self._waiting:
                self._repeat_first()
            return
        self._expected = segment.seq + 1
        self._echo = segment.timestamp[0]
        if segment.flags & ACK:
            self._receive_ack(segment)
            self.clock.after(TURNAROUND_NS, self._answer_syn_ack)
        else:
            self.clock.after(TURNAROUND_NS, lambda: self._queue(SYN | ACK, b""))

    def _answer_syn_ack(self) -> None:
        self._acknowledge()
        self.on_open()

    def _receive_ack(self, segment: _Segment) -> None:
        if segment.ack > self._acked:
            self._acked = segment.ack
            self._duplicate_acks = 0
            while self._waiting and self._waiting[0].seq + self._waiting[0].length <= segment.ack:
                done = self._waiting.pop(0)
                if not done.repeated:  # Karn: a repeated segment says nothing of the way
                    self._measure(self.clock.now_ns - done.sent_ns)
            if self._waiting:
                if segment.ack < self._recover_to:
                    self._repeat_first()
                self._arm()
            else:
                self._timer += 1
        elif segment.ack == self._acked and self._waiting and not segment.payload and not segment.flags & FIN:
            self._duplicate_acks += 1
            if self._duplicate_acks == DUPLICATE_ACKS and self._acked >= self._recover_to:
                self._recover_to = self.seq
                self._repeat_first()
                self._arm()

    def _measure(self, rtt_ns: int) -> None:
        if not self._srtt_ns:
            self._srtt_ns, self._rttvar_ns = rtt_ns, rtt_ns // 2
        else:
            self._rttvar_ns += (abs(self._srtt_ns - rtt_ns) - self._rttvar_ns) // 4
            self._srtt_ns += (rtt_ns - self._srtt_ns) // 8
        self._rto_ns = max(RTO_FLOOR_NS, self._srtt_ns + 4 * self._rttvar_ns)

    def _receive_data(self, segment: _Segment) -> None:
        if segment.seq != self._expected:
            if segment.seq > self._expected:
                self._early[segment.seq] = segment
            self._acknowledge()  # RFC 5681, 4.2: at once, so that the sender sees the hole
            return
        had_hole = bool(self._early)
        self._echo = segment.timestamp[0]
        arrived = [segment]
        self._expected += len(segment.payload) or 1
        while (follower := self._early.pop(self._expected, None)) is not None:
            arrived.append(follower)
            self._expected += len(follower.payload) or 1
        ends = any(part.flags & FIN for part in arrived)
        self._owe_ack(at_once=had_hole or ends or self.host.ack_delay_ns == 0)
        for part in arrived:
            if part.flags & FIN:
                self._receive_fin()
            else:
                self.on_data(part.payload)

    def _receive_fin(self) -> None:
        if not self._ended:
            self.clock.after(TURNAROUND_NS, self.close)

    def _owe_ack(self, *, at_once: bool) -> None:
        self._ack_owed += 1
        self._ack_timer += 1
        owed = self._ack_timer

        def pay() -> None:
            if owed == self._ack_timer:
                self._acknowledge()

        delay = TURNAROUND_NS if at_once or self._ack_owed >= 2 else self.host.ack_delay_ns
        self.clock.after(delay, pay)


def connection(
    network: Network, client: Host, client_port: int, server: Host, server_port: int
) -> tuple[Endpoint, Endpoint]:
    """The two ends of a connection that is not open yet: client, server."""
    flow = f"{client.name}:{client_port}>{server.name}:{server_port}@{network.clock.now_ns}"
    chance = random.Random(f"{network.seed}/isn/{flow}")
    ends = [
        Endpoint(network.clock, network, a, b, a_port, b_port, flow, chance.getrandbits(32))
        for a, a_port, b, b_port in (
            (client, client_port, server, server_port),
            (server, server_port, client, client_port),
        )
    ]
    ends[0].peer, ends[1].peer = ends[1], ends[0]
    return ends[0], ends[1]
