"""SEG-13: cleartext across a conduit that demands protection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import violating_conversations
from policy.judged import DECLARED, Judged
from policy.model import AllowRule
from policy.violations import NO_VIOLATIONS, grouped, rows_of
from policy.zoning import CompiledSite

#: Services of which every message can be read, and passwords with them. SNMP tells its version by itself.
CLEAR: Final = ("telnet", "ftp", "http", "mqtt")
_OLD_SNMP: Final = ("SNMPv1", "SNMPv2c")


class Cleartext(BatchCheck):
    """A conversation that anybody on the way can read, where the policy demands protection.

    Reports
        Decoded, across a conduit: MQTT without TLS where every rule that allows the conversation says `tls:
        true`; an OPC UA session on a channel of mode None where every such rule has a `min_mode` above it; and,
        across a conduit with `cleartext: deny`, any session of Telnet, FTP, HTTP, SNMP 1 and 2c, MQTT without
        TLS or OPC UA without security, whatever a rule allows. Asking an OPC UA server for its endpoints needs
        no security and is not reported.

    Why it matters
        What is in clear can be read and changed by whoever is on the path: passwords, setpoints, the values an
        operator trusts.

    Example
        The rule wants OPC UA signed and encrypted; after an update the client comes back with mode None.

    Do not be fooled by
        A port, which is not a protocol: only what was decoded counts. A tunnel that the sensor sees into, and
        that protects what is inside.
    """

    id = "SEG-13"
    title = "a conversation in clear across a conduit that demands protection"
    base_severity = 3
    references = ("SR 4.1",)
    techniques = ("T0842",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Decoded sessions in clear along conduits, where rules or the conduit demand better."""
        denying = [one.id for one in site.conduits.values() if one.cleartext == "deny"]
        denied = pl.col("conduit").is_in(denying)
        flows = judged.flow_minutes.filter(
            (pl.col("relation") == DECLARED) & pl.col("decoded") & pl.col("service").is_in(CLEAR)
        )
        flows = _with_demands(site, flows)
        in_clear = flows.filter(denied | ((pl.col("service") == "mqtt") & pl.col("tls")))
        sessions = judged.opcua.filter(
            (pl.col("relation") == DECLARED)
            & (pl.col("called") == "ActivateSession")
            & (pl.col("security_mode") == "none")
        )
        sessions = _with_demands(site, sessions).filter(denied | pl.col("secured"))
        return pl.concat(
            [
                violating_conversations(site, in_clear, nearest=pl.col("demanding")),
                _opcua(sessions),
                _snmp(judged.traffic.services.filter(denied)),
            ]
        )

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Names the protocol."""
        name = _NAMES.get(violation["decoded_service"], "a conversation")
        return f"{name} in clear across a conduit that demands protection"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """Who demands protection, and what was seen."""
        first = violation["examples"][0]
        rule, _, demand = first["nearest"].partition(": ")
        conduit = violation["conduit"]
        demanded = (
            f"Conduit {conduit} has `cleartext: deny`"
            if site.conduits[conduit].cleartext == "deny"
            else f"Rule {rule} of conduit {conduit} allows this conversation {demand}"
        )
        return f"{demanded}, and this session can be read by anybody on the way: {first['text']}."


_NAMES: Final = {
    "telnet": "a Telnet session",
    "ftp": "an FTP session",
    "http": "an HTTP session",
    "snmp": "SNMP",
    "mqtt": "an MQTT session",
    "opcua": "an OPC UA session",
}


def _with_demands(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """Add `tls` and `secured`, whether all rules that allow a row demand it, and `demanding`, the first of them."""
    made = []
    for number in rows["verdict"].unique().drop_nulls():
        rules = [rule.rule for rule in site.rules.verdicts[number].rules]
        tls = bool(rules) and all(rule.tls for rule in rules)
        secured = bool(rules) and all(_demands_mode(rule) for rule in rules)
        made.append((number, tls, secured, _demand(rules[0]) if tls or secured else ""))
    schema = {"verdict": pl.UInt32, "tls": pl.Boolean, "secured": pl.Boolean, "demanding": pl.String}
    demands = pl.DataFrame(made, schema=schema, orient="row")
    return rows.join(demands, on="verdict", how="left", maintain_order="left").with_columns(
        pl.col("tls", "secured").fill_null(value=False), pl.col("demanding").fill_null("")
    )


def _demands_mode(rule: AllowRule) -> bool:
    return rule.min_mode not in (None, "None")


def _demand(rule: AllowRule) -> str:
    if rule.tls:
        return f"{rule.id}: only in TLS"
    better = "" if rule.min_mode == "SignAndEncrypt" else " or better"
    return f"{rule.id}: only with mode {rule.min_mode}{better}"


def _opcua(sessions: pl.DataFrame) -> pl.DataFrame:
    """Sessions of OPC UA without security."""
    if sessions.is_empty():
        return NO_VIOLATIONS
    rows = rows_of(
        sessions,
        frame=pl.coalesce("request_frame", "response_frame"),
        confirmed=pl.col("outcome") == "answered",
    )
    kind = pl.col("user_kind").str.replace("_", " ")
    return grouped(
        rows,
        lambda examples: examples.with_columns(
            text=pl.format("OPC UA session without security, user: {}, {}", kind, "outcome"),
            nearest="demanding",
        ),
    )


def _snmp(services: pl.DataFrame) -> pl.DataFrame:
    """Introductions of SNMP whose version has no protection."""
    rows = services.filter((pl.col("service") == "snmp") & pl.col("version").is_in(_OLD_SNMP))
    if rows.is_empty():
        return NO_VIOLATIONS
    return grouped(
        # Whether it was answered is told by its conversation, not by its introduction.
        rows_of(rows, frame=pl.col("frame")),
        lambda examples: examples.with_columns(
            text=pl.format("{}, its community string in clear", "version"), nearest=pl.lit("")
        ),
    )
