"""The order of a crosscheck: our flows, then Wireshark's frames, then each protocol's messages, each beside ours."""

from __future__ import annotations

import heapq
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final

from sensors.capture import Capture, open_capture, single_file
from sensors.crosscheck import dissection, introductions
from sensors.crosscheck.agreement import Agreement, FieldAgreement
from sensors.crosscheck.dissection import Message
from sensors.crosscheck.flows import compare_flows
from sensors.crosscheck.frames import arguments as frame_arguments
from sensors.crosscheck.frames import frames
from sensors.crosscheck.mapping import Protocol
from sensors.crosscheck.messages import Messages
from sensors.crosscheck.own import OwnRow, OwnRows
from sensors.crosscheck.protocols import PROTOCOLS
from sensors.crosscheck.round_trips import RoundTrips
from sensors.crosscheck.streams import Streams
from sensors.crosscheck.totals import Totals
from sensors.crosscheck.wireshark import Wireshark
from sensors.engine import EngineLimits

#: Compared by what they say of themselves at the start of a connection.
INTRODUCED: Final = ("tls", "ssh")

#: What can be asked for alone; the lower layers are always read, for the explanations.
PROTOCOL_NAMES: Final = ("frame", "tcp", "udp", *(protocol.name for protocol in PROTOCOLS), *INTRODUCED)

#: Ports told to tshark at most, the busiest first: a scan is no reason for an endless command line.
_PORTS_TOLD: Final = 64

#: Differences kept of each field.
DIFFERENCES_KEPT: Final = 20


