"""Traffic in; the rows that cross from zone to zone out, each with what the policy says of its conversation.

Computed once a batch, for all checks. A conversation is in one of three relations to the policy: `declared` (a
conduit lets the client's zone ask the server's), `against` (only the other direction is declared) or `undeclared`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
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
    opcua = _crossings(
        site, traffic.opcua.rename({"service": "called"}).with_columns(service=pl.lit("opcua"))
    )
    mqtt = _crossings(site, traffic.mqtt.with_columns(service=pl.lit("mqtt")))
    told = _crossings(site, traffic.operations) if site.rules.name_operations else None
    # Where who asks is not who opened the connection, it is the opening that a conduit's rule allows.
    asked = [flows, modbus, _as_opened(opcua, "reversed"), mqtt]
    asked += [_as_opened(told, "turned")] if told is not None else []
    judged = _with_verdicts(site, asked)
    return Judged(
        traffic,
        judged[0].select(*JUDGED_FLOW_SCHEMA),
        judged[1].select(*JUDGED_MODBUS_SCHEMA),
        _as_asked(judged[2], opcua).select(*JUDGED_OPCUA_SCHEMA),
        judged[3].select(*JUDGED_MQTT_SCHEMA),
        _as_asked(judged[4], told).select(*JUDGED_OPERATIONS_SCHEMA) if told is not None else _NO_OPERATIONS,
    )


#: What changes sides where the server opened the connection.
_ENDS: Final = {
    f"{one}_{what}": f"{other}_{what}"
    for what in ("ip", "port", "zone")
    for one, other in (("client", "server"), ("server", "client"))
} | {"conduit": "reverse_conduit", "reverse_conduit": "conduit"}


def _as_opened(rows: pl.DataFrame, is_turned: str) -> pl.DataFrame:
    """Rows with the ends of their connection as it was opened."""
    if not rows[is_turned].any():
        return rows
    return rows.with_columns(
        pl.when(is_turned).then(other).otherwise(one).alias(one) for one, other in _ENDS.items()
    ).with_columns(relation=_relation())


def _as_asked(judged: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Who asks is the client again; the conduit stays the one that was opened."""
    return judged.with_columns(rows.select(name for name in _ENDS if "conduit" not in name).get_columns())


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


@cache
def _relation() -> pl.Expr:
    return (
        pl.when(pl.col("conduit") != "")
        .then(pl.lit(DECLARED))
        .when(pl.col("reverse_conduit") != "")
        .then(pl.lit(AGAINST))
        .otherwise(pl.lit(UNDECLARED))
    )


#: What a verdict is given on.
_ASKED: Final = (
    "conduit", "client_ip", "server_ip", "ip_proto", "server_port", "service", "decoded", "reverse_conduit",
    "client_port", "role_source",
)  # fmt: skip


def _with_verdicts(site: CompiledSite, tables: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """Add the verdict, and whether a guess of roles the other way round would be allowed.

    Judged is each flow of a table, not each row of it; and all of the batch at once.
    """
    asked: list[pl.DataFrame] = []
    places: list[pl.Series] = []
    count = 0
    for rows in tables:
        _, first, place = np.unique(_sides(rows), return_index=True, return_inverse=True)
        asked.append(rows.select(_ASKED)[first])
        places.append(pl.Series(place + count, dtype=pl.UInt32))
        count += len(first)
    verdicts, allowed, swap_allowed = _judged(site, pl.concat(asked))
    return [
        rows.with_columns(
            verdicts.gather(place).alias("verdict"),
            allowed.gather(place).alias("allowed"),
            swap_allowed.gather(place).alias("swap_allowed"),
        )
        for rows, place in zip(tables, places, strict=True)
    ]


def _sides(rows: pl.DataFrame) -> npt.NDArray[np.int64]:
    """A number for all rows of a flow that are judged alike; of its minutes each, for its service may change."""
    if "packets_c2s" in rows.columns:
        return np.arange(rows.height)
    bits = ["turned", "decoded", *(["reversed"] if "reversed" in rows.columns else [])]
    number = pl.col("flow_id").cast(pl.Int64)
    for bit in bits:
        number = 4 * number + pl.col(bit).cast(pl.Int64).fill_null(2)
    if "operation_class" in rows.columns:
        number = 256 * number + pl.col("service").rank("dense").cast(pl.Int64)
    return rows.select(number.alias("side"))["side"].to_numpy()


def _judged(site: CompiledSite, asked: pl.DataFrame) -> tuple[pl.Series, pl.Series, pl.Series]:
    """For each: the verdict, whether it allows, and whether it would with client and server swapped."""
    guessed = pl.col("role_source").is_in(_GUESSED_ROLES)
    as_told = asked.select(_ASKED[:7])
    swapped = asked.select(
        pl.when(guessed).then("reverse_conduit").otherwise(pl.lit("")).alias("conduit"),
        pl.col("server_ip").alias("client_ip"),
        pl.col("client_ip").alias("server_ip"),
        "ip_proto",
        pl.col("client_port").alias("server_port"),
        "service",
        "decoded",
    )
    verdicts = site.rules.judge_rows(pl.concat([as_told, swapped]))
    allowed = _allowed(site, verdicts)
    return verdicts.head(asked.height), allowed.head(asked.height), allowed.tail(asked.height)


def _allowed(site: CompiledSite, verdicts: pl.Series) -> pl.Series:
    """Whether each verdict allows; false where there is none. Must follow the verdicts being given."""
    allowed = pl.Series([verdict.allowed for verdict in site.rules.verdicts], dtype=pl.Boolean)
    return allowed.gather(verdicts).fill_null(value=False)
