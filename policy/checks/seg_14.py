"""SEG-14: mail or social media in a control zone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import violating_conversations
from policy.judged import Judged
from policy.levels import CONTROL
from policy.pastimes import DOMAINS, MAIL_SERVICES, PATTERN
from policy.violations import NO_VIOLATIONS, grouped, rows_of, zone_text
from policy.zoning import CompiledSite


class Pastime(BatchCheck):
    """Mail or social media used from a zone at Purdue level 2 or below.

    Reports
        A host of a control zone that asks for a name of a mail or social media service, by DNS or in the
        introduction of TLS or HTTP; and mail transport (SMTP, IMAP, POP3), decoded, that no rule of a conduit
        allows: a station that mails its alarms through a rule is not reported.

    Why it matters
        These services bring in what strangers send, to a station that operates a plant; and they are a usual
        way out for whoever is already in.

    Example
        The operator station asks for the address of a social network at three in the morning.

    Do not be fooled by
        Names of networks that deliver for many, which are left out. A DNS server in a control zone, which asks
        for others. Programs that look up names on their own.
    """

    id = "SEG-14"
    title = "a use of mail or social media in a control zone"
    base_severity = 2
    references = ("SR 5.3",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Names asked for by hosts of control zones, and mail that no rule allows."""
        control = [zone.id for zone in site.zones.values() if zone.purdue <= CONTROL]
        of_control = pl.col("client_zone").is_in(control)
        traffic = judged.traffic
        mail = judged.flow_minutes.filter(
            of_control & pl.col("decoded") & pl.col("service").is_in(MAIL_SERVICES) & ~pl.col("allowed")
        )
        asked = traffic.dns.with_columns(
            name="query",
            how=pl.lit("asks for the address of"),
            frame=pl.coalesce("request_frame", "response_frame"),
        )
        introduced = traffic.services.with_columns(name="host_name", how=pl.lit("asks the server itself for"))
        return pl.concat(
            [
                violating_conversations(site, mail, what="mail"),
                *(_named(rows.filter(of_control)) for rows in (asked, introduced)),
            ]
        )

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says which of the two it is."""
        return f"a use of {_kind(violation)} in a control zone"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The zone, and what was asked for."""
        return (
            f"Hosts of {zone_text(site, violation['client_zone'])} operate the plant, and {_kind(violation)} has no "
            f"place there. This one used it: {violation['examples'][0]['text']}."
        )


def _kind(violation: Mapping[str, Any]) -> str:
    return DOMAINS.get(violation["what"], "mail")


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with a `name` that is one of those, as violations."""
    rows = rows.with_columns(what=pl.col("name").str.to_lowercase().str.extract(PATTERN, 1)).filter(
        pl.col("what").is_not_null()
    )
    if rows.is_empty():
        return NO_VIOLATIONS
    return grouped(
        rows_of(rows, frame=pl.col("frame"), what=pl.col("what"), operation=pl.lit("name.ask")),
        lambda examples: examples.with_columns(text=pl.format("{} {}", "how", "name"), nearest=pl.lit("")),
    )
