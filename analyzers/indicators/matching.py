"""Batches of traffic in; a finding for each indicator that is seen while it is valid, out."""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.detections.rows import NOBODY, told, violations_of
from analyzers.findings import Finding
from analyzers.gathered import Gathered
from analyzers.indicators.indicator import Indicator, IndicatorSet
from analyzers.indicators.kinds import kinds_of
from analyzers.indicators.lookup import Lookup
from analyzers.reporting import Reporter
from policy.traffic import Traffic
from policy.violations import HIGH, LOW, MEDIUM, confidence_of_roles
from policy.zoning import CompiledSite

#: Names that devices tell of themselves, of the table of observations.
_NAMES_TOLD: Final = ("host_name", "domain_name")
_FRAME: Final = pl.coalesce("request_frame", "response_frame")


class IndicatorRun:
    """Looks for a set of indicators in the traffic of one capture."""

    def __init__(self, given: IndicatorSet, site: CompiledSite, policy_sha256: str, version: str) -> None:
        self._site = site
        self._reporter = Reporter(site, policy_sha256, version)
        self._lookup = Lookup(given.indicators)
        self._kinds = kinds_of({one.key: one for one in given.indicators})
        self._gathered = {what: Gathered(site) for what in self._kinds}
        self._told = _told_of(given.indicators)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        self._conversations(traffic.flow_minutes)
        self._names_asked(traffic.dns)
        self._introductions(traffic.services)
        http = traffic.http.with_columns(frame=_FRAME)
        self._take(self._named(http, "host"), "http", "the host {}")
        self._devices(traffic.observations)

    def finish(self, capture_sha256: str) -> list[Finding]:
        """What was found up to now, in no order."""
        return [
            finding
            for what, kind in self._kinds.items()
            for finding in self._reporter.findings(kind, self._gathered[what].told(), capture_sha256)
        ]

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        for what, kind in self._kinds.items():
            self._reporter.settle(kind, self._gathered[what].told(), before_ns)
            self._gathered[what].settle(before_ns)

    def _conversations(self, rows: pl.DataFrame) -> None:
        """Either end of a conversation, in every minute that it is seen."""
        for end, role in (("client_ip", "client"), ("server_ip", "server")):
            hits = self._lookup.addresses(rows[end])
            if hits.is_empty():
                continue
            both = (pl.col("payload_bytes_c2s") > 0) & (pl.col("payload_bytes_s2c") > 0)
            matched = rows.join(hits, left_on=end, right_on="seen", how="inner").with_columns(
                reverse_conduit=pl.lit(""),
                operation=pl.lit(""),
                ts_ns=pl.col("first_ts").dt.epoch("ns"),
                last_ns=pl.col("last_ts").dt.epoch("ns"),
                frame=pl.col("first_frame"),
                confirmed=both,
                confidence_rank=confidence_of_roles(),
                decoded=pl.col("confidence").is_in(["handshake", "structure"]),
            )
            text = pl.format(
                "it is the {}; {} bytes were sent and {} came back",
                pl.lit(role),
                "payload_bytes_c2s",
                "payload_bytes_s2c",
            )
            self._gather(matched, text)

    def _names_asked(self, dns: pl.DataFrame) -> None:
        """Names that were asked for; names and addresses that were answered."""
        rows = dns.with_columns(frame=_FRAME)
        self._take(self._named(rows, "query"), "dns", "asked for {}")
        answers = rows.explode("answers").drop_nulls("answers")
        self._take(self._named(answers, "answers"), "dns", "the answer {}")
        hits = self._lookup.address_texts(answers["answers"])
        matched = answers.join(hits, left_on="answers", right_on="seen", how="inner")
        self._take(matched.with_columns(seen=pl.col("answers")), "dns", "the answer {}")

    def _introductions(self, services: pl.DataFrame) -> None:
        """Names, fingerprints and certificates of sessions."""
        self._take(self._named(services, "host_name"), "tls", "the client asked for {}")
        self._take(self._named(services, "server_name"), "tls", "the server calls itself {}")
        for what, column in (("ja4", "ja4"), ("certificate", "certificate_sha256")):
            hits = self._lookup.fingerprints(services[column], what)
            matched = services.join(hits, left_on=column, right_on="seen", how="inner")
            self._take(matched.with_columns(seen=pl.col(column)), "tls", "{}")

    def _devices(self, observations: pl.DataFrame) -> None:
        """Names that devices tell of themselves: DHCP, NetBIOS and the like."""
        rows = observations.filter(pl.col("kind").is_in(_NAMES_TOLD))
        matched = self._named(rows, "value")
        if matched.is_empty():
            return
        own = matched.with_columns(
            client_ip=pl.col("ip"),
            client_zone=self._site.zones_of(matched["ip"]),
            server_ip=pl.lit(NOBODY),
            server_zone=pl.lit(""),
            server_port=pl.lit(0, pl.UInt16),
            ip_proto=pl.lit(0, pl.UInt8),
            conduit=pl.lit(""),
            # The device named itself.
            role_source=pl.lit("syn"),
        )
        self._take(own.with_columns(service=pl.col("source")), "device", "the device calls itself {}")

    def _named(self, rows: pl.DataFrame, column: str) -> pl.DataFrame:
        """Rows whose name is an indicator, with `seen` and `indicator`."""
        hits = self._lookup.names(rows[column])
        matched = rows.join(hits, left_on=column, right_on="seen", how="inner")
        return matched.with_columns(seen=pl.col(column))

    def _take(self, matched: pl.DataFrame, service: str, text: str) -> None:
        """Rows that name their service, with `seen` and `indicator`; `service` stands where they do not know it."""
        if matched.is_empty():
            return
        own = pl.Series(matched["service"].replace("", service), dtype=pl.String)
        self._gather(
            told(matched, service, "indicator").with_columns(own.alias("service")), pl.format(text, "seen")
        )

    def _gather(self, rows: pl.DataFrame, text: pl.Expr) -> None:
        """Rows with the columns of ROW but `what`, and `indicator`: those of their time, kind by kind."""
        valid = rows.join(self._told, on="indicator", how="left").filter(
            (pl.col("last_ns") >= pl.col("valid_from_ns")) & (pl.col("ts_ns") < pl.col("valid_until_ns"))
        )
        ranked = valid.with_columns(
            what=pl.col("indicator_key"),
            confidence_rank=pl.min_horizontal("confidence_rank", "indicator_rank").cast(pl.UInt8),
        )
        for (what,), group in ranked.group_by("indicator_what"):
            self._gathered[str(what)].add(violations_of(group, text))


def _told_of(indicators: tuple[Indicator, ...]) -> pl.DataFrame:
    """What rows learn from the indicator that they match."""
    return pl.DataFrame(
        {
            "indicator": pl.Series(range(len(indicators)), dtype=pl.UInt32),
            "indicator_what": pl.Series([one.what for one in indicators], dtype=pl.String),
            "indicator_key": pl.Series([one.key for one in indicators], dtype=pl.String),
            "indicator_rank": pl.Series([_rank(one) for one in indicators], dtype=pl.UInt8),
            "valid_from_ns": pl.Series([one.valid_from_ns for one in indicators], dtype=pl.Int64),
            "valid_until_ns": pl.Series([one.valid_until_ns for one in indicators], dtype=pl.Int64),
        }
    )


def _rank(one: Indicator) -> int:
    """The scale of STIX 2.1, appendix A: 70 and up is high, 30 and up medium; where nothing is said, medium."""
    if one.confidence < 0:
        return MEDIUM
    return HIGH if one.confidence >= 70 else MEDIUM if one.confidence >= 30 else LOW
