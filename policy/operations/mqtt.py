"""MQTT packets held against the client identifiers and topics of the rules that allow the conversation.

Judged is what a client asks of the broker: that it may connect, publish (its will included) and subscribe. What the
broker delivers follows from that. Topics within TLS are not seen; a rule that demands TLS is broken by every packet
that can be read. Source: MQTT 5.0, 3.1, 3.3, 3.8 and 4.7.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from policy.judged import Judged
from policy.model import AllowRule
from policy.operations.base import Operations
from policy.operations.nearest import Candidates, confidence_of_transaction, limited, refused, with_rules
from policy.topics import within
from policy.violations import NO_VIOLATIONS, grouped
from policy.zoning import CompiledSite

_TOPIC_SHOWN: Final = 128
#: An operation, as far as rules can tell; `client_id` is null where it was not seen, `topic` where none is meant.
_OPERATION: Final = ("verdict", "does", "known_id", "asked")
_LIMITS: Final = ("tls", "client", "publish", "subscribe")


class MqttOperations(Operations):
    """TLS, client identifiers, topics published and topic filters subscribed to."""

    service = "mqtt"

    def broken(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Packets of allowed conversations that none of the allowing rules covers."""
        rows = _asked(limited(site, judged.mqtt).filter(pl.col("direction") == "client_to_broker"))
        denied = _refused(site, rows.select(_OPERATION).unique())
        return rows.join(denied, on=_OPERATION, how="inner", nulls_equal=True, maintain_order="left")

    def refused(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """The same as violations."""
        if limited(site, judged.mqtt).is_empty():
            return NO_VIOLATIONS
        rows = self.broken(site, judged)
        if rows.is_empty():
            return NO_VIOLATIONS
        rows = rows.with_columns(
            what=pl.format("{}: {}", "does", "broken"),
            operation=pl.format("mqtt.{}", "does"),
            ts_ns=pl.col("ts").dt.epoch("ns"),
            last_ns=pl.col("ts").dt.epoch("ns"),
            frame=pl.coalesce("request_frame", "response_frame"),
            confirmed=(pl.col("does") == "publish") & (pl.col("outcome") == "answered") & ~pl.col("will"),
            confidence_rank=confidence_of_transaction(),
        )
        return grouped(rows, _described)


def _asked(rows: pl.DataFrame) -> pl.DataFrame:
    """One row for each connection, publication, will and topic filter: `does`, `asked`, `known_id`, `will`."""
    kind = pl.col("packet_type")
    # Without its CONNECT a packet does not tell whose it is; a CONNECT may rightly have an empty identifier.
    known = pl.when((kind == "connect") | (pl.col("client_id") != "")).then("client_id")
    rows = rows.with_columns(known_id=known, will=pl.lit(value=False), asked=pl.lit(None, pl.String))
    connects = rows.filter(kind == "connect")
    parts = [
        connects.with_columns(does=pl.lit("connect")),
        connects.filter(pl.col("will_topic") != "").with_columns(
            does=pl.lit("publish"), asked="will_topic", will=pl.lit(value=True)
        ),
        # An alias whose topic was not seen says nothing.
        rows.filter((kind == "publish") & (pl.col("topic") != "")).with_columns(
            does=pl.lit("publish"), asked="topic"
        ),
        rows.filter(kind == "subscribe")
        .with_columns(does=pl.lit("subscribe"), asked="filters")
        .explode("asked")
        .filter(pl.col("asked").is_not_null()),
    ]
    return pl.concat(parts)


def _refused(site: CompiledSite, operations: pl.DataFrame) -> pl.DataFrame:
    """Distinct operations in; those that no rule allows out, with the limits `broken` and the `nearest` rule."""
    candidates = with_rules(site, operations)
    rules = candidates.rules
    rows = candidates.rows.join(_limits(rules), on="rule")
    rows = rows.with_columns(
        fits_tls=~pl.col("tls"),
        fits_client=pl.col("client_ids").is_null()
        | pl.col("known_id").is_null()
        | pl.col("client_ids").list.contains(pl.col("known_id")),
    )
    for side in ("publish", "subscribe"):
        rows = _with_topic_fit(rows, rules, side)
    return refused(Candidates(rows, rules), _LIMITS, _OPERATION, _nearest_text)


def _limits(rules: dict[int, AllowRule]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (
                number,
                bool(rule.tls),
                None if rule.client_ids is None else list(rule.client_ids),
                rule.publish is not None,
                rule.subscribe is not None,
            )
            for number, rule in rules.items()
        ],
        schema={
            "rule": pl.UInt32,
            "tls": pl.Boolean,
            "client_ids": pl.List(pl.String),
            "publish_limited": pl.Boolean,
            "subscribe_limited": pl.Boolean,
        },
        orient="row",
    )


