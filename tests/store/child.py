"""What tests run in a process of its own: `python -m tests.store.child COMMAND ADDRESS …`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable

import pyarrow as pa

from store.client import Store, open_store
from store.errors import StoreError
from store.writer import ReplayWriter
from tests.store.samples import a_replay


def hold(address: str) -> None:
    """Open the store, say so, and keep it until standard input ends."""
    with open_store(address):
        print("open", flush=True)  # noqa: T201
        sys.stdin.read()


def kill_at(address: str, point: str) -> None:
    """Write the replay of `a_replay`, and die by SIGKILL right before or after the named statement."""
    when, _, word = point.partition(" ")
    with open_store(address) as store:
        _deadly(store, when, word)
        a_replay(ReplayWriter, store)
    raise SystemExit(f"the replay never came to {point}")


def fork(address: str) -> None:
    """Open the store, fork, and use it on both sides."""
    with open_store(address) as store:
        child = os.fork()
        if child == 0:
            try:
                store.rows("SELECT 1")
                print("the child read", flush=True)  # noqa: T201
            except StoreError as error:
                print(f"the child was told: {error}", flush=True)  # noqa: T201
            store.close()
            os._exit(0)
        os.waitpid(child, 0)
        print(f"the parent reads {store.one('SELECT 41 + 1')}", flush=True)  # noqa: T201


def _deadly(store: Store, when: str, word: str) -> None:
    insert, command = store.insert, store.command

    def around(named: bool, work: Callable[[], None]) -> None:
        if named and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        work()
        if named and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)

    def deadly_insert(table: str, rows: pa.Table, token: str) -> None:
        state = rows.column("state")[0].as_py() if table == "replays" else ""
        around(word in (table, f"{table}:{state}"), lambda: insert(table, rows, token))

    def deadly_command(sql: str, parameters: dict[str, object] | None = None) -> None:
        around(word in ("alerts", "done") and f"INSERT INTO {word}" in sql, lambda: command(sql, parameters))

    store.insert = deadly_insert  # type: ignore[method-assign]
    store.command = deadly_command  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    commands: dict[str, Callable[..., None]] = {"hold": hold, "kill_at": kill_at, "fork": fork}
    commands[sys.argv[1]](*sys.argv[2:])
