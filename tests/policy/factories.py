"""Builds what the decoder hands over, row by row, from the declared schemas; and sites to hold it against."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
import pyarrow as pa

from analyzers.conversations import Conversations
from policy.judged import Judged, judge
from policy.loader import loads
from policy.prefixes import address_bytes
from policy.traffic import Traffic
from policy.zoning import CompiledSite, compile_site
from sensors.records import FLOW_MINUTES, FLOW_STARTS, MODBUS, RTT, Kind, Table

TCP: Final = 6
UDP: Final = 17
ICMP: Final = 1
SECOND: Final = 1_000_000_000
MINUTE: Final = 60 * SECOND
#: 2026-11-23T12:00:00Z, a Monday.
NOON: Final = 1_795_435_200 * SECOND

HISTORIAN: Final = "10.35.0.10"
OTHER_DMZ_HOST: Final = "10.35.0.99"
PLC: Final = "10.20.0.11"
SAFETY_PLC: Final = "10.20.0.12"
DRIVE: Final = "10.20.0.13"
PLANT_HOST: Final = "10.20.0.77"
OFFICE_HOST: Final = "10.40.0.5"
PORT_HOST: Final = "10.50.0.5"
PUBLIC: Final = "198.51.100.7"

#: Plant (2) and port (2) are control, DMZ 3.5, office 4; the DMZ may ask the plant, the office the DMZ.
SITE: Final = """\
schema: 1
site: {id: mine-a, name: Mine A, tz: America/Santiago}
zones:
- {id: plant, name: Concentrator, purdue: 2, criticality: C2, cidrs: [10.20.0.0/24, "2001:db8:20::/64"], sensors: [s1]}
- {id: dmz, purdue: 3.5, criticality: C3, cidrs: [10.35.0.0/24], sensors: [s1]}
- {id: office, purdue: 4, criticality: C4, cidrs: [10.40.0.0/24], sensors: [s1]}
- {id: port, name: Port, purdue: 2, criticality: C2, cidrs: [10.50.0.0/24], sensors: [s1]}
assets:
- {id: hist1, zone: dmz, ip: 10.35.0.10, role: historian}
- {id: plc1, zone: plant, ip: 10.20.0.11, role: plc, criticality: C1}
- {id: sis1, zone: plant, ip: 10.20.0.12, role: safety}
- {id: vsd1, zone: plant, ip: 10.20.0.13, role: drive}
conduits:
- id: c-hist
  from: dmz
  to: plant
  allow:
  - {id: r1, src: [hist1], dst: [plc1, sis1, vsd1], service: modbus, port: 502, units: [1],
     functions: [3, 4, 6, 16, 22, 23], read: [[0, 199]], write: [[300, 309], [310, 319]],
     reason: trending, owner: ot, expires: 2027-06-30}
- id: c-office
  from: office
  to: dmz
  allow:
  - {id: r2, service: https, reason: reports, owner: it, expires: 2027-06-30}
"""


def compiled(text: str = SITE) -> CompiledSite:
    """The site of a policy's text."""
    return compile_site(loads(text).site)


def packed(address: str) -> bytes:
    """An address as the wire tables have it."""
    return address_bytes(ipaddress.ip_address(address))


_ZERO: Final[Mapping[Kind, Any]] = {
    Kind.BOOL: False,
    Kind.LABEL: "",
    Kind.NAME: "",
    Kind.TEXT: "",
    Kind.ADDRESS: b"\0" * 16,
    Kind.INT16_LIST: [],
    Kind.UINT16_LIST: [],
    Kind.TEXT_LIST: [],
    Kind.UINT32_LIST: [],
}


_ENDS: tuple[str, ...] = ("client_ip", "server_ip", "client_port", "server_port")


def row(table: Table, **values: Any) -> dict[str, Any]:
    """A row of a wire table: what is not given is null, zero or empty. KeyError for columns that do not exist."""
    names = {column.name for column in table.columns}
    if strange := set(values) - names:
        raise KeyError(f"{table.name} has no {sorted(strange)}")
    empty = {c.name: None if c.nullable else _ZERO.get(c.kind, 0) for c in table.columns}
    return {**empty, **values}


