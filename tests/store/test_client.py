from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from store.client import Patience, Store, open_store
from store.errors import StoreDenied, StoreError, StoreFull, StoreInUse, StoreUnreachable
from store.writer import ReplayWriter
from tests.store.faulty_network import Fault, FaultyNetwork
from tests.store.real_server import PASSWORD, USER, RealServer, free_port
from tests.store.samples import A_REPLAY_COUNTS, a_replay, minutes, outcome, replay_start, row_counts

#: Never written out where a traceback would quote the line.
SECRET = "hunter" + "2"
QUICK = Patience(connect_s=1, first_answer_s=1, reply_s=2)
#: With a server that works, but for what the test breaks: it makes a database first, on a machine that may be busy.
SOON = Patience(reply_s=5)


def test_importing_the_store_loads_no_engine() -> None:
    # the engine is 337 MiB: `geophone policy check` must not pay for it
    code = "import store.client, store.writer, store.queries.sla, sys; print('chdb' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )


def test_what_was_stored_is_there_after_closing_and_opening(address: str) -> None:
    with open_store(address) as store:
        a_replay(ReplayWriter, store)
    with open_store(address) as store:
        assert row_counts(store) == A_REPLAY_COUNTS


def test_makes_a_folder_that_does_not_exist_for_its_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "new folder" / "größer?x=1"
    with open_store(folder) as store:
        assert store.url == f"chdb://{folder}"
    assert folder.stat().st_mode & 0o077 == 0


def test_closing_twice_does_no_harm_and_a_closed_store_says_so(store: Store) -> None:
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.rows("SELECT 1")


# --- handles -----------------------------------------------------------------------------------------------


def test_a_failed_query_leaves_no_wrong_rows_behind(store: Store) -> None:
    # the failing query has put out rows before it fails: an engine handle that is used again can return them
    wrong: list[object] = []
    failures = [0]

    def read(seed: int) -> None:
        for number in range(12):
            if number % 3 == 0:
                try:
                    store.rows(
                        "SELECT throwIf(number = 90000) AS n FROM numbers(99000) SETTINGS max_block_size = 1000"
                    )
                except StoreError:
                    failures[0] += 1
            expected = seed * 1000 + number
            got = store.rows("SELECT {x:UInt64} AS x, 'ok' AS y", {"x": expected}).to_pylist()
            if got != [{"x": expected, "y": "ok"}]:
                wrong.append(got)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures[0] == 4 * 4
    assert wrong == []


def test_a_query_that_is_wrong_says_what_is_wrong_and_the_store_goes_on(store: Store) -> None:
    with pytest.raises(StoreError, match="no_such_table"):
        store.rows("SELECT * FROM no_such_table")
    assert store.one("SELECT 7") == 7


@pytest.mark.parametrize(
    "value",
    ["x'; DROP TABLE alerts; --", 'quote " \\ back', "tab\tline\nnul\0", "{x:String} %s \\N", "\U0001f600"],
)
def test_values_are_bound_and_never_run(store: Store, value: str) -> None:
    row = store.rows(
        "SELECT {x:String} AS x, {l:Array(String)} AS l", {"x": value, "l": [value, value]}
    ).to_pylist()
    assert row == [{"x": value, "l": [value, value]}]
    assert store.one("SELECT count() AS n FROM alerts") == 0


def test_nothing_can_be_forked_into_another_process(tmp_path: Path) -> None:
    done = run_child("fork", tmp_path / "store")
    assert "the child was told" in done.stdout
    assert "does not survive a fork" in done.stdout
    assert "the parent reads 42" in done.stdout


def run_child(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "tests.store.child", command, str(folder)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=60)


# --- folders -----------------------------------------------------------------------------------------------


