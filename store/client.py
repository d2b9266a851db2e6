"""One client for both engines: a folder (embedded ClickHouse) or a server, chosen by the address.

The only place that opens handles. Queries read through Arrow: it keeps nanoseconds, and a reply that was cut
short is an error there, not an empty answer. Importing this module loads no engine (337 MiB): opening does.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from store.address import DEFAULT_DATABASE, FolderAddress, ServerAddress, parse_address
from store.errors import StoreDenied, StoreError, StoreFull, StoreInUse, StoreUnreachable
from store.faults import Fault, classify
from store.folder import StoreFolder, full_disk
from store.handles import Handles

if TYPE_CHECKING:
    import pyarrow as pa
    from clickhouse_connect.driver.client import Client

#: Values that a query may be given; they are bound by the engine, never put into the SQL text.
Parameters = Mapping[str, Any]
_Result = TypeVar("_Result")

#: Waits before the second, third, … try of what failed for a passing reason.
_READ_WAITS_S: Final = (0.1, 0.4)
_INSERT_WAITS_S: Final = (0.1, 0.4, 1.6, 3.2)
#: A page that has waited this long is told, not kept waiting again.
_READ_RETRY_S: Final = 1.5
_QUIET: Final = logging.NullHandler()
#: A page's query that runs longer is stopped by the engine.
_READ_LIMIT_S: Final = 60
#: With less room than this an engine that does not open most likely has a full disk.
_TIGHT_BYTES: Final = 8 << 20

_SETTINGS: Final[dict[str, Any]] = {
    # an asynchronous insert answers before it is stored, and ignores tokens
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # one insert stays one block: a token covers all of it
    "max_insert_block_size": 1_048_449,
    "min_insert_block_size_rows": 1_048_449,
    "min_insert_block_size_bytes": 0,
    # the alert queue is read FINAL
    "use_skip_indexes_if_final": 1,
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for a server."""

    connect_s: int = 4
    first_answer_s: int = 5
    reply_s: int = 75


