"""Which captures were judged, under which policy, and what came out: the auditor's questions."""

# ruff: noqa: S608 - every value is bound; only our own names are put into the text

from __future__ import annotations

from typing import Any, Final

from analyzers.findings import Finding
from policy.named_files import NamedFile
from store.answers import Replay, ReplayPage
from store.client import Store
from store.queries import cursor
from store.rows import moment
from store.writer import replay_id

PAGE_LIMIT: Final = 500

_COLUMNS: Final = (
    "id, site, capture_name, capture_sha256, capture_bytes, policy_name, policy_sha256, version, "
    # 'judged' is on its way to 'done' and has every row; a session, which has no file, is on its way until it ends
    "multiIf(state != 'judged', state, capture_bytes = 0, 'listening', 'done') AS shown_state, "
    "toUnixTimestamp64Nano(started_at) AS started_ns, toUnixTimestamp64Nano(ended_at) AS ended_ns, "
    "toUnixTimestamp64Nano(first_ts) AS first_ns, toUnixTimestamp64Nano(last_ts) AS last_ns, "
    "packets, malformed_packets, flows, transactions, findings, findings_sha256, coverage, reason, "
    "input_roles, input_names, input_sha256s"
)


def list_replays(store: Store, after: str = "", limit: int = 50) -> ReplayPage:
    """A page of replays, the latest started first. ValueError where `after` is no cursor."""
    where, bound = "1", dict[str, Any]()
    if after:
        started_ns, replay_id = cursor.decode(after, int, str)
        where = "(started_at, id) < (fromUnixTimestamp64Nano({after_ns:Int64}, 'UTC'), {after_id:String})"
        bound = {"after_ns": started_ns, "after_id": replay_id}
    wanted = max(1, min(limit, PAGE_LIMIT))
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM replays FINAL WHERE {where} "
        "ORDER BY replays.started_at DESC, id DESC LIMIT {wanted:UInt32}",
        bound | {"wanted": wanted + 1},
    ).to_pylist()
    page = rows[:wanted]
    more = len(rows) > wanted
    return ReplayPage(
        replays=tuple(_as_replay(row) for row in page),
        next=cursor.encode(page[-1]["started_ns"], page[-1]["id"]) if more else "",
    )


def get_replay(store: Store, id: str) -> Replay | None:  # noqa: A002 - the reader's word
    """One replay; None where none has the id."""
    rows = store.rows(
        f"SELECT {_COLUMNS} FROM replays FINAL WHERE id = {{id:String}}", {"id": id}
    ).to_pylist()
    return _as_replay(rows[0]) if rows else None


def findings(store: Store, replay_id: str) -> list[Finding]:
    """The findings of a replay in canonical order: their canonical lines have the replay's findings_sha256."""
    rows = store.rows(
        "SELECT finding FROM findings WHERE replay = {replay:String} AND replay IN "
        "(SELECT id FROM replays FINAL WHERE state IN ('judged', 'done')) ORDER BY first_ts, kind, id",
        {"replay": replay_id},
    )
    return [Finding.model_validate_json(line) for line in rows.column("finding").to_pylist()]


def policy_text(store: Store, sha256: str) -> str | None:
    """A policy as it was written; None where the store has none with this SHA-256."""
    rows = store.rows("SELECT text FROM policies FINAL WHERE sha256 = {sha256:String}", {"sha256": sha256})
    return str(rows.column("text")[0].as_py()) if rows.num_rows else None


def active_policies(store: Store) -> list[tuple[str, str, str]]:
    """Name, SHA-256 and text of the policy of each site's latest finished replay; the latest first."""
    rows = store.rows(
        "SELECT r.policy_name AS name, p.sha256 AS sha256, p.text AS text FROM "
        "(SELECT site, policy_name, policy_sha256, started_at, id FROM replays FINAL "
        "WHERE state IN ('judged', 'done') AND NOT has(input_roles, 'replay') "
        "ORDER BY started_at DESC, id DESC LIMIT 1 BY site) AS r "
        "INNER JOIN (SELECT sha256, text FROM policies FINAL) AS p ON p.sha256 = r.policy_sha256 "
        "ORDER BY r.started_at DESC, r.id DESC"
    ).to_pylist()
    return [(row["name"], row["sha256"], row["text"]) for row in rows]


def _as_replay(row: dict[str, Any]) -> Replay:
    started_at = moment(row["started_ns"])
    if started_at is None:
        raise ValueError("a replay has a start")
    named = zip(row["input_roles"], row["input_names"], row["input_sha256s"], strict=True)
    inputs = tuple(NamedFile(*file) for file in named)
    return Replay(
        id=row["id"],
        site=row["site"],
        capture_name=row["capture_name"],
        capture_sha256=row["capture_sha256"],
        capture_bytes=row["capture_bytes"],
        policy_name=row["policy_name"],
        policy_sha256=row["policy_sha256"],
        version=row["version"],
        state=row["shown_state"],
        started_at=started_at,
        ended_at=moment(row["ended_ns"]),
        first_ns=row["first_ns"],
        last_ns=row["last_ns"],
        packets=row["packets"],
        malformed_packets=row["malformed_packets"],
        flows=row["flows"],
        transactions=row["transactions"],
        findings=row["findings"],
        findings_sha256=row["findings_sha256"],
        coverage=row["coverage"],
        reason=row["reason"],
        inputs=inputs,
        # Of a replay by nothing else, capture, policy and version make the id.
        inputs_known=bool(inputs)
        or row["id"] == replay_id(row["capture_sha256"], row["policy_sha256"], row["version"]),
    )
