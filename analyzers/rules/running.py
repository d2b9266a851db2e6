"""Rows of the stored tables in, as batches bring them or as the store gives them back; findings of the rules out."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import polars as pl

from analyzers.detections.rows import NOBODY, violations_of
from analyzers.findings import Finding
from analyzers.gathered import Gathered
from analyzers.reporting import Reporter
from analyzers.rules.fields import SERVICES_OF_RULES, Service
from analyzers.rules.leaves import words
from analyzers.rules.rule import Rule, RuleSet
from policy.violations import HIGH, LOW, MEDIUM, confidence_of_roles
from policy.zoning import CompiledSite
from sensors.records import Column, Kind

#: The frame of a row: the first of these that it has.
_FRAMES: Final = ("request_frame", "response_frame", "frame", "first_frame")
#: Tables whose rows name the service in a column of their own; the others are of one protocol, their table's name.
_OF_ANY_SERVICE: Final = frozenset({"conversations", "operations", "services", "http", "dns"})
#: What findings are made of, whatever the rule names.
_ALWAYS: Final = frozenset(
    {
        "ts", "last_ts", *_FRAMES, "client_ip", "server_ip", "server_port", "ip_proto", "role_source", "ip",
        "service", "source", "layer", "confidence", "after_gap",
    }
)  # fmt: skip
_TEXT_LIMIT: Final = 120


class RuleRun:
    """Runs a set of rules on the rows of one capture.

    What is found depends on the rows and the policy, not on how the rows are cut into batches or in which order they
    come.
    """

    def __init__(self, rules: RuleSet, site: CompiledSite, policy_sha256: str, version: str) -> None:
        self._site = site
        self._reporter = Reporter(site, policy_sha256, version)
        self._rules: dict[str, list[tuple[Rule, Gathered]]] = defaultdict(list)
        for rule in rules.rules:
            self._rules[rule.service.name].append((rule, Gathered(site)))

    @property
    def services(self) -> tuple[Service, ...]:
        """What the rules look at."""
        return tuple(SERVICES_OF_RULES[name] for name in sorted(self._rules))

    def columns(self, service: Service) -> tuple[str, ...]:
        """The columns of the service's table that its rules and their findings need, in the table's order."""
        named = {name for rule, _ in self._rules[service.name] for name in (*rule.named, *rule.shown)}
        return tuple(column.name for column in service.table.columns if column.name in named | _ALWAYS)

    def feed(self, service: Service, rows: pl.DataFrame) -> None:
        """Take rows of the service's table: `columns` of them, as `policy.traffic.table_schema` has them, or all."""
        ruled = self._rules.get(service.name)
        if not ruled or rows.is_empty():
            return
        placed = self._placed(rows)
        marks = placed.select(rule.matches.alias(str(number)) for number, (rule, _) in enumerate(ruled))
        for mark, (rule, gathered) in zip(marks.iter_columns(), ruled, strict=True):
            if mark.any():
                found = _as_rows(placed.filter(mark), service)
                gathered.add(violations_of(found, _text(rule)))

    def finish(self, capture_sha256: str) -> list[Finding]:
        """What was found up to now, in no order."""
        return [
            finding
            for ruled in self._rules.values()
            for rule, gathered in ruled
            for finding in self._reporter.findings(
                rule, gathered.told(), capture_sha256, judged_by=(rule.sha256,)
            )
        ]

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        for ruled in self._rules.values():
            for rule, gathered in ruled:
                self._reporter.settle(rule, gathered.told(), before_ns, judged_by=(rule.sha256,))
                gathered.settle(before_ns)

    def _placed(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Zones and conduit, which follow from the addresses."""
        site = self._site
        if "ip" in rows.columns:
            return rows.with_columns(site.zones_of(rows["ip"]).alias("zone"))
        if "client_ip" not in rows.columns:
            return rows
        zoned = rows.with_columns(
            site.zones_of(rows["client_ip"]).alias("client_zone"),
            site.zones_of(rows["server_ip"]).alias("server_zone"),
        )
        keys = ["client_zone", "server_zone"]
        return zoned.join(site.conduit_pairs, on=keys, how="left", maintain_order="left").with_columns(
            pl.col("conduit").fill_null("")
        )


def _as_rows(rows: pl.DataFrame, service: Service) -> pl.DataFrame:
    """Rows that a rule matches, with the columns of ROW: their ends, their time and frame, how sure they are."""
    has = set(rows.columns)
    at = pl.col("ts").dt.epoch("ns")
    of_device = {
        "client_ip": pl.col("ip") if "ip" in has else pl.lit(NOBODY),
        "client_zone": pl.col("zone") if "zone" in has else pl.lit(""),
        "server_ip": pl.lit(NOBODY),
        "server_zone": pl.lit(""),
        "server_port": pl.lit(0, pl.UInt16),
        "conduit": pl.lit(""),
    }
    said = {"observations": "source", "anomalies": "layer"}.get(service.name, "service")
    named = (
        pl.col(said)
        if service.name in {*_OF_ANY_SERVICE, "observations", "anomalies"}
        else pl.lit(service.name)
    )
    return rows.with_columns(
        **({} if "client_ip" in has else of_device),
        what=pl.lit(""),
        reverse_conduit=pl.lit(""),
        operation=pl.format("{}.rule", named.cast(pl.String)),
        ts_ns=at,
        last_ns=pl.col("last_ts").dt.epoch("ns") if "last_ts" in has else at,
        frame=pl.coalesce(*(name for name in _FRAMES if name in has), pl.lit(1)).cast(pl.UInt64),
        confirmed=pl.lit(value=False),
        confidence_rank=_rank(has),
        service=named.cast(pl.String),
        decoded=(pl.col("confidence") != "port") if "confidence" in has else pl.lit(value=True),
        ip_proto=pl.col("ip_proto") if "ip_proto" in has else pl.lit(0, pl.UInt8),
    )


def _rank(has: set[str]) -> pl.Expr:
    """How sure it is who did what to whom: by the handshake of a conversation, else by how the protocol is known."""
    if "role_source" in has:
        return confidence_of_roles()
    rank = pl.lit(HIGH, pl.Int16)
    if "confidence" in has:
        rank = pl.when(pl.col("confidence") == "port").then(pl.lit(MEDIUM, pl.Int16)).otherwise(rank)
    if "after_gap" in has:
        rank = rank - pl.col("after_gap").cast(pl.Int16)
    return rank.clip(lower_bound=LOW).cast(pl.UInt8)


def _text(rule: Rule) -> pl.Expr:
    """A matched row in words: the rule's fields and their values."""
    fields = rule.service.fields
    shown = [fields[name] for name in rule.shown if fields[name].kind not in (Kind.ADDRESS, Kind.TIMESTAMP)]
    values = [
        pl.format("{} {}", pl.lit(column.name), _value(column.name, column.kind).str.slice(0, _TEXT_LIMIT))
        for column in shown
    ]
    return pl.concat_str(*values, separator=", ", ignore_nulls=True) if values else pl.lit(rule.service.name)


def _value(name: str, kind: Kind) -> pl.Expr:
    value = pl.col(name)
    if kind in (Kind.TEXT_LIST, Kind.INT16_LIST, Kind.UINT16_LIST, Kind.UINT32_LIST):
        text = value.list.eval(pl.element().cast(pl.String)).list.join(" ")
    else:
        text = words(Column(name, kind, ""))(value)
    return pl.when(text != "").then(text)