class Store:
    """An open store, usable from several threads. A context manager; `close` gives the folder back."""

    def __init__(
        self,
        address: FolderAddress | ServerAddress,
        make: Callable[[], Client],
        folder: StoreFolder | None,
        database: str,
    ) -> None:
        self.url = address.shown
        self.database = database
        #: One change of an alert or a replay at a time.
        self.change_lock = threading.RLock()
        self._password = address.password if isinstance(address, ServerAddress) else ""
        self._folder = folder
        self._handles = Handles(make)
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    @property
    def exclusive(self) -> bool:
        """True where no other process can have this store open: the embedded engine."""
        return self._folder is not None

    def rows(self, sql: str, parameters: Parameters | None = None) -> pa.Table:
        """Run a reading query; its rows as an Arrow table. Tried again when the reason may pass."""

        def read(client: Client) -> pa.Table:
            return client.query_arrow(
                sql, parameters=dict(parameters or {}), settings={"max_execution_time": _READ_LIMIT_S}
            )

        return self._run(read, _READ_WAITS_S)

    def one(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The single value of a query; None where it has no row or the value is null."""
        table = self.rows(sql, parameters)
        return table.column(0)[0].as_py() if table.num_rows else None

    def command(self, sql: str, parameters: Parameters | None = None) -> None:
        """Run a statement that is safe to run twice; tried again when the reason may pass."""
        self._run(lambda client: client.command(sql, parameters=dict(parameters or {})), _INSERT_WAITS_S)

    def insert(self, table: str, rows: pa.Table, token: str) -> None:
        """Insert the rows exactly once: however often it is sent, the same token is stored once.

        Fewer than 1,048,449 rows of one partition, else one insert is more than one block.
        """
        if rows.num_rows == 0:
            return
        settings = {"insert_deduplication_token": token}

        def write(client: Client) -> None:
            client.insert_arrow(table, rows, settings=settings)

        self._run(write, _INSERT_WAITS_S)

    def close(self) -> None:
        """Close every handle and give the folder back. A second call does nothing."""
        if os.getpid() != self._process:
            return  # the handles are the parent's: closing one here waits for threads that a fork leaves behind
        self._handles.close()
        if self._folder is not None:
            self._folder.release()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self, work: Callable[[Client], _Result], waits_s: tuple[float, ...]) -> _Result:
        if os.getpid() != self._process:
            raise StoreError(
                f"the store {self.url} was opened by process {self._process} and does not survive a fork: open it "
                "in the new process"
            )
        started = time.monotonic()
        for attempt in range(len(waits_s) + 1):
            try:
                with self._handles.handle() as client:
                    return work(client)
            except StoreError:
                raise
            except Exception as error:
                fault = classify(error)
                slow = waits_s is _READ_WAITS_S and time.monotonic() - started > _READ_RETRY_S
                if fault is not Fault.TRANSIENT or attempt == len(waits_s) or slow:
                    raise self._explained(error, fault) from error
                time.sleep(waits_s[attempt])
        raise AssertionError("the last attempt returns or raises")

    def _explained(self, error: Exception, fault: Fault) -> StoreError:
        if fault is Fault.FULL:
            if self._folder is not None:
                return full_disk(self._folder.path)
            return StoreFull(
                f"the disk of the store {self.url} is full: what was stored before is still there; free some "
                "space on the server and run the same command again"
            )
        return explain(self.url, self._password, error, fault)


def open_store(url: str | Path, *, patience: Patience | None = None, migrations: Path | None = None) -> Store:
    """Open (and make, or bring up to date) the store at a folder, `chdb:///folder` or `http(s)://…` URL.

    Raises StoreInUse, StoreUnreachable, StoreDenied, StoreFull, StoreTooNew or StoreError, with the repair.
    """
    from store.gathering import gather_alerts
    from store.migrate import FOLDER, migrate
    from store.queries.life import rebuild
    from store.recovery import finish_judged
    from store.refill import refill

    address = parse_address(url)
    if isinstance(address, FolderAddress):
        store = _open_folder(address)
    else:
        store = _open_server(address, patience or Patience())
    try:
        migrate(store, migrations or FOLDER)
        finish_judged(store)
        refill(store)
        rebuild(store)
        gather_alerts(store)
    except BaseException:
        store.close()
        raise
    return store


def _open_folder(address: FolderAddress) -> Store:
    folder = StoreFolder(address.path)

    def make(database: str | None = DEFAULT_DATABASE) -> Client:
        import clickhouse_connect

        return clickhouse_connect.get_client(
            interface="chdb",
            path=str(folder.data),
            chdb_options={"config-file": str(folder.engine_file)},
            database=database,
            settings=_SETTINGS,
        )

    # one handle stays open for as long as the store is: the engine ends with its last handle
    try:
        first = make(None)
    except Exception as error:
        tight = folder.free_bytes() < _TIGHT_BYTES
        folder.release()
        if tight or classify(error) is Fault.FULL:
            raise full_disk(address.path) from error
        if "already" in str(error) and "path" in str(error):
            raise StoreInUse(
                f"the store {address.path} cannot be opened while this process (pid {os.getpid()}) has another "
                "folder open: close that store first"
            ) from error
        raise StoreError(
            f"the embedded engine cannot open {folder.data}: another program may hold it ({folder.data}/status "
            f"names its pid), or its files are damaged ({error})"
        ) from error
    store = _FolderStore(address, make, folder, first)
    _create_database(store, first)
    return store


class _FolderStore(Store):
    """An embedded store, with the handle that keeps the engine alive."""

    def __init__(
        self, address: FolderAddress, make: Callable[[], Client], folder: StoreFolder, first: Client
    ) -> None:
        super().__init__(address, make, folder, DEFAULT_DATABASE)
        self._first: Client | None = first

    def close(self) -> None:
        """Close every handle, the engine with the last one, and give the folder back."""
        if os.getpid() == self._process and self._first is not None:
            self._handles.close()
            self._first.close()
            self._first = None
        super().close()


def _open_server(address: ServerAddress, patience: Patience) -> Store:
    def make(database: str | None = address.database, reply_s: int = patience.reply_s) -> Client:
        import clickhouse_connect
        from clickhouse_connect.driver.httpclient import HttpClient

        # its warnings come again as our errors; without a handler they would go to standard error as well
        logging.getLogger("clickhouse_connect").addHandler(_QUIET)
        client = clickhouse_connect.get_client(
            interface=address.scheme,
            host=address.host,
            port=address.port,
            username=address.user or None,
            password=address.password,
            database=database,
            settings=_SETTINGS,
            connect_timeout=patience.connect_s,
            send_receive_timeout=reply_s,
            query_retries=0,  # we retry ourselves, in one place
            autogenerate_session_id=False,  # a session admits one query at a time
            dedicated_pool=True,
        )
        if isinstance(client, HttpClient):
            client.http_retries = 0
        return client

    try:
        first = make(None, patience.first_answer_s)
    except Exception as error:
        raise explain(address.shown, address.password, error, classify(error)) from error
    store = Store(address, make, None, address.database)
    try:
        _create_database(store, first)
    finally:
        first.close()
    return store


def _create_database(store: Store, first: Client) -> None:
    # asked first: a user without the right to create databases can use one that is there
    try:
        known = first.query_arrow(
            "SELECT count() AS n FROM system.databases WHERE name = {name:String}",
            parameters={"name": store.database},
        )
        if not known.column(0)[0].as_py():
            first.command(
                "CREATE DATABASE IF NOT EXISTS {name:Identifier}", parameters={"name": store.database}
            )
    except Exception as error:
        store.close()
        raise store._explained(error, classify(error)) from error


def explain(url: str, password: str, error: Exception, fault: Fault) -> StoreError:
    """The StoreError for what went wrong with the server (or engine) at `url`; the password is taken out."""
    text = str(error).strip() or type(error).__name__
    if password:
        text = text.replace(password, "***")
    if fault is Fault.DENIED:
        return StoreDenied(f"the store {url} refuses us: check user, password and the user's rights ({text})")
    if fault is Fault.TRANSIENT:
        return StoreUnreachable(
            f"the store {url} does not answer: check that the server runs and that host and port are right ({text})"
        )
    return StoreError(f"the store {url} could not do it: {text}")
