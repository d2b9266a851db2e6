"""Traffic in; the rows that cross from zone to zone out, each with what the policy says of its conversation.

Computed once a batch, for all checks. A conversation is in one of three relations to the policy: `declared` (a
conduit lets the client's zone ask the server's), `against` (only the other direction is declared) or `undeclared`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from policy.services import ICMP, ICMPV6
from policy.traffic import FLOW_MINUTE_SCHEMA, MODBUS_SCHEMA, Traffic, with_conversation
from policy.zoning import CompiledSite
from sensors.records import MQTT, OPCUA, OPERATIONS

DECLARED: Final = "declared"
AGAINST: Final = "against"
UNDECLARED: Final = "undeclared"

#: What the judgement adds to a row.
JUDGEMENT: Final[dict[str, pl.DataType]] = {
    #: declared, against or undeclared.
    "relation": pl.String(),
    #: The conduit of the other direction, "" where there is none.
    "reverse_conduit": pl.String(),
    #: The service was recognised in the bytes, not guessed from a port.
    "decoded": pl.Boolean(),
    #: Index in `CompiledSite.rules.verdicts`; null where the relation is not `declared`.
    "verdict": pl.UInt32(),
    #: A rule allows the conversation.
    "allowed": pl.Boolean(),
    #: Roles were guessed, and with client and server swapped a rule allows it: likely the guess is wrong.
    "swap_allowed": pl.Boolean(),
}

JUDGED_FLOW_SCHEMA: Final = {**FLOW_MINUTE_SCHEMA, **JUDGEMENT}
JUDGED_MODBUS_SCHEMA: Final = {**MODBUS_SCHEMA, **JUDGEMENT}
#: `service` is the protocol, as in every judged table; `called` is the OPC UA service.
JUDGED_OPCUA_SCHEMA: Final = {**with_conversation(OPCUA), "called": pl.String(), **JUDGEMENT}
JUDGED_OPERATIONS_SCHEMA: Final = {**with_conversation(OPERATIONS), **JUDGEMENT}
JUDGED_MQTT_SCHEMA: Final = {**with_conversation(MQTT), "service": pl.String(), **JUDGEMENT}

_NO_OPERATIONS: Final = pl.DataFrame(schema=JUDGED_OPERATIONS_SCHEMA)
_RECOGNISED: Final = ("handshake", "structure")
_GUESSED_ROLES: Final = ("port", "first_seen")


@dataclass(frozen=True, slots=True)
class Judged:
    """One batch of traffic, its zone crossings judged; the checks look at this."""

    traffic: Traffic
    flow_minutes: pl.DataFrame
    modbus: pl.DataFrame
    opcua: pl.DataFrame
    mqtt: pl.DataFrame
    #: Of control protocols that have no table of their own; empty where no rule limits any of them.
    operations: pl.DataFrame


def judge(site: CompiledSite, traffic: Traffic) -> Judged:
    """Judge the rows that cross between zones.

    ICMP that nobody answered, between zones that may talk, is left out: so look the path errors that permitted
    traffic causes, and flows do not carry the ICMP type that would tell.
    """
    flows = _crossings(site, traffic.flow_minutes)
    path_error = (
        pl.col("ip_proto").is_in([ICMP, ICMPV6])
        & (pl.col("packets_s2c") == 0)
        & (pl.col("relation") != UNDECLARED)
    )
    flows = flows.filter(~path_error)
    modbus = _crossings(site, traffic.modbus.with_columns(service=pl.lit("modbus")))
    mqtt = _crossings(site, traffic.mqtt.with_columns(service=pl.lit("mqtt")))
    return Judged(
        traffic,
        _with_verdicts(site, flows).select(*JUDGED_FLOW_SCHEMA),
        _with_verdicts(site, modbus).select(*JUDGED_MODBUS_SCHEMA),
        _opcua(site, traffic.opcua),
        _with_verdicts(site, mqtt).select(*JUDGED_MQTT_SCHEMA),
        _operations(site, traffic.operations) if site.rules.name_operations else _NO_OPERATIONS,
    )


def _opcua(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """OPC UA rows judged; where the server opened the connection, it is the opening that a conduit's rule allows."""
    rows = rows.rename({"service": "called"}).with_columns(service=pl.lit("opcua"))
    return _as_opened(site, rows, "reversed").select(*JUDGED_OPCUA_SCHEMA)


def _operations(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """Operations judged; where the server of the connection asks, too, by the rules of its opening."""
    return _as_opened(site, rows, "turned").select(*JUDGED_OPERATIONS_SCHEMA)


def _as_opened(site: CompiledSite, rows: pl.DataFrame, is_turned: str) -> pl.DataFrame:
    """Rows judged by the conduit that was opened, where who asks is not who opened it."""
    crossing = _crossings(site, rows)
    turned = {
        f"{one}_{what}": f"{other}_{what}"
        for what in ("ip", "port", "zone")
        for one, other in (("client", "server"), ("server", "client"))
    } | {"conduit": "reverse_conduit", "reverse_conduit": "conduit"}
    as_opened = crossing.with_columns(
        pl.when(is_turned).then(other).otherwise(one).alias(one) for one, other in turned.items()
    ).with_columns(relation=_relation())
    judged = _with_verdicts(site, as_opened)
    # Who asks stays the client; the conduit is the one that was opened.
    asked = crossing.select(name for name in turned if "conduit" not in name)
    return judged.with_columns(asked.get_columns())


def _crossings(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that cross between zones, with their relation to the declared conduits."""
    reverse = site.conduit_pairs.select(
        pl.col("client_zone").alias("server_zone"),
        pl.col("server_zone").alias("client_zone"),
        pl.col("conduit").alias("reverse_conduit"),
    )
    crossing = rows.filter("crosses").join(
        reverse, on=["client_zone", "server_zone"], how="left", maintain_order="left"
    )
    return crossing.with_columns(
        pl.col("reverse_conduit").fill_null(""),
        decoded=pl.col("confidence").is_in(_RECOGNISED) & (pl.col("service") != ""),
    ).with_columns(relation=_relation())


def _relation() -> pl.Expr:
    return (
        pl.when(pl.col("conduit") != "")
        .then(pl.lit(DECLARED))
        .when(pl.col("reverse_conduit") != "")
        .then(pl.lit(AGAINST))
        .otherwise(pl.lit(UNDECLARED))
    )


def _with_verdicts(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """Add the verdict, and whether a guess of roles the other way round would be allowed."""
    verdict = site.rules.judge_rows(rows)
    guessed = pl.col("role_source").is_in(_GUESSED_ROLES)
    swapped = rows.select(
        pl.when(guessed).then("reverse_conduit").otherwise(pl.lit("")).alias("conduit"),
        pl.col("server_ip").alias("client_ip"),
        pl.col("client_ip").alias("server_ip"),
        "ip_proto",
        pl.col("client_port").alias("server_port"),
        "service",
        "decoded",
    )
    return rows.with_columns(
        verdict.alias("verdict"),
        _allowed(site, verdict).alias("allowed"),
        _allowed(site, site.rules.judge_rows(swapped)).alias("swap_allowed"),
    )


def _allowed(site: CompiledSite, verdicts: pl.Series) -> pl.Series:
    """Whether each verdict allows; false where there is none. Must follow the verdicts being given."""
    allowed = pl.Series([verdict.allowed for verdict in site.rules.verdicts], dtype=pl.Boolean)
    return allowed.gather(verdicts).fill_null(value=False)
