"""What a replay says of itself at its end: whatever found no room is told, and nothing is told of what did."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from geophone.report import print_result
from geophone.runner import ReplayResult, replay
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture


@pytest.fixture(scope="module")
def result() -> ReplayResult:
    chosen = sample("link-cut-benign")
    return replay(open_capture(chosen.capture), load(chosen.policy))


def printed(result: ReplayResult) -> str:
    console = Console(file=io.StringIO(), width=400)
    print_result(console, result)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_where_there_was_room_for_everything_nothing_is_said_of_room(result: ReplayResult) -> None:
    text = printed(result)
    assert "no room" not in text
    assert "measured together" not in text


def test_what_found_no_room_is_told(result: ReplayResult) -> None:
    text = printed(replace(result, together=3, polls_without_room=7, evicted={"G1": 2}))
    assert "▲ 3 conversations of a minute with very many were measured together" in text
    assert "▲ polls: no room for 7 records of who asks whom" in text
    assert "▲ G1 had no room for 2 sources" in text