@dataclass(frozen=True, slots=True)
class Crosscheck:
    """The second opinion on one capture."""

    capture: Capture
    wireshark: str
    fields: tuple[FieldAgreement, ...]
    #: What the reader has to know: what tshark was told, what it said of the capture.
    notes: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether something was compared, and every field of it holds."""
        return bool(self.fields) and all(field.agrees for field in self.fields)


def crosscheck(
    path: str | os.PathLike[str] | Capture,
    *,
    only: Iterable[str] = PROTOCOL_NAMES,
    differences_kept: int = DIFFERENCES_KEPT,
    limits: EngineLimits | None = None,
) -> Crosscheck:
    """Compare the engine with the tshark of this machine, for the protocols in `only`.

    Raises CaptureUnreadable, EngineFault, NoWireshark and WiresharkFailed.
    """
    capture = single_file(path if isinstance(path, Capture) else open_capture(path))
    wireshark = Wireshark.find()
    asked = frozenset(only)
    agreement = Agreement(differences_kept)
    notes: list[str] = []
    flows, coverage, summary = _own_flows(capture, limits)
    told = _told(flows, notes)
    streams = _compare_frames(capture, wireshark, limits, told, agreement, (flows, coverage, summary))
    for place, protocol in enumerate(PROTOCOLS):
        there = any(stream.counts[place] for stream in streams)
        found = any(flow["service"] in protocol.services for flow in flows)
        if protocol.name in asked and (there or found):
            hidden_in = _hidden(protocol, flows, streams, notes)
            _compare_messages(capture, wireshark, limits, told, agreement, streams, place, hidden_in)
    if asked & frozenset(INTRODUCED):
        _compare_introductions(capture, wireshark, limits, told, agreement, streams, asked)
    fields = tuple(field for field in agreement if field.protocol in asked)
    return Crosscheck(capture, wireshark.version, fields, (*notes, *wireshark.remarks))


def _own_flows(
    capture: Capture, limits: EngineLimits | None
) -> tuple[list[OwnRow], list[OwnRow], dict[str, Any]]:
    """Our flows and coverage, and what the engine says of the whole capture: memory grows with the flows."""
    tables: dict[str, list[OwnRow]] = {"flows": [], "coverage": []}
    carriers = {protocol.table: protocol.carrier for protocol in PROTOCOLS if protocol.carrier}
    carried: dict[int, str] = {}
    with OwnRows(capture, (*tables, *carriers), limits) as own:
        for table, row in own.rest():
            if table in carriers:
                carried[row["flow_id"]] = row[carriers[table]]
            else:
                tables[table].append(row)
        for flow in tables["flows"]:
            flow["carried"] = carried.get(flow["flow_id"], "")
        return tables["flows"], tables["coverage"], own.summary()


def _hidden(protocol: Protocol, flows: Iterable[OwnRow], streams: Streams, notes: list[str]) -> str:
    """The carrier within which this Wireshark does not find the protocol, where we do; "" where there is none."""
    carrier = protocol.hidden_in
    here = any(flow["carried"] == carrier and flow["service"] in protocol.services for flow in flows)
    if not carrier or not here or any({carrier, protocol.begins} <= stream.above for stream in streams):
        return ""
    notes.append(f"this Wireshark does not look for {protocol.name} within {carrier}: that is not compared")
    return carrier


def _told(flows: Iterable[Mapping[str, Any]], notes: list[str]) -> list[str]:
    """What tshark has to be told: ports on which we found a protocol by its structure. Wireshark goes by ports."""
    told: list[str] = []
    for protocol in PROTOCOLS:
        for way in protocol.decode_as:
            busy: Counter[int] = Counter()
            for flow in flows:
                is_it = flow["service"] == way.service and flow["ip_proto"] == way.ip_proto
                is_it = is_it and way.carried in ("", flow["carried"])
                if is_it and not {flow["client_port"], flow["server_port"]} & set(way.known):
                    busy[flow["server_port"]] += flow["packets_c2s"] + flow["packets_s2c"]
            found = sorted(port for port, _ in busy.most_common(_PORTS_TOLD))
            if found:
                told += way.arguments(found)
                shown = ", ".join(map(str, found))
                notes.append(f"tshark was told to read port {shown} as {way.service}, as we found it there")
    return told


def _compare_frames(
    capture: Capture,
    wireshark: Wireshark,
    limits: EngineLimits | None,
    told: list[str],
    agreement: Agreement,
    own_whole: tuple[list[OwnRow], list[OwnRow], dict[str, Any]],
) -> Streams:
    """Frames, flows, TCP and round-trip times."""
    streams, totals, round_trips = Streams(), Totals(), RoundTrips(agreement)
    counted = [protocol.counted for protocol in PROTOCOLS]
    with (
        wireshark.reading(capture.path, [*told, *frame_arguments(counted)]) as rows,
        OwnRows(capture, ("rtt",), limits) as own,
    ):
        for frame in frames(rows, len(counted)):
            totals.add(frame)
            streams.add(frame)
            round_trips.add(row for _, row in own.up_to(frame.number))
            round_trips.frame(frame, streams.of(frame), streams.facts)
        round_trips.add(row for _, row in own.rest())
    round_trips.finish()
    flows, coverage, summary = own_whole
    totals.compare(coverage, summary, agreement)
    compare_flows(streams, flows, agreement)
    return streams


def _compare_messages(
    capture: Capture,
    wireshark: Wireshark,
    limits: EngineLimits | None,
    told: list[str],
    agreement: Agreement,
    streams: Streams,
    place: int,
    hidden_in: str,
) -> None:
    """One protocol, message by message."""
    protocol = PROTOCOLS[place]
    joined = Messages(protocol, streams.facts, agreement, hidden_in)
    with (
        _dissected(capture, wireshark, told, streams, place) as theirs,
        OwnRows(capture, (protocol.table,), limits) as own,
    ):
        for message in theirs:
            for _, row in own.up_to(message.frame):
                joined.add_ours(row)
            joined.add_theirs(message)
        for _, row in own.rest():
            joined.add_ours(row)
    joined.finish()


def _compare_introductions(
    capture: Capture,
    wireshark: Wireshark,
    limits: EngineLimits | None,
    told: list[str],
    agreement: Agreement,
    streams: Streams,
    asked: frozenset[str],
) -> None:
    """What connections of TLS and SSH say of themselves: memory grows with the connections."""
    if not any(stream.above & {"tls", "ssh"} for stream in streams):
        return
    with wireshark.reading(capture.path, [*told, *introductions.arguments()], in_order_only=False) as lines:
        heard = introductions.read(lines)
    with OwnRows(capture, ("services",), limits) as own:
        rows = [row for _, row in own.rest()]
    introductions.compare(heard, streams, rows, agreement, asked)


@contextmanager
def _dissected(
    capture: Capture, wireshark: Wireshark, told: list[str], streams: Streams, place: int
) -> Iterator[Iterator[Message]]:
    """Wireshark's messages of a protocol, in order, each stream under the way of reassembly that reads more of it.

    In order only (Wireshark's default), what comes late is skipped though it carries new bytes; out of order, a
    stream with a hole, or one without a SYN, may never go on.
    """
    protocol = PROTOCOLS[place]
    in_order = {s.number: s.counts[place] for s in streams if s.transport == "tcp" and s.counts[place]}
    out_of_order: Counter[int] = Counter()
    fields = ["-T", "fields", "-E", "occurrence=a", "-e", "tcp.stream", "-e", protocol.counted]
    arguments = [*told, "-Y", f"{protocol.begins} && tcp", *fields]
    with wireshark.reading(capture.path, arguments, in_order_only=False) as rows:
        for line in rows:
            stream, _, found = line.decode(errors="replace").rstrip("\n").partition("\t")
            out_of_order[int(stream.rpartition(",")[2])] += found.count(",") + bool(found)
    better = [stream for stream, count in in_order.items() if count > out_of_order[stream]]
    # Without any stream that it reads better, the default way has nothing to add.
    wanted = ",".join(map(str, sorted(better)))
    first = f"{protocol.begins} && !(tcp.stream in {{{wanted}}})" if better else protocol.begins
    second = f"{protocol.begins} && tcp.stream in {{{wanted}}}"
    pdml = ["-T", "pdml", "-J", " ".join((protocol.begins, *protocol.layers))]
    with ExitStack() as stack:
        readings = []
        for in_order_only, display in ((False, first), (True, second))[: 2 if better else 1]:
            output = stack.enter_context(
                wireshark.reading(capture.path, [*told, "-Y", display, *pdml], in_order_only=in_order_only)
            )
            readings.append(dissection.messages(output, protocol.begins, protocol.layers))
        yield heapq.merge(*readings, key=lambda message: message.frame)


__all__ = ["PROTOCOL_NAMES", "Crosscheck", "Protocol", "crosscheck"]
