"""No row without its protocol: whatever a table says was spoken in a sample, Wireshark finds between the same ends."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import polars as pl
import pytest

from pcaps import sample, samples
from sensors.addresses import address_text
from sensors.engine import decode
from tests.support.dissectors import DISSECTORS, dissected

NAMES = [one.name for one in samples()]

#: Tables of one protocol; in the others each row names its own.
OF_ONE = {"modbus": "modbus", "opcua": "opcua", "mqtt": "mqtt"}
TABLES = (*OF_ONE, "dns", "http", "services", "operations", "flows")
#: What Wireshark takes for something else by its port, whatever the bytes: SSH on 502 for Modbus, WinRM on 8085 for a
#: game.
ON_THE_PORT_OF_ANOTHER = {("modbus-malformed", "ssh"), ("lateral-tools", "winrm")}
#: What Wireshark has no dissector for.
UNKNOWN_TO_WIRESHARK = {"teamviewer"}

#: Remote access and its tunnels: a name that is wrong is an alarm about nothing.
REMOTE_ACCESS = {
    *("ssh", "rdp", "vnc", "telnet", "winrm", "teamviewer", "anydesk", "rustdesk", "radmin"),
    *("wireguard", "openvpn", "tailscale", "stun", "ipsec", "pptp", "l2tp"),
}

Ends = frozenset[tuple[str, str]]


def said(name: str) -> Iterator[tuple[str, Ends]]:
    """Each service that a row of the sample names, and between whom; a flow's where its structure names it."""
    with decode(sample(name).capture) as run:
        for batches in run:
            for table in batches.keys() & set(TABLES):
                rows = pl.DataFrame(batches[table]).with_columns(pl.col(pl.Categorical).cast(pl.String))
                if table == "flows":
                    rows = rows.filter(pl.col("confidence").is_in(["structure", "handshake"]))
                for row in rows.iter_rows(named=True):
                    sides = ("client", "server")
                    ends = frozenset(
                        (address_text(row[f"{side}_ip"]), str(row[f"{side}_port"])) for side in sides
                    )
                    yield OF_ONE.get(table) or row["service"], ends


@cache
def wireshark(name: str) -> dict[Ends, set[str]]:
    """What Wireshark finds in the sample, looked for once."""
    return dissected(sample(name).capture)


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_of_a_protocol_that_wireshark_finds_there(name: str) -> None:
    protocols = wireshark(name)
    named = set(said(name))
    assert ("modbus" in {service for service, _ in named}) == bool(sample(name).truth["modbus_requests"])
    for service, ends in named:
        if service in UNKNOWN_TO_WIRESHARK or (name, service) in ON_THE_PORT_OF_ANOTHER:
            continue
        assert protocols[ends] & DISSECTORS.get(service, set()), (service, sorted(ends))


@pytest.mark.parametrize("name", NAMES)
def test_remote_access_is_named_where_it_was_and_nowhere_else(name: str) -> None:
    truth = sample(name).truth
    used = {one["protocol"] for one in truth.get("operation", ()) if "protocol" in one}
    used |= {one["service"] for one in truth.get("remote_session", ())}
    used |= {planted.service for planted in sample(name).planted}
    assert {service for service, _ in said(name)} & REMOTE_ACCESS == used & REMOTE_ACCESS


@pytest.mark.parametrize("name", NAMES)
def test_operations_are_only_those_of_protocols_in_the_sample(name: str) -> None:
    """An operation stops, starts or programs a device: one that nobody sent would be an alarm about nothing."""
    everything = set().union(*wireshark(name).values())
    with decode(sample(name).capture) as run:
        tables = [pl.DataFrame(batches["operations"]) for batches in run if "operations" in batches]
    services = {service for table in tables for service in table["service"].cast(pl.String)}
    assert [service for service in services if not DISSECTORS[service] & everything] == []