def test_a_folder_in_use_names_the_process_that_has_it(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    arguments = [sys.executable, "-m", "tests.store.child", "hold", str(folder)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(
            StoreInUse, match=rf"{folder} is in use by process {other.pid} .*stop that process"
        ):
            open_store(folder)
        other.kill()
        other.wait()
        # a killed process holds nothing
        open_store(folder).close()


def test_a_folder_that_this_process_has_open_says_so(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "store"),
        pytest.raises(StoreInUse, match=f"this process itself .pid {os.getpid()}"),
    ):
        open_store(f"chdb://{tmp_path}/store/")


def test_a_second_folder_in_one_process_says_to_close_the_first(tmp_path: Path) -> None:
    with open_store(tmp_path / "one"), pytest.raises(StoreInUse, match="close that store first"):
        open_store(tmp_path / "two")
    open_store(tmp_path / "two").close()


def test_a_file_is_not_a_store(tmp_path: Path) -> None:
    file = tmp_path / "capture.pcap"
    file.write_bytes(b"\xd4\xc3\xb2\xa1")
    with pytest.raises(StoreError, match="is a file, not a folder"):
        open_store(file)
    with pytest.raises(StoreError, match=r"capture\.pcap"):
        open_store(file / "store")
    assert file.read_bytes() == b"\xd4\xc3\xb2\xa1"


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(StoreError, match=r"is not a store: there is holiday\.jpg in it"):
        open_store(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_folder_that_cannot_be_written_says_so(read_only: Path) -> None:
    with pytest.raises(StoreDenied, match=r"cannot be written .*give this user write permission"):
        open_store(read_only / "store")


@pytest.fixture
def read_only(tmp_path: Path) -> Iterator[Path]:
    """A folder that nobody here can write to: root needs a read-only mount, others a mode."""
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid():
        folder.chmod(0o500)
        yield folder
        folder.chmod(0o700)
        return
    mount(folder, "ro")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid():
        pytest.skip("needs root: a small file system is mounted")
    mount(folder, "size=48m")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def mount(folder: Path, options: str) -> None:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "geophone-test", str(folder)], capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip(f"root, but not allowed to mount here: {done.stderr.strip()}")


@pytest.mark.root
def test_a_full_disk_loses_nothing_that_was_stored(small_disk: Path) -> None:
    folder = small_disk / "store"
    with open_store(folder) as store:
        a_replay(ReplayWriter, store)
        # all but a little is taken: the next rows do not fit
        ballast = small_disk / "ballast"
        fill(ballast, leave=1 << 20)
        writer = ReplayWriter(store, replay_start("too-much.pcap"))
        with pytest.raises(StoreFull, match=f"the disk of the store {folder} is full.*free some space"):
            for number in range(400):
                writer.write("sla_minutes", noisy_minutes(number))
        assert row_counts(store)["modbus"] == A_REPLAY_COUNTS["modbus"]
    ballast.unlink()

    with open_store(folder) as store:
        assert row_counts(store)["alerts"] == A_REPLAY_COUNTS["alerts"]
        writer = ReplayWriter(store, replay_start("too-much.pcap"))
        writer.write("sla_minutes", noisy_minutes(1))
        writer.finish([], outcome())
        assert row_counts(store)["sla_minutes"] == A_REPLAY_COUNTS["sla_minutes"] + 60_000


@pytest.mark.root
def test_a_replay_onto_a_disk_full_to_the_last_byte_says_that_it_is_full(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    with open_store(small_disk / "store") as store:
        a_replay(ReplayWriter, store)
        fill(ballast, leave=0)
        with (
            pytest.raises(StoreFull, match="is full"),
            ReplayWriter(store, replay_start("next.pcap")) as writer,
        ):
            writer.write("sla_minutes", minutes([{"at": 1}]))
            writer.finish([], outcome())
        with pytest.raises(StoreFull, match="is full"):
            writer.fail("the disk is full")
        ballast.unlink()
        ReplayWriter(store, replay_start("next.pcap")).finish([], outcome())
        counts = row_counts(store)
    assert (counts["replays"], counts["alerts"]) == (2, A_REPLAY_COUNTS["alerts"])


@pytest.mark.root
def test_a_store_cannot_be_made_on_a_full_disk(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    fill(ballast, leave=0)
    with pytest.raises(StoreFull, match="is full"):
        open_store(small_disk / "store")
    ballast.unlink()
    open_store(small_disk / "store").close()


def fill(ballast: Path, leave: int) -> None:
    state = os.statvfs(ballast.parent)
    with ballast.open("wb") as file:
        try:
            for _ in range((state.f_bavail * state.f_frsize - leave) // 4096):
                file.write(os.urandom(4096))
        except OSError:
            assert leave == 0


def noisy_minutes(seed: int) -> object:
    """60,000 rows that do not compress."""
    import pyarrow as pa

    count = 60_000
    one = pa.Table.from_batches([minutes([{"at": 1}])]).take(pa.array([0] * count, pa.int64()))
    noise = pa.array([os.urandom(16) for _ in range(count)], pa.binary(16))
    for name in ("client_ip", "server_ip"):
        index = one.schema.get_field_index(name)
        one = one.set_column(index, one.schema.field(index), noise)
    return one


# --- servers -----------------------------------------------------------------------------------------------


def test_a_server_that_refuses_connections_is_named() -> None:
    port = free_port()
    started = time.monotonic()
    with pytest.raises(
        StoreUnreachable, match=f"http://ana@127.0.0.1:{port}/mine does not answer: check"
    ) as caught:
        open_store(f"http://ana:{SECRET}@127.0.0.1:{port}/mine")
    assert time.monotonic() - started < 10
    assert_silent_about(SECRET, caught.value)


def test_a_server_that_never_answers_is_given_up_in_seconds() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        started = time.monotonic()
        with pytest.raises(StoreUnreachable, match="does not answer"):
            open_store(f"http://127.0.0.1:{mute.getsockname()[1]}/mine", patience=QUICK)
        assert time.monotonic() - started < 15


def test_a_server_that_is_not_clickhouse_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()

        def answer() -> None:
            for _ in range(3):
                try:
                    client, _ = other.accept()
                except OSError:
                    return
                with client:
                    client.recv(65536)
                    client.sendall(
                        b"HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!"
                    )

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(StoreError, match=f"127.0.0.1:{other.getsockname()[1]}"):
            open_store(f"http://127.0.0.1:{other.getsockname()[1]}/mine")


@pytest.mark.server
def test_a_wrong_password_is_refused_and_never_shown(server: RealServer, database: str) -> None:
    with pytest.raises(StoreDenied, match="refuses us: check user, password") as caught:
        open_store(server.url(database, USER, SECRET))
    assert_silent_about(SECRET, caught.value)


@pytest.mark.server
def test_a_password_with_every_kind_of_character_opens_and_is_never_shown(
    server: RealServer, database: str
) -> None:
    url = server.url(database, USER, quote(PASSWORD, safe=""))
    with open_store(url) as store:
        assert store.one("SELECT currentUser()") == USER
        assert store.url == f"http://{USER}@127.0.0.1:{server.port}/{database}"
        assert PASSWORD not in repr(store)
        with pytest.raises(StoreError) as caught:
            store.rows("SELECT * FROM no_such_table")
    assert_silent_about(PASSWORD, caught.value)


def assert_silent_about(password: str, error: BaseException) -> None:
    assert password not in "".join(traceback.format_exception(error))


@pytest.mark.server
def test_a_server_that_goes_away_is_unreachable_until_it_is_back(
    server: RealServer, network: FaultyNetwork, database: str
) -> None:
    with open_store(server.url(database, port=network.port), patience=SOON) as store:
        network.refuse()
        with pytest.raises(StoreUnreachable, match=f"127.0.0.1:{network.port}/{database} does not answer"):
            store.rows("SELECT 1")
        network.listen()
        assert store.one("SELECT 7") == 7


@pytest.mark.server
def test_a_server_that_hangs_is_given_up(server: RealServer, network: FaultyNetwork, database: str) -> None:
    with open_store(server.url(database, port=network.port), patience=SOON) as store:
        network.plan(Fault.HANG, times=99, only="SELECT 4711")
        started = time.monotonic()
        with pytest.raises(StoreUnreachable):
            store.rows("SELECT 4711")
        assert time.monotonic() - started < SOON.reply_s + 4
        assert store.one("SELECT 7") == 7


@pytest.mark.server
@pytest.mark.parametrize(
    "fault",
    [Fault.RESET, Fault.CUT_REPLY, Fault.CUT_HEADERS, Fault.ERROR_503],
    ids=lambda fault: fault.name.lower(),
)
def test_a_broken_reply_is_never_an_empty_answer(
    server: RealServer, network: FaultyNetwork, database: str, fault: Fault
) -> None:
    sql = "SELECT number FROM numbers(100000)"
    with open_store(server.url(database, port=network.port), patience=SOON) as store:
        network.plan(fault, times=1, only=sql)
        assert store.rows(sql).num_rows == 100_000
        network.plan(fault, times=9, only=sql)
        with pytest.raises(StoreError):
            store.rows(sql)


# --- addresses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "is empty"),
        ("localhost:8123", "a server needs its scheme: http://localhost:8123"),
        ("ftp://127.0.0.1/x", "ftp:// is not an address of a store"),
        ("chdb://data/geophone", "three slashes"),
        ("chdb://", "three slashes"),
        ("http:///geophone", "names no host"),
        (f"https:/ana:{SECRET}@127.0.0.1/x", "lacks the two slashes"),
        (f"http:ana:{SECRET}@127.0.0.1", "lacks the two slashes"),
        ("http://127.0.0.1:99999/x", "cannot be read"),
        (f"http://ana:{SECRET}/x@127.0.0.1:8123/x", "percent-encoded"),
        (f"http://ana:{SECRET}@127.0.0.1:8123/a/b", "another name"),
        (f"http://ana:{SECRET}@127.0.0.1:8123/x?compress=1", "takes no options"),
    ],
)
def test_an_address_that_is_none_says_what_to_write(address: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        open_store(address)
    assert_silent_about(SECRET, caught.value)
