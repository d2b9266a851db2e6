"""The stored tables: declared columns in, DDL out.

Columns come from the declarations of `sensors.records`, `analyzers.measurements` and, for what only the store
knows, from here. `python -m store.schema` prints the DDL; a table that changes needs a new migration, and a test
compares what all migrations make with what is declared.

Keys: the primary key ends before the time and the order key ends with it. With both the hour and the time in the
primary key, time ranges stop pruning (3,668 granules read where 147 do). Facts are partitioned by replay: a half
written one is dropped whole, an insert never spans partitions, and no time limit deletes an old capture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from analyzers.measurements import SLA_MINUTES
from sensors.records import (
    ANOMALIES,
    COVERAGE,
    DNS,
    FLOWS,
    HTTP,
    MODBUS,
    MQTT,
    OBSERVATIONS,
    OPCUA,
    OPERATIONS,
    SERVICES,
    Column,
    Kind,
    Table,
)

#: In front of every fact row.
FACT_COLUMNS: Final = (
    Column("site", Kind.LABEL, "the site of the policy it was judged under"),
    Column("replay", Kind.LABEL, "the replay that wrote the row"),
)

FINDINGS: Final = Table(
    "findings",
    "One row a finding of a replay: immutable.",
    (
        Column("id", Kind.TEXT, "the finding's stable id"),
        Column("first_ts", Kind.TIMESTAMP, "first packet of it", "ns"),
        Column("last_ts", Kind.TIMESTAMP, "last packet of it", "ns"),
        Column("kind", Kind.LABEL, "the check's or detection's id"),
        Column("title", Kind.TEXT, "finishes 'the network shows…'"),
        Column("severity", Kind.UINT8, "1 info to 5 critical"),
        Column("confidence", Kind.LABEL, "high, medium or low"),
        Column("src_zone", Kind.LABEL, "zone of the client, empty where it is in none"),
        Column("dst_zone", Kind.LABEL, "zone of the server, empty where it is in none"),
        Column("src_ip", Kind.TEXT, "who did it"),
        Column("dst_ip", Kind.TEXT, "to whom"),
        Column("dst_port", Kind.UINT16, "port of the service"),
        Column("service", Kind.LABEL, "application protocol, empty where unknown"),
        Column("conduit", Kind.LABEL, "the conduit it went through, empty where there is none"),
        Column("techniques", Kind.TEXT_LIST, "ATT&CK for ICS technique ids"),
        Column("count", Kind.UINT64, "how many times, within the finding's window"),
        Column("search_text", Kind.TEXT, "what the search looks through: lower case"),
        Column("finding", Kind.TEXT, "the finding whole, as its canonical JSON line"),
    ),
    stored=True,
)

#: Where an alert's life has got to; what a list shows of its finding stands beside it, so that no list joins.
ALERTS: Final = Table(
    "alerts",
    "The latest row of an alert (highest seq) is its state; finding_events is the truth it is made from.",
    (
        *(column for column in FINDINGS.columns if column.name != "finding"),
        Column("site", Kind.LABEL, "the site of the finding"),
        Column("seq", Kind.UINT32, "the alert's latest event; 0 as detected"),
        Column("state", Kind.LABEL, "new, acknowledged, assigned, closed or suppressed"),
        Column("assignee", Kind.TEXT, "who has it, empty where nobody"),
        Column("detected_at", Kind.TIMESTAMP, "when the finding was first stored: a clock's time", "ns"),
        Column("decided_at", Kind.TIMESTAMP, "when somebody first acted on it", "ns", nullable=True),
    ),
    stored=True,
)

FINDING_EVENTS: Final = Table(
    "finding_events",
    "One row a step of an alert's life: only ever added.",
    (
        Column("id", Kind.TEXT, "the alert: its finding's id"),
        Column("seq", Kind.UINT32, "1, 2, 3 … within the alert, each once"),
        Column("at", Kind.TIMESTAMP, "when: a clock's time", "ns"),
        Column("actor", Kind.TEXT, "who"),
        Column("action", Kind.LABEL, "acknowledge, assign, close or reopen"),
        Column("from_state", Kind.LABEL, "state before"),
        Column("to_state", Kind.LABEL, "state after"),
        Column("assignee", Kind.TEXT, "who has it afterwards"),
        Column("note", Kind.TEXT, "why"),
        Column("request", Kind.TEXT, "which request wrote the row: tells two racing ones apart"),
    ),
    stored=True,
)

#: The schema version from which on alerts are gathered into incidents.
INCIDENTS_SINCE: Final = 6

#: Saved, not worked out anew for each reader: a page of incidents then reads what it shows.
INCIDENT_MEMBERS: Final = Table(
    "incident_members",
    "The latest row of an alert (highest seq) says to which incident it belongs.",
    (
        Column("id", Kind.TEXT, "the alert: its finding's id"),
        Column("incident", Kind.TEXT, "the incident: the id of its first finding"),
        Column("seq", Kind.UINT32, "1, and one more whenever two incidents turn out to be one"),
    ),
    stored=True,
)

REPLAYS: Final = Table(
    "replays",
    "The latest row of a replay (highest step) is its state.",
    (
        Column("id", Kind.TEXT, "made from capture, policy and version"),
        Column("step", Kind.UINT64, "grows with every row of the replay"),
        Column("attempt", Kind.TEXT, "which run of ours wrote the row"),
        Column("state", Kind.LABEL, "running, judged (all rows stored), done (its alerts too) or failed"),
        Column("site", Kind.LABEL, "the policy's site"),
        Column("capture_name", Kind.TEXT, "file name of the capture"),
        Column("capture_sha256", Kind.TEXT, "its SHA-256"),
        Column("capture_bytes", Kind.UINT64, "its length", "byte"),
        Column("policy_name", Kind.TEXT, "file name of the policy"),
        Column("policy_sha256", Kind.TEXT, "its SHA-256"),
        Column("version", Kind.LABEL, "the version of Geophone that judged"),
        Column("started_at", Kind.TIMESTAMP, "a clock's time", "ns"),
        Column("ended_at", Kind.TIMESTAMP, "a clock's time", "ns", nullable=True),
        Column("first_ts", Kind.TIMESTAMP, "first packet of the capture", "ns"),
        Column("last_ts", Kind.TIMESTAMP, "last packet of the capture", "ns"),
        Column("packets", Kind.UINT64, "packets read"),
        Column("malformed_packets", Kind.UINT64, "packets whose headers contradict themselves"),
        Column("flows", Kind.UINT64, "flows seen"),
        Column("transactions", Kind.UINT64, "transactions seen"),
        Column("findings", Kind.UINT64, "findings made"),
        Column("findings_sha256", Kind.TEXT, "SHA-256 of the canonical findings file"),
        Column("coverage", Kind.FLOAT64, "0 to 1", nullable=True),
        Column("reason", Kind.TEXT, "why it failed"),
        Column("baseline_sha256", Kind.TEXT, "the baseline it was compared with; empty: none from outside"),
        Column(
            "input_roles",
            Kind.TEXT_LIST,
            "the files that it was judged by beside capture and policy: baseline, approvals, gateway_log, rules (a "
            "folder), rule (a file of it), indicators",
        ),
        Column("input_names", Kind.TEXT_LIST, "their names, in step with their roles"),
        Column("input_sha256s", Kind.TEXT_LIST, "their SHA-256, in step with their roles"),
    ),
    stored=True,
)

POLICIES: Final = Table(
    "policies",
    "Every policy a replay was judged under, as it was written.",
    (
        Column("sha256", Kind.TEXT, "of the text"),
        Column("name", Kind.TEXT, "file name"),
        Column("text", Kind.TEXT, "the policy itself"),
        Column("stored_at", Kind.TIMESTAMP, "a clock's time", "ns"),
    ),
    stored=True,
)

BASELINES: Final = Table(
    "baselines",
    "Every baseline that was kept, as its file has it; the latest of a site is what it is compared with.",
    (
        Column("site", Kind.LABEL, "whose"),
        Column("sha256", Kind.TEXT, "of the text: what findings name"),
        Column("text", Kind.TEXT, "the baseline itself"),
        Column("stored_at", Kind.TIMESTAMP, "a clock's time", "ns"),
    ),
    stored=True,
)


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A declared table, and how ClickHouse keeps it. Key columns are expressions of SQL."""

    table: Table
    engine: str
    #: what the index holds; the order key is this and `order_rest`
    primary_key: tuple[str, ...]
    order_rest: tuple[str, ...] = ()
    fact: bool = False
    indexes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns: a fact's site and replay, then the declared ones."""
        return (*FACT_COLUMNS, *self.table.columns) if self.fact else self.table.columns

    def ddl(self) -> str:
        """The CREATE TABLE statement; running it twice does no harm."""
        inside = [f"    `{column.name}` {column.clickhouse}{_codec(column)}" for column in self.columns]
        inside += [f"    INDEX {index}" for index in self.indexes]
        lines = [f"CREATE TABLE IF NOT EXISTS {self.table.name}", "(", ",\n".join(inside), ")"]
        lines.append(f"ENGINE = {self.engine}")
        if self.fact:
            lines.append("PARTITION BY replay")
        lines.append(f"PRIMARY KEY ({', '.join(self.primary_key)})")
        lines.append(f"ORDER BY ({', '.join((*self.primary_key, *self.order_rest))})")
        lines.append(f"SETTINGS {', '.join((*DURABLE, *self.settings))}")
        return "\n".join(lines)


