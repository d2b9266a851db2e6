"""A site with remote access, and sessions on it: vendor, gateway, jump host, engineering station."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from analyzers.access.visitors import Visitors
from analyzers.conversations import Conversations
from policy.zoning import CompiledSite
from tests.policy.factories import MINUTE, NOON, SITE, Wire, compiled

VENDOR, GATEWAY, JUMP, EWS, PLC, OFFICE = (
    "203.0.113.5", "10.36.0.10", "10.35.0.20", "10.20.0.40", "10.20.0.11", "10.40.0.5",
)  # fmt: skip
#: Rows of a batch, where they come in pieces: no divisor of a session's minutes.
_PIECE: Final = 37
#: 09:00 on Monday 23 November 2026 in Santiago.
NINE: Final = NOON

TEXT: Final = (
    SITE.replace(
        "zones:\n",
        "zones:\n- {id: vendor, purdue: 5, cidrs: [203.0.113.0/28]}\n"
        "- {id: access, purdue: 3.5, cidrs: [10.36.0.0/24]}\n",
    ).replace(
        "assets:\n",
        "assets:\n- {id: vpn1, zone: access, ip: 10.36.0.10, role: vpn}\n"
        "- {id: jump1, zone: dmz, ip: 10.35.0.20, role: jump}\n"
        "- {id: ews1, zone: plant, ip: 10.20.0.40, role: engineering}\n",
    )
    + """\
remote_access:
- {id: ra-1, vendor: acme, sources: [203.0.113.0/28], gateway: vpn1, intermediate: [jump1], targets: [ews1],
   service: [rdp, ssh], windows: [{days: [mon], start: "08:00", end: "12:00"}], max_session: PT2H, idle: PT15M,
   concurrent: 1, approval: required}
approvals:
- {ref: CHG-1, rule: ra-1, start: "2026-11-23T11:00:00Z", end: "2026-11-24T00:00:00Z", approver: ops}
"""
)
ACCESS: Final = compiled(TEXT)


class Sessions(Wire):
    """Sessions as flows with a minute of traffic every minute."""

    def session(
        self,
        client: str,
        server: str,
        service: str = "rdp",
        *,
        start: int = 0,
        minutes: int = 30,
        quiet: range = range(0),
        port: int = 3389,
        client_port: int = 50_000,
        ip_proto: int = 6,
        opened: bool = True,
        **more: Any,
    ) -> int:
        """From minute `start` after nine on; in minutes of `quiet` the visitor sends nothing."""
        at = NINE + start * MINUTE
        flow = self.flow(client, server, port, client_port=client_port, ip_proto=ip_proto, at=at)
        for number in range(minutes):
            self.minute(
                flow,
                at=at + number * MINUTE,
                service=service,
                confidence="handshake",
                payload=(0 if number in quiet else 100, 100),
                syn_frame=1 if opened else None,
                **more,
            )
        return flow

    def chain(self, *, start: int = 0, minutes: int = 40, tail: int = 0, **more: Any) -> None:
        """Tunnel, desktop to the jump host, and a session from there that begins two minutes later."""
        port = 51_000 + 10 * len(self.starts)
        self.session(VENDOR, GATEWAY, "https", start=start, minutes=minutes, port=443, client_port=port)
        self.session(GATEWAY, JUMP, start=start + 1, minutes=minutes, client_port=port + 1)
        self.session(JUMP, EWS, start=start + 2, minutes=minutes - 2 + tail, client_port=port + 2, **more)


def visits(wire: Wire, site: CompiledSite = ACCESS) -> pl.DataFrame:
    """The visits of the rows; the same, whether they come at once or in pieces."""
    whole, pieces, conversations = Visitors(site), Visitors(site), Conversations(site)
    whole.feed(wire.traffic(site))
    for name, batch in wire.batches().items():
        for row in range(0, batch.num_rows, _PIECE):
            pieces.feed(conversations.enrich({name: batch.slice(row, _PIECE)}))
            pieces.visits()
    assert whole.visits().equals(pieces.visits())
    return whole.visits()
