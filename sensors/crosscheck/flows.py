"""Wireshark's streams and our flows in; agreement on who talked with whom, how much, and what TCP went through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sensors.addresses import address_text, mac_text
from sensors.crosscheck.agreement import Agreement
from sensors.crosscheck.frames import End
from sensors.crosscheck.services import SERVICES
from sensors.crosscheck.streams import Sent, Stream

Row = Mapping[str, Any]

_TRANSPORTS: Final = {6: "tcp", 17: "udp"}

_COPIES: Final = "ours: the same packets twice (a mirror port, or both sides of a router) are counted once"


@dataclass(slots=True)
class Pair:
    """One stream of Wireshark's and the flow, or the flows, that we made of it."""

    stream: Stream
    flows: list[Row]

    @property
    def first(self) -> Row:
        """The flow that begins with the stream."""
        return self.flows[0]

    def ours(self, column: str) -> int:
        """A counter, of all its flows."""
        return sum(int(flow[column]) for flow in self.flows)

    def ends(self) -> tuple[End, End]:
        """Our client and server."""
        return client(self.first), server(self.first)


def client(flow: Row) -> End:
    """The end that opened a flow."""
    return flow["client_ip"], flow["client_port"]


def server(flow: Row) -> End:
    """The end that was asked."""
    return flow["server_ip"], flow["server_port"]


def end_text(end: End) -> str:
    """An end as text."""
    address = address_text(end[0])
    return f"[{address}]:{end[1]}" if ":" in address else f"{address}:{end[1]}"


def about(flow: Row) -> str:
    """A flow in a few words."""
    return f"{end_text(client(flow))} to {end_text(server(flow))}"


def compare_flows(streams: Iterable[Stream], flows: Iterable[Row], agreement: Agreement) -> None:
    """Lay all streams beside all flows."""
    waiting: defaultdict[tuple[str, frozenset[End]], list[Row]] = defaultdict(list)
    for flow in flows:
        if (transport := _TRANSPORTS.get(flow["ip_proto"])) is not None:
            waiting[transport, frozenset((client(flow), server(flow)))].append(flow)
    for found in waiting.values():
        found.sort(key=lambda flow: flow["first_frame"], reverse=True)
    for stream in streams:
        here = waiting[stream.transport, stream.ends]
        own: list[Row] = []
        # Wireshark's streams of the same ends come one after the other: what begins within this one is its.
        while here and here[-1]["first_frame"] <= stream.last_frame:
            own.append(here.pop())
        _compare_stream(stream, own, agreement)
    for (transport, _), left in waiting.items():
        for flow in left:
            agreement.compare(
                transport, "flow", about(flow), None, frame=flow["first_frame"], about=about(flow)
            )


def _compare_stream(stream: Stream, flows: list[Row], agreement: Agreement) -> None:
    name = " and ".join(sorted(map(end_text, stream.ends)))
    starts = [flow["first_frame"] for flow in flows]
    agreement.compare(
        stream.transport,
        "flow",
        starts,
        [stream.first.number],
        frame=stream.first.number,
        about=name,
        because=lambda: _why_split(flows),
    )
    if not flows:
        return
    pair = Pair(stream, flows)

    def check(field: str, ours: Any, theirs: Any, because: Callable[[], str] = lambda: "") -> None:
        agreement.compare(
            stream.transport,
            field,
            ours,
            theirs,
            frame=stream.first.number,
            about=lambda: about(pair.first),
            because=because,
        )

    check("ends", sorted(pair.ends()), sorted(stream.ends))

    def why_earlier() -> str:
        return _COPIES if flows[-1]["last_frame"] == stream.last_original[0] < stream.last_frame else ""

    duration_ns = int(flows[-1]["last_ts"]) - int(pair.first["ts"])
    check("last frame", flows[-1]["last_frame"], stream.last_frame, why_earlier)
    check("duration", duration_ns, stream.last_ns - stream.first.ns, why_earlier)
    check("VLAN", pair.first["vlan"], stream.vlan, lambda: _why_vlan(pair))
    _compare_macs(pair, check)
    _compare_service(pair, check)
    if stream.transport == "tcp" and (opener := stream.opener()) is not None:
        check("client", end_text(client(pair.first)), end_text(opener), lambda: _why_roles(pair))
    for way, end in zip(("c2s", "s2c"), pair.ends(), strict=True):
        _compare_way(pair, way, stream.sent.get(end, Sent()), check)
    if stream.transport == "tcp":
        _compare_handshake(pair, check)


Check = Callable[..., None]