def _with_topic_fit(candidates: pl.DataFrame, rules: dict[int, AllowRule], side: str) -> pl.DataFrame:
    """Add `fits_{side}`: it does something else, the rule does not limit, or one of its filters holds the topic."""
    filters = pl.DataFrame(
        [
            (number, wanted)
            for number, rule in rules.items()
            for wanted in (rule.publish if side == "publish" else rule.subscribe) or ()
        ],
        schema={"rule": pl.UInt32, "filter": pl.String},
        orient="row",
    )
    touched = (pl.col("does") == side) & pl.col(f"{side}_limited")
    pairs = candidates.filter(touched).select("operation_id", "rule", "asked").join(filters, on="rule")
    held = pairs.filter(within(pairs)).select("operation_id", "rule").unique()
    return (
        candidates.join(held.with_columns(held=pl.lit(value=True)), on=["operation_id", "rule"], how="left")
        .with_columns((~touched | pl.col("held").fill_null(value=False)).alias(f"fits_{side}"))
        .drop("held")
    )


def _nearest_text(rule: AllowRule, broken: list[str]) -> str:
    """The rule that came closest and what it allows of what was broken."""
    words = {
        "tls": "in TLS",
        "client": f"as {_listed(rule.client_ids, 'nobody')}",
        "publish": f"publishing {_listed(rule.publish, 'nothing')}",
        "subscribe": f"subscribing to {_listed(rule.subscribe, 'nothing')}",
    }
    return f"{rule.id}: only " + " and ".join(words[limit] for limit in broken)


def _listed(values: Iterable[str] | None, nothing: str) -> str:
    return ", ".join(values or ()) or nothing


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the operation in words: `publishes mine-a/plant/shift as edge1, QoS 1, confirmed`."""
    topic = pl.col("asked")
    shown = (
        pl.when(topic.str.len_chars() > _TOPIC_SHOWN)
        .then(pl.format("{}…", topic.str.head(_TOPIC_SHOWN)))
        .otherwise(topic)
    )
    who = (
        pl.when(pl.col("known_id").is_null())
        .then(pl.lit("as a client whose connecting was not seen"))
        .when(pl.col("known_id") == "")
        .then(pl.lit("without a client identifier"))
        .otherwise(pl.format("as {}", "known_id"))
    )
    deed = (
        pl.when(pl.col("does") == "connect")
        .then(pl.lit("connects"))
        .when("will")
        .then(pl.format("leaves a will for {}", shown))
        .when(pl.col("does") == "subscribe")
        .then(pl.format("subscribes to {}", shown))
        .when("retain")
        .then(pl.format("publishes {}, to be kept,", shown))
        .otherwise(pl.format("publishes {}", shown))
    )
    quality = pl.when((pl.col("does") == "publish") & ~pl.col("will")).then(pl.format("QoS {}", "qos"))
    return rows.with_columns(
        text=pl.concat_str(
            pl.format("{} {}", deed, who), quality, _outcome_text(), separator=", ", ignore_nulls=True
        )
    )


def _outcome_text() -> pl.Expr:
    outcome = pl.col("outcome")
    return (
        pl.when(outcome == "answered")
        .then(
            pl.when((pl.col("does") == "publish") & ~pl.col("will"))
            .then(pl.lit("confirmed"))
            .otherwise(pl.lit("accepted"))
        )
        .when(outcome == "refused")
        .then(pl.format("refused: {}", pl.col("reason").str.replace_all("_", " ")))
        .when(outcome == "one_way")
        .then(pl.lit("which nothing confirms"))
        .when(outcome == "pending")
        .then(pl.lit("answer not seen before the capture ended"))
        .otherwise(outcome)
    )