@dataclass
class Wire:
    """Rows as the decoder would have written them; flows are numbered from 1."""

    starts: list[dict[str, Any]] = field(default_factory=list)
    minutes: list[dict[str, Any]] = field(default_factory=list)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    others: dict[str, tuple[Table, list[dict[str, Any]]]] = field(default_factory=dict)

    def flow(
        self,
        client: str,
        server: str,
        port: int = 502,
        *,
        client_port: int = 50_000,
        ip_proto: int = TCP,
        role_source: str = "syn",
        at: int = NOON,
    ) -> int:
        """A new flow; its id."""
        number = len(self.starts) + 1
        self.starts.append(
            row(
                FLOW_STARTS,
                flow_id=number,
                ts=at,
                first_frame=1,
                ip_proto=ip_proto,
                client_ip=packed(client),
                server_ip=packed(server),
                client_port=client_port,
                server_port=port,
                role_source=role_source,
            )
        )
        return number

    def minute(
        self,
        flow_id: int,
        *,
        at: int = NOON,
        service: str = "",
        confidence: str = "none",
        established: bool = True,
        payload: tuple[int, int] = (100, 100),
        packets: tuple[int, int] = (5, 5),
        frame: int = 1,
        **more: Any,
    ) -> None:
        """A minute of a flow's traffic; payload and packets are (client to server, server to client)."""
        self.minutes.append(
            row(
                FLOW_MINUTES,
                flow_id=flow_id,
                minute=at - at % MINUTE,
                first_ts=at,
                last_ts=at,
                first_frame=frame,
                last_frame=frame,
                service=service,
                confidence=confidence,
                established=established,
                payload_bytes_c2s=payload[0],
                payload_bytes_s2c=payload[1],
                packets_c2s=packets[0],
                packets_s2c=packets[1],
                **more,
            )
        )

    def modbus(
        self,
        flow_id: int,
        function: int,
        *,
        at: int = NOON,
        unit: int = 1,
        outcome: str = "answered",
        frame: int = 1,
        confidence: str = "structure",
        **more: Any,
    ) -> None:
        """A Modbus transaction of a flow."""
        start = self.starts[flow_id - 1]
        ends = {name: start[name] for name in _ENDS}
        self.transactions.append(
            row(
                MODBUS,
                ts=at,
                flow_id=flow_id,
                unit=unit,
                function=function,
                outcome=outcome,
                request_frame=None if outcome == "orphan" else frame,
                response_frame=frame + 1 if outcome in ("answered", "exception", "orphan") else None,
                confidence=confidence,
                **ends,
                **more,
            )
        )

    def add(self, table: Table, flow_id: int | None = None, **values: Any) -> None:
        """A row of any other table; of a flow, it has the flow's ends unless they are given."""
        start: dict[str, Any] = self.starts[flow_id - 1] if flow_id is not None else {}
        columns = {column.name for column in table.columns}
        ends = {name: start[name] for name in _ENDS if name in start and name in columns}
        given: dict[str, Any] = {"ts": NOON, "flow_id": flow_id, **ends, **values}
        self.others.setdefault(table.name, (table, []))[1].append(row(table, **given))

    def batches(self) -> dict[str, pa.RecordBatch]:
        """The rows as one batch a table; empty tables left out, as the decoder does."""
        tables = (
            (FLOW_STARTS, self.starts),
            (FLOW_MINUTES, self.minutes),
            (MODBUS, self.transactions),
            (RTT, self.samples),
            *self.others.values(),
        )
        return {table.name: batch(table, rows) for table, rows in tables if rows}

    def traffic(self, site: CompiledSite) -> Traffic:
        """The rows as one batch of traffic."""
        return Conversations(site).enrich(self.batches())

    def judged(self, site: CompiledSite) -> Judged:
        """The rows, judged."""
        return judge(site, self.traffic(site))


def batch(table: Table, rows: Sequence[Mapping[str, Any]]) -> pa.RecordBatch:
    """Rows as a record batch of the declared schema."""
    return pa.RecordBatch.from_pylist(list(rows), schema=table.schema())


def conversation(client: str, server: str, port: int = 502, **more: Any) -> Wire:
    """One flow with one minute of traffic; `client_port`, `ip_proto` and `role_source` are the flow's."""
    wire = Wire()
    of_flow = {
        name: more.pop(name) for name in ("client_port", "ip_proto", "role_source", "at") if name in more
    }
    at = of_flow.get("at", NOON)
    wire.minute(wire.flow(client, server, port, **of_flow), at=at, **more)
    return wire


def transaction(function: int, *, client: str = HISTORIAN, server: str = PLC, **more: Any) -> Wire:
    """One flow of Modbus with one minute of traffic and one transaction."""
    wire = Wire()
    flow_id = wire.flow(client, server, role_source=more.pop("role_source", "syn"))
    wire.minute(flow_id, service="modbus", confidence="structure", at=more.get("at", NOON))
    wire.modbus(flow_id, function, **more)
    return wire


def only(violations: pl.DataFrame) -> dict[str, Any]:
    """The one violation there is."""
    assert violations.height == 1, violations
    return violations.row(0, named=True)
