"""OPC UA service calls held against the modes, users, services and nodes of the rules that allow the conversation.

Judged are the calls that do something: reads, writes, subscriptions and so on. Opening a channel or a session and
asking for endpoints is part of any of them and is not judged by itself. What is encrypted shows neither service nor
node: then the mode is all there is to judge. Source: OPC 10000-4, 5 and 7.20.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from policy.judged import Judged
from policy.model import AllowRule
from policy.opcua import CHANGING, GROUPS, RULE_MODES, RULE_USERS, SEEN_MODES, node_text
from policy.operations.base import Operations
from policy.operations.nearest import Candidates, confidence_of_transaction, limited, refused, with_rules
from policy.violations import NO_VIOLATIONS, grouped
from policy.zoning import CompiledSite

_NODES_SHOWN: Final = 4
#: An operation, as far as rules can tell; `node_key` stands for `nodes_written` where lists cannot be compared.
_OPERATION: Final = ("verdict", "mode", "user_kind", "group", "node_key")
_LIMITS: Final = ("mode", "user", "service", "node")
#: Groups of services -> the operation of a change window.
_CHANGES: Final = {"write": "opcua.write", "call": "opcua.call", "configure": "opcua.configure"}


class OpcuaOperations(Operations):
    """Security modes, kinds of users, groups of services and the nodes that are written."""

    service = "opcua"

    def broken(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Service calls of allowed conversations that none of the allowing rules covers."""
        rows = _called(limited(site, judged.opcua))
        operations = rows.group_by(_OPERATION).agg(
            pl.col("nodes_written").first(), pl.col("nodes_unseen").max()
        )
        denied = _refused(site, operations)
        return rows.join(denied, on=_OPERATION, how="inner", nulls_equal=True, maintain_order="left")

    def refused(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """The same as violations."""
        if limited(site, judged.opcua).is_empty():
            return NO_VIOLATIONS
        rows = self.broken(site, judged)
        if rows.is_empty():
            return NO_VIOLATIONS
        rows = rows.with_columns(
            what=pl.format("{}: {}", "called", "broken"),
            operation=pl.col("group").replace_strict(
                _CHANGES, default=pl.lit("opcua.read"), return_dtype=pl.String
            ),
            ts_ns=pl.col("ts").dt.epoch("ns"),
            last_ns=pl.col("ts").dt.epoch("ns"),
            frame=pl.coalesce("request_frame", "response_frame"),
            confirmed=_is_changing() & went_through(),
            confidence_rank=confidence_of_transaction(),
        )
        return grouped(rows, in_words)


def _called(rows: pl.DataFrame) -> pl.DataFrame:
    """The calls that are judged, with what rules can tell of them."""
    rows = rows.with_columns(
        group=pl.col("called").replace_strict(GROUPS, default=None, return_dtype=pl.String)
    ).filter(pl.col("group").is_not_null() & (pl.col("message_type") == "MSG"))
    writes = pl.col("called") == "Write"
    nodes = pl.col("nodes").list.eval(pl.element().str.strip_prefix("ns=0;")).list.unique(maintain_order=True)
    # A separator that no node's own text can forge.
    key = nodes.list.eval(
        pl.element().str.replace_all("\\", "\\\\", literal=True).str.replace_all("|", "\\|", literal=True)
    )
    return rows.with_columns(
        mode=pl.col("security_mode").replace_strict(SEEN_MODES, default=None, return_dtype=pl.UInt8),
        nodes_written=pl.when(writes).then(nodes),
        node_key=pl.when(writes).then(key.list.sort().list.join("|")).otherwise(pl.lit("")),
        # A write of more nodes than a row has room for hides the others.
        nodes_unseen=writes & (pl.col("operations") > pl.col("nodes").list.len()),
    )


def _refused(site: CompiledSite, operations: pl.DataFrame) -> pl.DataFrame:
    """Distinct operations in; those that no rule allows out, with the limits `broken` and the `nearest` rule."""
    candidates = with_rules(site, operations)
    rules = candidates.rules
    rows = candidates.rows.join(_limits(rules), on="rule")
    known_user = pl.col("user_kind") != "unknown"
    rows = rows.with_columns(
        fits_mode=(pl.col("mode") >= pl.col("min_mode")).fill_null(value=True),
        fits_user=pl.col("users").is_null()
        | ~known_user
        | pl.col("users").list.contains(pl.col("user_kind")).fill_null(value=False),
        fits_service=pl.col("groups").is_null() | pl.col("groups").list.contains(pl.col("group")),
    )
    rows = _with_node_fit(rows, rules)
    return refused(Candidates(rows, rules), _LIMITS, _OPERATION, _nearest_text)


def _limits(rules: dict[int, AllowRule]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (
                number,
                RULE_MODES[rule.min_mode] if rule.min_mode else None,
                None if rule.auth is None else [RULE_USERS[kind] for kind in rule.auth],
                None if rule.services is None else list(rule.services),
                rule.write_nodes is not None,
            )
            for number, rule in rules.items()
        ],
        schema={
            "rule": pl.UInt32,
            "min_mode": pl.UInt8,
            "users": pl.List(pl.String),
            "groups": pl.List(pl.String),
            "nodes_limited": pl.Boolean,
        },
        orient="row",
    )


