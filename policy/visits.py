"""Visits: sessions of remote access, each with the chain that it came by. What the checks of remote access look at."""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.evidence import factor_words
from policy.violations import VIOLATION, address_texts, grouped

#: Services by which somebody works on another machine.
REMOTE: Final = ("rdp", "ssh", "vnc", "telnet", "winrm", "radmin")
#: Services by which a machine that somebody works on opens others.
ONWARD_SERVICES: Final = (*REMOTE, "smb")

#: Not a visit, but what the machine that is visited opens meanwhile.
ONWARD: Final = "onward"

#: One visit: a session of such a service that ends on a machine of the plant, and comes from outside or a jump host.
VISIT: Final[dict[str, pl.DataType]] = {
    "visit": pl.UInt32(),
    #: The remote access rule that it is held against.
    "rule": pl.String(),
    #: Where it comes from: `jump` (a jump host of the rule), `gateway`, `source` (a prefix of the rule), `outside`; or
    #: `onward`: what the machine opens that is being visited.
    "came": pl.String(),
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "client_port": pl.UInt16(),
    "server_port": pl.UInt16(),
    "service": pl.String(),
    "decoded": pl.Boolean(),
    "client_zone": pl.String(),
    "server_zone": pl.String(),
    "conduit": pl.String(),
    #: First packet and last payload, ns since the epoch.
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
    "frame": pl.UInt64(),
    #: The longest time in which the visitor sent nothing; reads low by up to two minutes.
    "idle_ns": pl.Int64(),
    #: The session was established and carried payload.
    "confirmed": pl.Boolean(),
    "confidence_rank": pl.UInt8(),
    #: Its first packet was seen, not only its midst.
    "opened": pl.Boolean(),
    #: The machine is one that the rule names as a target, and the service one that it has.
    "is_target": pl.Boolean(),
    #: The session that brought the visitor to the jump host: who opened it, and when; null where none was live.
    "jump_client_ip": pl.Binary(),
    "jump_first_ns": pl.Int64(),
    #: The tunnel before that: the visitor's own address; null where none was live.
    "origin_ip": pl.Binary(),
    "origin_first_ns": pl.Int64(),
    #: The approval that holds for all of it; "" where none does.
    "approval": pl.String(),
    #: What is known of a second factor: `evidenced` and `missing` by the gateway's log, `inferred` by the policy's
    #: word alone, "" where nothing is asked.
    "second_factor": pl.String(),
    #: How many visits of the rule are live as it begins, itself included.
    "at_once": pl.UInt32(),
}

#: What a check says of a visit: `what` tells several things said of one visit apart.
BROKEN: Final[dict[str, pl.DataType]] = {"visit": pl.UInt32(), "what": pl.String(), "text": pl.String()}


def no_visits() -> pl.DataFrame:
    """None at all."""
    return pl.DataFrame(schema=VISIT)


def broken_visits(rows: list[tuple[int, str, str]]) -> pl.DataFrame:
    """Visit, what and text in; a table of BROKEN out."""
    return pl.DataFrame(rows, schema=BROKEN, orient="row")


def violating_visits(visits: pl.DataFrame, broken: pl.DataFrame) -> pl.DataFrame:
    """Visits and what a check says of them in; violations out."""
    if broken.is_empty():
        return pl.DataFrame(schema=VIOLATION)
    rows = broken.join(visits, on="visit", how="inner", maintain_order="left").with_columns(
        reverse_conduit=pl.lit(""), operation=pl.lit(""), ts_ns="first_ns", said="text"
    )
    return grouped(rows, _described)


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    text = pl.format(
        "{} from {} to {}: {}{}",
        pl.col("service").str.to_uppercase(),
        address_texts(rows["client_ip"]),
        address_texts(rows["server_ip"]),
        "said",
        pl.Series([factor_words(known) for known in rows["second_factor"]], dtype=pl.String),
    )
    return rows.with_columns(text=text, nearest=pl.col("rule"))
