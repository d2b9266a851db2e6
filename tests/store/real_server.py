"""A real ClickHouse server on loopback for tests: the fetched library, run in a process of its own."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType

from tests.store.fetch_server import LIBRARY

USER = "geophone"
PASSWORD = "s3cret/of@the:mine"  # noqa: S105 - of a server that lives as long as a test

#: A user with a password, beside the default one without: what a real installation has.
_CONFIG = """<clickhouse>
    <logger><level>none</level></logger>
    <users_config>@USERS@</users_config>
    <max_server_memory_usage>2000000000</max_server_memory_usage>
    <mark_cache_size>67108864</mark_cache_size>
    <background_pool_size>2</background_pool_size>
</clickhouse>
"""
_USERS = f"""<clickhouse>
    <profiles><default/></profiles>
    <quotas><default/></quotas>
    <users>
        <default><password/><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota>
            <access_management>1</access_management></default>
        <{USER}><password>{PASSWORD}</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile>
            <quota>default</quota></{USER}>
    </users>
</clickhouse>
"""
#: Two listeners, then a query that never ends: a current server, which dies with the process that started it.
_SERVE = (
    "SYSTEM START LISTEN HTTP; "
    "SELECT sleepEachRow(1) FROM numbers(1000000000) "
    "SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null"
)


class RealServer:
    """One server with its data in a folder; `port` is its HTTP port. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "geophone", user: str = "", password: str = "", port: int = 0) -> str:
        """The address for `open_store`; `port` goes through a proxy."""
        login = f"{user}:{password}@" if user else ""
        return f"http://{login}127.0.0.1:{port or self.port}/{database}"

    def start(self, within_s: float = 60.0) -> RealServer:
        """Start, and wait until it answers. RuntimeError with what it said where it does not."""
        self.folder.mkdir(parents=True, exist_ok=True)
        users, config = self.folder / "users.xml", self.folder / "config.xml"
        users.write_text(_USERS)
        config.write_text(_CONFIG.replace("@USERS@", str(users)))
        said = self.folder / "said.txt"
        arguments = [
            f"--path={self.folder / 'data'}",
            f"--config-file={config}",
            "--listen_host=127.0.0.1",
            f"--http_port={self.port}",
            f"--query={_SERVE}",
        ]
        with said.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _CHILD, str(LIBRARY), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        until = time.monotonic() + within_s
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                self.stop()
                raise RuntimeError(f"the server did not start: {said.read_text(errors='replace')[-2000:]}")
            time.sleep(0.05)
        return self

    def stop(self, signal_number: int = signal.SIGKILL) -> None:
        """End the server; SIGKILL is a crash, and it has to survive that."""
        if self._process is not None:
            self._process.send_signal(signal_number)
            self._process.wait(30)
            self._process = None

    def __enter__(self) -> RealServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def drop(self, database: str) -> None:
        """Drop a database, where there is one: the memory of hundreds of tests' tables is the server's limit."""
        statement = f"DROP DATABASE IF EXISTS `{database}` SYNC".encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", data=statement, timeout=30) as reply:
            reply.read()

    @property
    def is_running(self) -> bool:
        """True between `start` and `stop`."""
        return self._process is not None and self._process.poll() is None

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ping", timeout=1) as reply:
                return bool(reply.read() == b"Ok.\n")
        except (urllib.error.URLError, OSError):
            return False


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# the child asks the kernel to end it with its parent: no test run leaves a server behind
_CHILD = """
import ctypes, sys
ctypes.CDLL(None).prctl(1, 9)
serve = ctypes.CDLL(sys.argv[1]).chdb_query_cmdline
serve.restype = ctypes.c_void_p
serve.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]
words = [word.encode() for word in ["clickhouse", *sys.argv[2:]]]
serve(len(words), (ctypes.c_char_p * len(words))(*words))
"""
