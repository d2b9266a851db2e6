"""Where a command is: `geophone NAME` in geophone/commands/NAME.py, and no other file there but what they share."""

from __future__ import annotations

from pathlib import Path

import geophone.commands
from geophone.cli import main
from geophone.commands import COMMANDS


def test_each_command_has_a_file_of_its_name() -> None:
    folder = Path(geophone.commands.__file__).parent
    files = {file.stem for file in folder.glob("*.py")} - {"__init__", "options"}
    assert files == set(main.commands) == {command.name for command in COMMANDS}
