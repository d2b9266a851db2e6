"""A replay in; the command that makes the same findings again, out."""

from __future__ import annotations

import shlex
from typing import Final

from policy.named_files import Role
from store.answers import Replay

#: By which option a file is given; the files of a folder of rules come with the folder.
_OPTIONS: Final[dict[Role, str]] = {
    "baseline": "--baseline",
    "approvals": "--approvals",
    "gateway_log": "--gateway-log",
    "rules": "--rules",
    "indicators": "--indicators",
}


def reproduce_command(replay: Replay) -> str:
    """What to type, where all the files lie, to get the same findings file; empty for a session, which has no file.

    Names are quoted for a shell. Imported files that the policy names are named too: they need not lie beside it.
    """
    if not replay.capture_bytes:
        return ""
    stored = next((file.name for file in replay.inputs if file.role == "replay"), "")
    if stored:
        return _over_history(replay, stored)
    capture = "-" if replay.capture_name == "standard input" else _quoted(replay.capture_name)
    words = ["geophone replay", capture, "--policy", _quoted(replay.policy_name)]
    for file in replay.inputs:
        if file.role in _OPTIONS:
            words += [_OPTIONS[file.role], _quoted(file.name)]
    return " ".join([*words, "--findings findings.jsonl"])


def _over_history(replay: Replay, stored: str) -> str:
    """The command for findings that were raised from what is stored of a replay."""
    given = [file for file in replay.inputs if file.role in ("rules", "indicators")]
    what = "rules" if any(file.role == "rules" for file in given) else "indicators"
    named = " ".join(f"{_OPTIONS[file.role]} {_quoted(file.name)}" for file in given)
    return f"geophone {what} run --store STORE --replay {stored} {named} --findings findings.jsonl"


def _quoted(name: str) -> str:
    """A name that begins with a dash would be taken for an option."""
    return shlex.quote(f"./{name}" if name.startswith("-") else name)
