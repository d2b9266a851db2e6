"""What the checks of whole conversations share: judged flow minutes in, violations with their texts out."""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from policy.levels import CONTROL, OFFICE
from policy.services import TCP
from policy.violations import NO_VIOLATIONS, ROW, address_texts, confidence_of_roles, grouped
from policy.zoning import CompiledSite

_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6"}


def violating_conversations(
    site: CompiledSite,
    flows: pl.DataFrame,
    *,
    confidence: pl.Expr | None = None,
    what: str | pl.Expr = "",
    nearest: pl.Expr | None = None,
    note: pl.Expr | None = None,
) -> pl.DataFrame:
    """Judged flow minutes that violate in, violations out; the subject is client, server, protocol and port.

    `confidence`: the rank, where who is client and who is server is not all there is to doubt; `what`: tells
    violations of one conversation apart; `nearest`: the rule that is meant, where it is not the one that came closest;
    `note`: what the evidence says beside.
    """
    if flows.is_empty():
        return NO_VIOLATIONS
    rows = flows.with_columns(
        what=pl.lit(what) if isinstance(what, str) else what,
        meant=pl.lit(None, pl.String) if nearest is None else nearest,
        note=pl.lit("") if note is None else note,
        operation=pl.lit(""),
        ts_ns=pl.col("first_ts").dt.epoch("ns"),
        last_ns=pl.col("last_ts").dt.epoch("ns"),
        frame=pl.col("first_frame"),
        confirmed=went_through(),
        confidence_rank=confidence if confidence is not None else confidence_of_roles(),
    )
    return grouped(rows.select(*ROW, *_DESCRIBED), lambda examples: _described(site, examples))


@cache
def went_through() -> pl.Expr:
    """The session carried payload: after its handshake (or in its midst) for TCP, both ways for everything else."""
    payload_c2s, payload_s2c = pl.col("payload_bytes_c2s") > 0, pl.col("payload_bytes_s2c") > 0
    return (
        pl.when(pl.col("ip_proto") == TCP)
        .then(pl.col("established") & (payload_c2s | payload_s2c))
        .otherwise((pl.col("packets_c2s") > 0) & (pl.col("packets_s2c") > 0) & (payload_c2s | payload_s2c))
    )


_DESCRIBED: Final = (
    "client_port",
    "verdict",
    "syn_frame",
    "syn_ack_frame",
    "packets_c2s",
    "packets_s2c",
    "wire_bytes_c2s",
    "wire_bytes_s2c",
    "role_source",
    "meant",
    "note",
)


def _described(site: CompiledSite, rows: pl.DataFrame) -> pl.DataFrame:
    """Add to each example what was seen, and the rule that came closest."""
    nearest = pl.Series([verdict.nearest for verdict in site.rules.verdicts], dtype=pl.String)
    names = pl.col("ip_proto").replace_strict(
        _PROTOCOLS, default=pl.format("IP protocol {}", pl.col("ip_proto")), return_dtype=pl.String
    )
    has_ports = (pl.col("client_port") != 0) | (pl.col("server_port") != 0)
    client_port = pl.when(has_ports).then(pl.format(":{}", "client_port")).otherwise(pl.lit(""))
    server_port = pl.when(has_ports).then(pl.format(":{}", "server_port")).otherwise(pl.lit(""))
    service = (
        pl.when(pl.col("service") == "")
        .then(pl.lit("service not recognised"))
        .when("decoded")
        .then(pl.format("{}, decoded", "service"))
        .otherwise(pl.format("{} by its port", "service"))
    )
    opened = (
        pl.when(pl.col("syn_frame").is_not_null() & pl.col("syn_ack_frame").is_not_null())
        .then(pl.format("SYN in frame {}, SYN-ACK in frame {}", "syn_frame", "syn_ack_frame"))
        .when(pl.col("syn_frame").is_not_null())
        .then(pl.format("SYN in frame {}, no SYN-ACK seen", "syn_frame"))
        .when(pl.col("syn_ack_frame").is_not_null())
        .then(pl.format("SYN-ACK in frame {}", "syn_ack_frame"))
        .otherwise(pl.format("opening not seen, roles by {}", pl.col("role_source").str.replace("_", " ")))
    )
    text = pl.format(
        "{} {}{} → {}{}, {}, {} packets out ({} bytes), {} back ({} bytes), {}{}",
        names,
        address_texts(rows["client_ip"]),
        client_port,
        address_texts(rows["server_ip"]),
        server_port,
        service,
        "packets_c2s",
        "wire_bytes_c2s",
        "packets_s2c",
        "wire_bytes_s2c",
        opened,
        "note",
    )
    closest = nearest.gather(rows["verdict"]).fill_null("").alias("closest")
    return rows.with_columns(closest).with_columns(
        text.alias("text"), pl.coalesce("meant", "closest").alias("nearest")
    )


def rows_that_skip(site: CompiledSite, rows: pl.DataFrame) -> pl.Series:
    """Whether the zones of each row skip a level; never where an address is in no zone. Boolean."""
    levels = pl.DataFrame(
        [(zone.id, zone.purdue) for zone in site.zones.values()],
        schema={"zone": pl.String, "level": pl.Float64},
        orient="row",
    )
    both = (
        rows.select("client_zone", "server_zone")
        .join(levels, left_on="client_zone", right_on="zone", how="left", maintain_order="left")
        .join(
            levels,
            left_on="server_zone",
            right_on="zone",
            how="left",
            maintain_order="left",
            suffix="_of_server",
        )
    )
    low = pl.min_horizontal("level", "level_of_server")
    high = pl.max_horizontal("level", "level_of_server")
    known = pl.col("level").is_not_null() & pl.col("level_of_server").is_not_null()
    return both.select(skips=known & (high >= OFFICE) & (low <= CONTROL))["skips"]