def _with_node_fit(candidates: pl.DataFrame, rules: dict[int, AllowRule]) -> pl.DataFrame:
    """Add `fits_node`: nothing is written, the rule does not limit nodes, or it holds every one that is written."""
    held = pl.DataFrame(
        [(number, node_text(node)) for number, rule in rules.items() for node in rule.write_nodes or ()],
        schema={"rule": pl.UInt32, "nodes_written": pl.String},
        orient="row",
    ).unique()
    limited = candidates.filter(pl.col("nodes_limited") & pl.col("nodes_written").is_not_null())
    each = limited.select("operation_id", "rule", "nodes_written").explode("nodes_written")
    strange = each.join(held, on=["rule", "nodes_written"], how="anti").select("operation_id", "rule")
    hidden = limited.filter("nodes_unseen").select("operation_id", "rule")
    unfit = pl.concat([strange, hidden]).unique().with_columns(unfit=pl.lit(value=True))
    return candidates.join(unfit, on=["operation_id", "rule"], how="left").with_columns(
        fits_node=pl.col("unfit").is_null()
    )


def _nearest_text(rule: AllowRule, broken: list[str]) -> str:
    """The rule that came closest and what it allows of what was broken."""
    words = {
        "mode": f"mode {'SignAndEncrypt' if rule.min_mode == 'SignAndEncrypt' else f'{rule.min_mode} or better'}",
        "user": f"{_listed(rule.auth)} users",
        "service": f"services {_listed(rule.services)}",
        "node": f"writing {_listed(rule.write_nodes, 'nothing')}",
    }
    return f"{rule.id}: only " + " and ".join(words[limit] for limit in broken)


def _listed(values: Iterable[str] | None, nothing: str = "none") -> str:
    return ", ".join(values or ()) or nothing


def _is_changing() -> pl.Expr:
    return pl.col("called").is_in(sorted(CHANGING))


def went_through() -> pl.Expr:
    """The call was answered, and not every operation in it failed."""
    return (pl.col("outcome") == "answered") & (
        (pl.col("operations") == 0) | (pl.col("operations_failed") < pl.col("operations"))
    )


def in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the operation in words: `Write ns=2;s=Limit = 60, mode sign, certificate user, confirmed`."""
    nodes = pl.col("nodes")
    shown = nodes.list.head(_NODES_SHOWN).list.join(", ")
    shown = pl.when(nodes.list.len() > _NODES_SHOWN).then(pl.format("{}, …", shown)).otherwise(shown)
    one_value = (nodes.list.len() == 1) & (pl.col("values_written").list.len() == 1)
    what = (
        pl.when(nodes.list.len() == 0)
        .then(pl.col("called"))
        .when((pl.col("called") == "Write") & one_value)
        .then(pl.format("{} {} = {}", "called", shown, pl.col("values_written").list.first()))
        .otherwise(pl.format("{} {}", "called", shown))
    )
    user = (
        pl.when(pl.col("user_kind") == "unknown")
        .then(pl.lit("user not seen"))
        .when(pl.col("user_kind") == "user_name")
        .then(pl.lit("user by name"))
        .otherwise(pl.format("{} user", "user_kind"))
    )
    text = pl.format(
        "{}, mode {}, {}, {}", what, pl.col("security_mode").str.replace_all("_", " "), user, _outcome_text()
    )
    return rows.with_columns(text=text)


def _outcome_text() -> pl.Expr:
    outcome = pl.col("outcome")
    return (
        pl.when(_is_changing() & went_through())
        .then(pl.lit("confirmed"))
        .when(outcome == "answered")
        .then(pl.lit("answered"))
        .when(outcome == "exception")
        .then(pl.format("refused with {}", "status_name"))
        .when(outcome == "orphan")
        .then(pl.lit("response without a request"))
        .when(outcome == "pending")
        .then(pl.lit("response not seen before the capture ended"))
        .otherwise(outcome.str.replace_all("_", " "))
    )
