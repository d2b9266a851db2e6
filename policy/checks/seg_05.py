"""SEG-05: an operation the rule does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import BatchCheck
from policy.judged import Judged
from policy.operations import OPERATIONS
from policy.violations import zone_text
from policy.zoning import CompiledSite

#: Services as people write them, and operations that are neither reads nor writes.
_NAMES: Final = {
    "opcua": "an OPC UA",
    "mqtt": "an MQTT",
    "s7comm": "an S7comm",
    "s7comm-plus": "an S7comm-plus",
    "mms": "an MMS",
    "enip": "an EtherNet/IP",
    "dnp3": "a DNP3",
    "iec104": "an IEC 104",
    "bacnet": "a BACnet",
    "profinet": "a PROFINET",
    "fins": "a FINS",
    "melsec": "a MELSEC",
    "ads": "an ADS",
    "hart-ip": "a HART-IP",
    "ge-srtp": "a GE SRTP",
}
#: What operations of a class are called, whatever their protocol.
_OF_CLASS: Final = {
    "read": "read",
    "write": "write",
    "program": "change of the program",
    "start": "start",
    "stop": "stop",
    "restart": "restart",
    "discover": "question for its identity",
    "configure": "change of the configuration",
}
_WORDS: Final = {
    "opcua.call": "call",
    "opcua.configure": "change of the address space",
    "mqtt.connect": "connection",
    "mqtt.publish": "publication",
    "mqtt.subscribe": "subscription",
}


class OperationNotAllowed(BatchCheck):
    """An operation that none of the rules that allow the conversation allows.

    Reports
        An operation outside the limits of every rule that allows its conversation. Modbus: the unit
        identifier, the function code and the ranges read and written, all of a range, both parts of function
        23. OPC UA: the security mode, the kind of user, the group of services and the nodes written, of every
        call that does something; opening a channel or a session and asking for endpoints is part of any of
        them. MQTT: TLS, the client identifier, the topics published (a will's too) and the topic filters
        subscribed to, which have to lie within the rule's. S7comm, EtherNet/IP with CIP, DNP3, IEC 104, BACnet and
        the like: what an operation does (read, write, program, start, stop, restart, discover, configure) or its
        name, of every operation but those that open and keep a session; where the server of a connection asks its
        client, too. A write that the server refused or did not answer
        is reported as attempted; one that it confirmed raises the severity.

    Why it matters
        A conversation that is allowed to read is the usual way to write: the same port, the same hosts, one
        other function code. Only the operation tells them apart.

    Example
        Rule r1 lets the historian read holding registers 0 to 199 of a controller; the historian writes
        register 100 with function 16. Or the rule wants OPC UA signed, and the client reads without security. Or it
        lets an S7 controller be read, and the client stops it.

    Do not be fooled by
        Off-by-one addressing: ranges are 0-based protocol addresses, register 40001 is address 0. Pages of an
        operator panel that are rarely used. What is encrypted: of it only the security mode is judged.
        Conversations that no rule allows at all: those are SEG-04.
    """

    id = "SEG-05"
    title = "an operation that the rule does not allow"
    base_severity = 3
    references = ("SR 2.1",)
    techniques = ("T0855",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Transactions outside the limits of their rules, of every protocol whose operations can be limited."""
        return pl.concat([operations.refused(site, judged) for operations in OPERATIONS])

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says what kind of operation it was."""
        service, _, operation = violation["operation"].partition(".")
        word = _WORDS.get(violation["operation"], _OF_CLASS.get(operation, "operation"))
        name = _NAMES.get(service, f"a {service}")
        return f"{name} {word} that the rule does not allow"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The operation, the conduit, and what the rule that came closest allows."""
        first = violation["examples"][0]
        rule, _, allowed = first["nearest"].partition(": ")
        client, server = violation["client_zone"], violation["server_zone"]
        # A server may open the connection to its client (OPC 10000-6, 7.1.3): the conduit is the opener's then.
        opener = site.conduits[violation["conduit"]].from_zone
        other = client if opener == server else server
        return (
            f"Conduit {violation['conduit']} lets {zone_text(site, opener)} talk "
            f"{violation['decoded_service'] or violation['hinted_service']} to "
            f"{zone_text(site, other)}, but no rule allows this operation: {first['text']}. "
            f"Rule {rule} comes closest; it allows {allowed}."
        )
