"""A session whose flow numbers are used up is followed by another one: no row of one joins with the other's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from geophone.live.session import Listened, Session
from geophone.live.sessions import Sessions
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from sensors.engine import decode
from store.client import Store, open_store
from store.queries.replays import list_replays

ONE = sample("unauthorised-write")


def beginning(store: Store) -> Callable[[], Session]:
    """Begins sessions, one nanosecond after the other."""
    begun = iter(range(1, 1_000))
    return lambda: Session(Listened("span0", next(begun)), load(ONE.policy), store)


def listen(sessions: Sessions) -> None:
    """The sample's packets come."""
    with decode(open_capture(ONE.capture)) as run:
        for batches in run:
            sessions.now.feed(batches, ONE.frames)


def test_the_next_session_has_rows_findings_and_an_identity_of_its_own(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        with Sessions(beginning(store)) as sessions:
            listen(sessions)
            flows = sessions.flows
            sessions.begin_anew()
            assert [one.state for one in list_replays(store).replays].count("done") == 1
            assert sessions.packets_before == ONE.frames
            listen(sessions)
        assert sessions.flows == 2 * flows > 0
        first, second = list_replays(store).replays
        assert first.id != second.id
        assert (first.state, first.packets, first.findings) == (second.state, second.packets, second.findings)
        assert sessions.finding_count == first.findings + second.findings > 0
        for table in ("flows", "modbus"):
            counted = store.rows(f"SELECT count() AS n FROM {table} GROUP BY replay")  # noqa: S608
            assert len(set(counted["n"].to_pylist())) == 1, table
            assert counted.num_rows == 2, table


def test_a_session_that_failed_is_not_ended(tmp_path: Path) -> None:
    with open_store(tmp_path / "store") as store:
        with pytest.raises(ZeroDivisionError), Sessions(beginning(store)):
            raise ZeroDivisionError
        assert [one.state for one in list_replays(store).replays] == ["listening"]
