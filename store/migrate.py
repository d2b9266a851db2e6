"""Numbered migrations: each statement runs once, is recorded with its SHA-256, and may be run again after a crash.

A migration is a file `NNNN_name.sql` of statements, each ended by a semicolon at the end of a line and each safe
to run twice (IF NOT EXISTS, IF EXISTS). A statement is recorded after it ran (those of a new store together, after
the last); what was interrupted goes on at the first statement that is not recorded. A schema that is newer than the
software, or whose recorded statements differ from the files, is refused: neither is ours to guess at.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from store.errors import StoreTooNew

if TYPE_CHECKING:
    from store.client import Store

FOLDER: Final = Path(__file__).parent / "migrations"

_LEDGER: Final = """
CREATE TABLE IF NOT EXISTS schema_migrations
(
    version UInt32,
    step UInt32,
    sha256 String,
    statement String,
    applied_at DateTime64(9, 'UTC')
)
ENGINE = MergeTree
ORDER BY (version, step)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1,
    old_parts_lifetime = 480, non_replicated_deduplication_window = 10000
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a migration file; steps count from 1."""

    version: int
    step: int
    sql: str

    @property
    def sha256(self) -> str:
        """Of the statement's text, without comments and outer space."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def read_migrations(folder: Path) -> list[Statement]:
    """Every statement of the folder's migrations, in order. ValueError where the numbering has a hole or a twin."""
    statements: list[Statement] = []
    for position, path in enumerate(sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")), start=1):
        version = int(path.name[:4])
        if version != position:
            raise ValueError(
                f"{path}: migrations are numbered 0001, 0002, … without a hole; expected {position:04d}"
            )
        text = re.sub(r"^\s*--.*\n?", "", path.read_text(), flags=re.MULTILINE)
        parts = [part.strip() for part in re.split(r";[ \t]*(?:\n|\Z)", text)]
        statements += [Statement(version, step, sql) for step, sql in enumerate(filter(None, parts), start=1)]
    return statements


def schema_version(store: Store) -> int:
    """The newest migration that the store has."""
    return int(store.one("SELECT max(version) AS version FROM schema_migrations") or 0)


def migrate(store: Store, folder: Path = FOLDER) -> int:
    """Bring the store up to date; how many statements ran. StoreTooNew where it is newer, or not what we know."""
    statements = read_migrations(folder)
    store.command(_LEDGER)
    applied = _applied(store)
    _refuse_strangers(store.url, statements, applied)
    missing = [one for one in statements if (one.version, one.step) not in applied]
    # A new store has no row that a statement could move twice: its statements are recorded together, which takes half
    # the time; a crash before runs them all again.
    together = not applied
    ran: list[tuple[Statement, int]] = []
    try:
        for statement in missing:
            store.command(statement.sql)
            ran.append((statement, time.time_ns()))
            if not together:
                _record(store, [ran.pop()])
    finally:
        _record(store, ran)
    return len(missing)


def _record(store: Store, ran: list[tuple[Statement, int]]) -> None:
    """Write statements that ran, each with its time, into the ledger."""
    import pyarrow as pa

    if not ran:
        return
    rows = {
        "version": pa.array([statement.version for statement, _ in ran], pa.uint32()),
        "step": pa.array([statement.step for statement, _ in ran], pa.uint32()),
        "sha256": [statement.sha256 for statement, _ in ran],
        "statement": [statement.sql for statement, _ in ran],
        "applied_at": pa.array([at_ns for _, at_ns in ran], pa.timestamp("ns", tz="UTC")),
    }
    # the token lets two processes that migrate one server at once record each statement once
    first, last = ran[0][0], ran[-1][0]
    token = f"migration:{first.version}:{first.step}"
    if first is not last:
        token += f"-{last.version}:{last.step}"
    store.insert("schema_migrations", pa.table(rows), token)


def _applied(store: Store) -> dict[tuple[int, int], str]:
    rows = store.rows(
        "SELECT version, step, sha256 FROM schema_migrations ORDER BY version, step"
    ).to_pylist()
    return {(row["version"], row["step"]): row["sha256"] for row in rows}


def _refuse_strangers(url: str, statements: list[Statement], applied: dict[tuple[int, int], str]) -> None:
    known = {(statement.version, statement.step): statement.sha256 for statement in statements}
    newest = max((version for version, _ in known), default=0)
    for (version, step), sha256 in applied.items():
        if version > newest:
            raise StoreTooNew(
                f"the store {url} has schema version {version}, this software knows {newest}: use the newer "
                "Geophone that made it, or another store"
            )
        if known.get((version, step)) != sha256:
            raise StoreTooNew(
                f"the store {url} was made by another build: statement {step} of migration {version} differs from "
                "this software's; use the Geophone that made it, or another store"
            )
