"""Roll-ups of `sla_minutes`: what a page over a month reads instead of every minute of every conversation.

The engine adds to them whatever is inserted into `sla_minutes` (a materialized view each), with the same token: what
is inserted twice is added once. Rows are sums and mergeable histograms, so that rows of one key may be added at any
time, by the engine's merges or by a query: late minutes change nothing but the sum. What is declared here follows
from the columns of SLA_MINUTES; `python -m store.schema` prints the DDL.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analyzers.measurements import SLA_MINUTES
from sensors.records import Column, Kind

_NS_PER_S: Final = 1_000_000_000
_SUM: Final = "SimpleAggregateFunction(sum, UInt64)"
_MOST: Final = "SimpleAggregateFunction(max, UInt64)"
_MAP: Final = "SimpleAggregateFunction(sumMap, Tuple(Array(Int16), Array(UInt64)))"
_FIRST: Final = "SimpleAggregateFunction(min, Tuple(DateTime64(9, 'UTC'), UInt64))"
_LAST: Final = "SimpleAggregateFunction(max, DateTime64(9, 'UTC'))"
_SEEN: Final = "SimpleAggregateFunction(groupBitOr, UInt64)"

#: Which of its hour a minute is, as one bit of 60: sets of minutes are added with OR.
MINUTE_BIT: Final = (
    "bitShiftLeft(toUInt64(1), toUInt8(intDiv(positiveModulo(toUnixTimestamp64Nano(m.minute), 3600000000000), "
    "60000000000)))"
)
#: What tells minutes apart that are not judged alike: part of every key.
_TOLD_APART: Final = ("valid", "exclusion", "one_sided")


@dataclass(frozen=True, slots=True)
class RolledColumn:
    """One column: its type, what makes it of rows `m` of sla_minutes, and the columns that a query reads.

    `read` maps the name of a column of sla_minutes to what stands for it in a row of the roll-up and in one minute.
    """

    name: str
    clickhouse: str
    made: str
    read: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Rollup:
    """Sums of sla_minutes by a step of time and some of its columns."""

    name: str
    step_s: int
    dimensions: tuple[str, ...]
    #: rows of the hour know which of its minutes were seen
    with_minutes: bool = False
    #: the migration that made it
    since: int = 4

    @property
    def key(self) -> tuple[str, ...]:
        """What rows are added by, beside their site, replay and start."""
        return (*self.dimensions, *_TOLD_APART)

    @property
    def sums(self) -> tuple[str, ...]:
        """What is added up, in the order that `select` gives it after the key."""
        return tuple(column.name for column in self.columns if column.name not in self.key)

    @property
    def columns(self) -> tuple[RolledColumn, ...]:
        """Every column but `site`, `replay` and `start`: the key, then the sums."""
        found = [_key_column(column) for column in SLA_MINUTES.columns if column.name in self.key]
        found.append(RolledColumn("minutes", _SUM, "count()", (("minutes", "minutes", "toUInt64(1)"),)))
        if self.with_minutes:
            found.append(
                RolledColumn("seen", _SEEN, f"groupBitOr({MINUTE_BIT})", (("seen", "seen", MINUTE_BIT),))
            )
        found.append(
            RolledColumn(
                "first",
                _FIRST,
                "min((m.first_ts, m.first_frame))",
                (("first_ts", "first.1", "m.first_ts"), ("first_frame", "first.2", "m.first_frame")),
            )
        )
        found.append(RolledColumn("last_ts", _LAST, "max(m.last_ts)", (("last_ts", "last_ts", "m.last_ts"),)))
        for column in SLA_MINUTES.columns:
            found += _summed_column(column)
        return tuple(found)

    def ddl(self) -> str:
        """The table and the view that fills it; running them twice does no harm."""
        from store.schema import DURABLE

        kept = ["`site` LowCardinality(String)", "`replay` LowCardinality(String)"]
        kept.append("`start` DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1))")
        kept += [f"`{column.name}` {column.clickhouse}" for column in self.columns]
        inside = ",\n".join(f"    {line}" for line in kept)
        order = ", ".join(("site", "start", *self.key, "replay"))
        return (
            f"CREATE TABLE IF NOT EXISTS {self.name}\n(\n{inside}\n)\n"
            "ENGINE = AggregatingMergeTree\nPARTITION BY replay\n"
            f"ORDER BY ({order})\nSETTINGS {', '.join(DURABLE)};\n\n"
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {self.name}_of_minutes TO {self.name} AS\n{self.select()}"
        )

    def select(self, where: str = "") -> str:
        """The rows of the roll-up, made of rows of sla_minutes."""
        names = ", ".join(self.key)
        made = ",\n    ".join(
            f"{column.made} AS {column.name}" for column in self.columns if column.name not in self.key
        )
        keys = ", ".join(f"m.{name} AS {name}" for name in self.key)
        condition = f"\nWHERE {where}" if where else ""
        return (
            f"SELECT\n    m.site AS site, m.replay AS replay,\n    {self.start('m.minute')} AS start,\n    {keys},\n"
            f"    {made}\nFROM sla_minutes AS m{condition}\nGROUP BY site, replay, start, {names}"
        )

    def start(self, moment: str) -> str:
        """The start of the step that a time is in; whole for times before 1970 too."""
        step_ns = self.step_s * _NS_PER_S
        at = f"toUnixTimestamp64Nano({moment})"
        return f"fromUnixTimestamp64Nano({at} - toInt64(positiveModulo({at}, {step_ns})), 'UTC')"


def _key_column(column: Column) -> RolledColumn:
    return RolledColumn(
        column.name, column.clickhouse, column.name, ((column.name, column.name, f"m.{column.name}"),)
    )


def _summed_column(column: Column) -> list[RolledColumn]:
    """A count as its sum, a minimum as the least, a histogram as one column of both; no other columns."""
    name = column.name
    if column.kind is Kind.UINT64 and column.nullable:
        kind = "SimpleAggregateFunction(min, Nullable(UInt64))"
        return [RolledColumn(name, kind, f"min(m.{name})", ((name, name, f"m.{name}"),))]
    if column.kind is Kind.UINT64 and name != "first_frame":
        return [RolledColumn(name, _SUM, f"sum(m.{name})", ((name, name, f"m.{name}"),))]
    if column.kind is Kind.INT16_LIST:
        what = name.removesuffix("_buckets")
        made = f"sumMap(m.{what}_buckets, m.{what}_counts)"
        read = tuple(
            (f"{what}_{part}", f"{what}.{n}", f"m.{what}_{part}")
            for n, part in ((1, "buckets"), (2, "counts"))
        )
        return [RolledColumn(what, _MAP, made, read)]
    return []


@dataclass(frozen=True, slots=True)
class Course(Rollup):
    """What of a minute an alert of a budget needs: slots, and how many of one conversation were bad in a row."""

    @property
    def columns(self) -> tuple[RolledColumn, ...]:
        """The key, then the counts: a row for all conversations of a minute."""
        key = (_key_column(column) for column in SLA_MINUTES.columns if column.name in self.key)
        slots = "m.transactions + m.missed"
        return (
            *key,
            RolledColumn("minutes", _SUM, "count()", ()),
            RolledColumn("packets", _SUM, "sum(m.packets)", ()),
            RolledColumn("slots", _SUM, f"sum({slots})", ()),
            RolledColumn("good", _SUM, "sum(m.good)", ()),
            # `burn.least_run`: of one conversation, so it is taken before anything is added
            RolledColumn("run", _MOST, f"max(intDiv({slots}, greatest(m.good + 1, 1)))", ()),
            RolledColumn("one_sided_requests", _SUM, "sum(m.not_measurable_one_sided)", ()),
        )


#: Zones and conduits by the hour: figures of a scope over any time.
SLA_HOURS: Final = Rollup("sla_hours", 3600, ("from_zone", "to_zone", "conduit"), with_minutes=True)
#: Conversations by the day: which of them is the worst.
SLA_DAYS: Final = Rollup(
    "sla_days",
    86_400,
    ("from_zone", "to_zone", "conduit", "client_ip", "server_ip", "server_port", "ip_proto", "service"),
)
#: Zones and conduits by the minute: the course of a report's slots, whose burn rates look at single minutes.
SLA_COURSE: Final = Course("sla_course", 60, ("from_zone", "to_zone", "conduit"), since=7)
ROLLUPS: Final = (SLA_HOURS, SLA_DAYS, SLA_COURSE)