def _why_vlan(pair: Pair) -> str:
    """A VLAN that is no tag of the frame."""
    if pair.first["tunnel"] != "erspan" or pair.stream.vlan:
        return ""
    return "ours: the VLAN that the mirroring switch wrote into the ERSPAN header; the frame inside has lost its tag"


def _compare_macs(pair: Pair, check: Check) -> None:
    first = pair.stream.first
    sender = first.ends[0]
    if first.macs[0]:
        ours = pair.first["client_mac"] if sender == client(pair.first) else pair.first["server_mac"]
        check("MAC of the first sender", mac_text(ours) or "00:00:00:00:00:00", first.macs[0])


def _compare_service(pair: Pair, check: Check) -> None:
    if "websocket" in pair.stream.above:
        # What it carries is the service; some versions of Wireshark do not look.
        return
    names = {SERVICES[name] for name in pair.stream.above if name in SERVICES}
    ours = pair.flows[-1]["service"]
    if len(names) == 1 and ours:
        check("service", ours, next(iter(names)))


def _compare_way(pair: Pair, way: str, sent: Sent, check: Check) -> None:
    copies = pair.ours(f"duplicate_packets_{way}")
    check(f"packets {way}", pair.ours(f"packets_{way}") + copies, sent.packets)

    def why_copies(ours: int, theirs: int, copied: int) -> Callable[[], str]:
        """Copies explain a difference that is exactly what they carry, by Wireshark's own fields."""
        return lambda: _COPIES if copies and copies == sent.copies and theirs - ours == copied else ""

    for field, column, theirs, copied in (
        ("wire bytes", "wire_bytes", sent.wire_bytes, sent.copied_wire_bytes),
        ("payload bytes", "payload_bytes", sent.payload_bytes, sent.copied_payload_bytes),
        *(
            (
                ("FIN", "fins", sent.fins, sent.copied_fins),
                ("RST", "resets", sent.resets, sent.copied_resets),
            )
            if pair.stream.transport == "tcp"
            else ()
        ),
    ):
        ours = pair.ours(f"{column}_{way}")
        check(f"{field} {way}", ours, theirs, why_copies(ours, theirs, copied))
    if pair.stream.transport == "tcp":
        _compare_repeats(pair, way, sent, check)


def _compare_repeats(pair: Pair, way: str, sent: Sent, check: Check) -> None:
    """Segments sent again or late. Wireshark has one verdict where we have three: see `filled_holes`."""
    ours = sum(
        pair.ours(f"{name}_{way}")
        for name in ("retransmitted_segments", "filled_holes", "out_of_order_segments")
    )
    theirs = sent.repeats

    def why() -> str:
        if sent.uncounted and ours == theirs - sent.uncounted:
            return "; ".join(sorted(sent.uncounted_because))
        return ""

    check(f"segments sent again or late {way}", ours, theirs, why)


def _compare_handshake(pair: Pair, check: Check) -> None:
    stream, flow = pair.stream, pair.first
    at_client, at_server = (stream.sent.get(end, Sent()) for end in pair.ends())
    check("SYN frame", flow["syn_frame"], at_client.syn_frame)
    check("SYN-ACK frame", flow["syn_ack_frame"], at_server.syn_ack_frame)
    legs = flow["handshake_server_rtt_ns"], flow["handshake_client_rtt_ns"]
    ours = None if None in legs else sum(leg for leg in legs if leg is not None)
    if ours is None and stream.initial_rtt_ns is None:
        return

    def why() -> str:
        if at_server.syn_ack_frame is None:
            return "ours: a SYN that a reset refuses is no handshake; Wireshark takes SYN to RST for one"
        if at_client.copies and ours is not None and stream.initial_rtt_ns is not None:
            return (
                "ours: from the first copy of the SYN; Wireshark starts at the last one"
                if ours > stream.initial_rtt_ns
                else ""
            )
        return ""

    check("handshake round trip", ours, stream.initial_rtt_ns, why)


def _why_split(flows: list[Row]) -> str:
    """Wireshark's streams never end; ours do when they are silent for longer than the limit."""
    if len(flows) > 1 and all(flow["end_reason"] in ("idle", "evicted") for flow in flows[:-1]):
        return (
            "ours: a flow ends after the silence that `tcp_idle_s` and `udp_idle_s` allow, or when pushed out"
        )
    return ""


def _why_roles(pair: Pair) -> str:
    if pair.first["role_source"] == "protocol":
        return "ours: the application's requests say who is the client, against the SYN"
    return ""
