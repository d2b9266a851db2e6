"""Traffic in; the rows that cross from zone to zone out, each with what the policy says of its conversation.

Computed once a batch, for all checks. A conversation is in one of three relations to the policy: `declared` (a
conduit lets the client's zone ask the server's), `against` (only the other direction is declared) or `undeclared`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
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
    opcua = traffic.opcua.rename({"service": "called"}).with_columns(service=pl.lit("opcua"))
    flows, modbus, opcua, mqtt, operations = _with_verdicts(
        site,
        (
            _Table(_crossing(traffic.flow_minutes), JUDGED_FLOW_SCHEMA),
            _Table(_crossing(traffic.modbus.with_columns(service=pl.lit("modbus"))), JUDGED_MODBUS_SCHEMA),
            _Table(_crossing(opcua), JUDGED_OPCUA_SCHEMA, opened_by_server="reversed"),
            _Table(_crossing(traffic.mqtt.with_columns(service=pl.lit("mqtt"))), JUDGED_MQTT_SCHEMA),
            _Table(
                _crossing(traffic.operations if site.rules.name_operations else traffic.operations.clear()),
                JUDGED_OPERATIONS_SCHEMA,
                opened_by_server="turned",
            ),
        ),
    )
    path_error = (
        pl.col("ip_proto").is_in([ICMP, ICMPV6])
        & (pl.col("packets_s2c") == 0)
        & (pl.col("relation") != UNDECLARED)
    )
    return Judged(traffic, flows.filter(~path_error), modbus, opcua, mqtt, operations)


@dataclass(frozen=True, slots=True)
class _Table:
    """Rows that cross between zones."""

    rows: pl.DataFrame
    #: The columns to come.
    schema: Mapping[str, pl.DataType]
    #: The column that says that the client of the row did not open the connection: a conduit's rule allows the opening.
    opened_by_server: str | None = None


#: What changes sides where the server opened the connection.
_ENDS: Final = {
    f"{one}_{what}": f"{other}_{what}"
    for what in ("ip", "port", "zone")
    for one, other in (("client", "server"), ("server", "client"))
} | {"conduit": "reverse_conduit", "reverse_conduit": "conduit"}


def _crossing(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that cross between zones."""
    if rows.is_empty():
        return rows
    # Often all do, and so many columns are not copied for nothing.
    crossing = rows if rows["crosses"].all() else rows.filter("crosses")
    return crossing.with_columns(decoded=pl.col("confidence").is_in(_RECOGNISED) & (pl.col("service") != ""))


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
    "client_port", "role_source", "client_zone", "server_zone",
)  # fmt: skip
#: What is known of all rows that are judged alike.
_SAID: Final = ("conduit", *(name for name in JUDGEMENT if name != "decoded"))


def _with_verdicts(site: CompiledSite, tables: Sequence[_Table]) -> list[pl.DataFrame]:
    """Add what the policy says.

    Judged is each flow of a table, not each row of it; and all of the batch at once.
    """
    reverse = site.conduit_pairs.select(
        pl.col("client_zone").alias("server_zone"),
        pl.col("server_zone").alias("client_zone"),
        pl.col("conduit").alias("reverse_conduit"),
    )
    asked, places, begin = [], [], 0
    # A network speaks few of the protocols: nothing is asked of tables without rows.
    full = [(number, table) for number, table in enumerate(tables) if table.rows.height]
    for _, table in full:
        sides, place = _sides(table.rows)
        asked.append(
            table.rows.select(*(name for name in _ASKED if name != "reverse_conduit"), _turn(table))[sides]
        )
        places.append(place + begin)
        begin += asked[-1].height
    judged = [_none(tuple(table.schema.items())) for table in tables]
    if full:
        whole = pl.concat(asked).join(
            reverse, on=["client_zone", "server_zone"], how="left", maintain_order="left"
        )
        whole = _as_opened(whole.with_columns(pl.col("reverse_conduit").fill_null(""))).select(_ASKED)
        said = whole.hstack(_judged(site, whole)).with_columns(relation=_relation()).select(_SAID)
        for (number, table), place in zip(full, places, strict=True):
            rows = table.rows.with_columns(said[place].get_columns())
            judged[number] = rows.select(*table.schema)
    return judged


@cache
def _none(columns: tuple[tuple[str, pl.DataType], ...]) -> pl.DataFrame:
    return pl.DataFrame(schema=dict(columns))


def _turn(table: _Table) -> pl.Expr:
    turned = pl.col(table.opened_by_server) if table.opened_by_server else pl.lit(value=False)
    return turned.alias("opened_by_server")


def _as_opened(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with the ends of their connection as it was opened."""
    if not rows["opened_by_server"].any():
        return rows
    return rows.with_columns(
        pl.when("opened_by_server").then(other).otherwise(one).alias(one) for one, other in _ENDS.items()
    )


def _sides(rows: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """A row for all that are judged alike, those of a flow; and for each row its place among these.

    Of minutes of flows it is each one, for the service of a flow may change.
    """
    row = pl.int_range(rows.height, dtype=pl.UInt32, eager=True)
    if "packets_c2s" in rows.columns:
        return row, row
    bits = ["turned", "decoded", *(["reversed"] if "reversed" in rows.columns else [])]
    number = pl.col("flow_id").cast(pl.Int64)
    for bit in bits:
        number = 4 * number + pl.col(bit).cast(pl.Int64).fill_null(2)
    if "operation_class" in rows.columns:
        number = 256 * number + pl.col("service").rank("dense").cast(pl.Int64)
    side = rows.select(number.alias("side"))
    sides = (
        side.with_columns(row=row).unique("side", keep="first", maintain_order=True).with_row_index("place")
    )
    place = side.join(sides, on="side", how="left", maintain_order="left", nulls_equal=True)["place"]
    return sides["row"], place


def _judged(site: CompiledSite, asked: pl.DataFrame) -> pl.DataFrame:
    """For each: the verdict, whether it allows, and whether it would with client and server swapped."""
    # With known roles, and where no conduit leads back, nothing can be swapped.
    guessed = pl.col("role_source").is_in(_GUESSED_ROLES) & (pl.col("reverse_conduit") != "")
    doubtful = asked.select(pl.arg_where(guessed)).to_series()
    swapped = asked.select(
        pl.col("reverse_conduit").alias("conduit"),
        pl.col("server_ip").alias("client_ip"),
        pl.col("client_ip").alias("server_ip"),
        "ip_proto",
        pl.col("client_port").alias("server_port"),
        "service",
        "decoded",
    )[doubtful]
    verdicts = site.rules.judge_rows(pl.concat([asked.select(swapped.columns), swapped]))
    allowed = _allowed(site, verdicts)
    swap_allowed = pl.repeat(value=False, n=asked.height, dtype=pl.Boolean, eager=True)
    return pl.DataFrame(
        {
            "verdict": verdicts.head(asked.height),
            "allowed": allowed.head(asked.height),
            "swap_allowed": swap_allowed.scatter(doubtful, allowed.tail(len(doubtful))),
        }
    )


def _allowed(site: CompiledSite, verdicts: pl.Series) -> pl.Series:
    """Whether each verdict allows; false where there is none. Must follow the verdicts being given."""
    allowed = pl.Series([verdict.allowed for verdict in site.rules.verdicts], dtype=pl.Boolean)
    return allowed.gather(verdicts).fill_null(value=False)
