"""SEG-11: an allow-rule unused for longer than it says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.devices import NOBODY, of_device
from policy.judged import Judged
from policy.minutes import Minutes
from policy.violations import MINUTE_NS, VIOLATION, grouped, zone_text
from policy.zoning import CompiledSite

_MINUTES_A_DAY: Final = 1_440


class UnusedRule(CaptureCheck):
    """A rule that allows what has not been there for longer than the rule says.

    Reports
        A rule with `expect_used_days` that no conversation has matched in more days than that. Only minutes in
        which traffic of one of the conduit's two zones was seen count as observed: a day on which the sensor
        was blind is no day on which the rule was unused.

    Why it matters
        A permission that nobody uses is one that nobody misses when somebody else does. It is the cheapest one
        to take away.

    Example
        A rule for a commissioning engineer says that it is used every week; the project ended in spring.

    Do not be fooled by
        What is rare by nature: seasons, recovery from a disaster, the yearly calibration. Give such a rule more
        days, or none.
    """

    id = "SEG-11"
    title = "an allow-rule that is not used"
    base_severity = 1
    references = ("SR 5.2 RE1",)

    def watch(self, site: CompiledSite) -> Watch:
        """Which rules were used, and how long anything could have been seen."""
        return _Usage(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The rule, what it says of itself, and for how long its zones were seen."""
        rule, _, expected = violation["examples"][0]["nearest"].partition(": ")
        return (
            f"Rule {rule} of conduit {violation['conduit']} from {zone_text(site, violation['client_zone'])} to "
            f"{zone_text(site, violation['server_zone'])} says that it is used {expected}. It was not: "
            f"{violation['examples'][0]['text']}."
        )


class _Usage(Watch):
    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._used: set[int] = set()
        conduits = (
            site.conduits[one.conduit] for one in site.rules.rules if one.rule.expect_used_days is not None
        )
        #: In which minutes there was traffic of either of two zones.
        self._minutes = {frozenset((one.from_zone, one.to_zone)): Minutes() for one in conduits}
        self._first: tuple[int, int] | None = None

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        for verdict in judged.flow_minutes["verdict"].unique().drop_nulls():
            self._used.update(rule.number for rule in self._site.rules.verdicts[verdict].rules)
        flows = judged.traffic.flow_minutes
        if flows.is_empty():
            return
        minute = pl.col("minute").dt.epoch("ns") // MINUTE_NS
        seen = pl.concat(
            [flows.select(zone=f"{side}_zone", minute=minute) for side in ("client", "server")]
        ).unique()
        for zone, at in seen.iter_rows():
            for zones, minutes in self._minutes.items():
                if zone in zones:
                    minutes.add(at)
        found = (
            flows.select(pl.col("first_ts").dt.epoch("ns"), "first_frame")
            .sort("first_ts", "first_frame")
            .row(0)
        )
        self._first = found if self._first is None else min(self._first, found)

    def settle(self, before_ns: int) -> None:
        """Minutes before are only counted."""
        for minutes in self._minutes.values():
            minutes.settle(before_ns // MINUTE_NS)

    def violations(self) -> pl.DataFrame:
        """Rules that were expected, and did not come in all the minutes in which they could have been seen."""
        rows = []
        for compiled in self._site.rules.rules:
            rule, conduit = compiled.rule, self._site.conduits[compiled.conduit]
            if rule.expect_used_days is None or compiled.number in self._used or self._first is None:
                continue
            minutes = self._minutes[frozenset((conduit.from_zone, conduit.to_zone))]
            if minutes.last is None or minutes.count <= rule.expect_used_days * _MINUTES_A_DAY:
                continue
            days = minutes.count / _MINUTES_A_DAY
            often = "every day" if rule.expect_used_days == 1 else f"every {rule.expect_used_days} days"
            rows.append(
                {
                    "client_ip": NOBODY,
                    "server_ip": NOBODY,
                    "what": rule.id,
                    "client_zone": conduit.from_zone,
                    "server_zone": conduit.to_zone,
                    "conduit": conduit.id,
                    "operation": "rule.unused",
                    "ts_ns": self._first[0],
                    "last_ns": minutes.last * MINUTE_NS,
                    "frame": self._first[1],
                    "service": rule.service or "",
                    "text": f"no conversation matched it in {days:.1f} days with traffic of its zones",
                    "nearest": f"{rule.id}: {often}",
                }
            )
        if not rows:
            return pl.DataFrame(schema=VIOLATION)
        frame = pl.DataFrame(
            rows,
            schema_overrides={"client_ip": pl.Binary, "server_ip": pl.Binary, "frame": pl.UInt64},
        )
        return grouped(of_device(frame), lambda examples: examples)