#: Together these keep every acknowledged row through a power cut; the engine's defaults lose the last seconds.
DURABLE: Final = (
    "fsync_after_insert = 1",
    "fsync_part_directory = 1",
    "min_rows_to_fsync_after_merge = 1",
    "old_parts_lifetime = 480",
    "non_replicated_deduplication_window = 10000",
    "default_compression_codec = 'ZSTD(1)'",
)


def _codec(column: Column) -> str:
    # Delta before ZSTD: 3.7 bytes a time, DoubleDelta 4.9
    return " CODEC(Delta, ZSTD(1))" if column.kind is Kind.TIMESTAMP and not column.nullable else ""


_ENDPOINT_INDEXES: Final = (
    "by_client client_ip TYPE bloom_filter(0.01) GRANULARITY 1",
    "by_server server_ip TYPE bloom_filter(0.01) GRANULARITY 1",
)


def _talk(table: Table) -> StoredTable:
    """A table of who said what to whom: looked up by time and by either end."""
    return StoredTable(
        table,
        "MergeTree",
        ("site", "toStartOfHour(ts)", "server_ip", "client_ip"),
        ("ts",),
        fact=True,
        indexes=_ENDPOINT_INDEXES,
    )


STORED_TABLES: Final = (
    _talk(FLOWS),
    _talk(MODBUS),
    _talk(OPCUA),
    _talk(MQTT),
    _talk(SERVICES),
    _talk(HTTP),
    _talk(OPERATIONS),
    _talk(DNS),
    StoredTable(OBSERVATIONS, "MergeTree", ("site", "toStartOfHour(ts)", "ip", "mac"), ("ts",), fact=True),
    StoredTable(ANOMALIES, "MergeTree", ("site", "toStartOfHour(ts)", "layer", "kind"), ("ts",), fact=True),
    StoredTable(
        COVERAGE, "MergeTree", ("site", "toStartOfHour(minute)"), ("interface_id", "minute"), fact=True
    ),
    StoredTable(
        SLA_MINUTES,
        "MergeTree",
        ("site", "toStartOfHour(minute)", "from_zone", "to_zone"),
        ("client_ip", "server_ip", "server_port", "minute"),
        fact=True,
    ),
    StoredTable(
        FINDINGS,
        "MergeTree",
        ("site", "first_ts", "id"),
        fact=True,
        indexes=("by_id id TYPE bloom_filter(0.001) GRANULARITY 1",),
    ),
    StoredTable(
        ALERTS,
        "ReplacingMergeTree(seq)",
        ("first_ts", "id"),
        indexes=("by_id id TYPE bloom_filter(0.001) GRANULARITY 1",),
        # a page of the queue is 50 rows: small granules
        settings=("index_granularity = 1024",),
    ),
    StoredTable(FINDING_EVENTS, "MergeTree", ("id", "seq")),
    StoredTable(
        INCIDENT_MEMBERS,
        "ReplacingMergeTree(seq)",
        ("id",),
        indexes=("by_incident incident TYPE bloom_filter(0.001) GRANULARITY 1",),
        settings=("index_granularity = 1024",),
    ),
    StoredTable(REPLAYS, "ReplacingMergeTree(step)", ("id",)),
    StoredTable(POLICIES, "ReplacingMergeTree(stored_at)", ("sha256",)),
    StoredTable(BASELINES, "ReplacingMergeTree(stored_at)", ("site", "sha256")),
)

_BY_NAME: Final = {stored.table.name: stored for stored in STORED_TABLES}

#: The tables that a replay's rows are written to, and dropped from.
FACT_TABLES: Final = tuple(stored.table.name for stored in STORED_TABLES if stored.fact)


def stored_table(name: str) -> StoredTable:
    """The stored table of that name; KeyError where there is none."""
    return _BY_NAME[name]


def ddl() -> str:
    """The DDL of every stored table and roll-up, as one migration file holds it."""
    from store.rollups import ROLLUPS

    made = [*(stored.ddl() for stored in STORED_TABLES), *(rollup.ddl() for rollup in ROLLUPS)]
    return "".join(f"{text};\n\n" for text in made).rstrip("\n") + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write("-- The stored tables: printed by `python -m store.schema`.\n\n" + ddl())
