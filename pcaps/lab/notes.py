"""The text that goes with a capture: what is known of it, written as TOML in one fixed form."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from pcaps import ExpectedFinding, Planted

Value = str | int | float | bool | datetime | Sequence[str]
Table = Mapping[str, Value]

LICENCE: Final = "Apache-2.0"
_STORY_WIDTH: Final = 110


@dataclass(frozen=True, slots=True)
class Notes:
    """Everything about a capture but its bytes."""

    title: str
    story: str
    origin: Table
    policy: str
    #: Figures of the whole capture.
    truth: Table = field(default_factory=dict)
    #: Figures of one conversation or stretch: name of the list -> its tables.
    truth_lists: Mapping[str, Sequence[Table]] = field(default_factory=dict)
    planted: Sequence[Planted] = ()
    expected: Sequence[ExpectedFinding] = ()
    #: The capture's benign twin: as close as can be, without what was planted here.
    twin: str = ""
    #: The capture whose benign twin this is.
    twin_of: str = ""
    #: The capture that teaches the baseline which this one is held against.
    baseline: str = ""
    #: Whether `geophone demo` shows it.
    demo: bool = False

    def toml(self, capture: Table) -> str:
        """The file's text; `capture` are the figures of the capture's bytes."""
        parts = [
            self._head(),
            _table("[origin]", self.origin),
            _table("[capture]", capture),
        ]
        if self.truth or any(self.truth_lists.values()):
            lists = (_list(name, tables) for name, tables in self.truth_lists.items() if tables)
            parts.append(_table("[truth]", self.truth) + "".join(lists))
        parts.extend(
            _table("[[planted]]", {name: getattr(one, name) for name in Planted.__dataclass_fields__})
            for one in self.planted
        )
        parts.extend(
            _table(
                "[[expected]]", {name: getattr(one, name) for name in ExpectedFinding.__dataclass_fields__}
            )
            for one in self.expected
        )
        return "\n".join(parts)

    def _head(self) -> str:
        story = textwrap.fill(" ".join(self.story.split()), _STORY_WIDTH)
        top: dict[str, Value] = {"title": self.title, "licence": LICENCE, "policy": self.policy}
        twins = {"twin": self.twin, "twin_of": self.twin_of, "baseline": self.baseline}
        top |= {key: name for key, name in twins.items() if name}
        if self.demo:
            top["demo"] = True
        return (
            "".join(f"{key} = {_value(value)}\n" for key, value in top.items())
            + f'story = """\n{story}\n"""\n'
        )


def moment(time_ns: int) -> datetime:
    """Whole microseconds of a time in ns since the epoch, UTC."""
    return datetime.fromtimestamp(time_ns // 1_000_000_000, UTC).replace(
        microsecond=time_ns // 1_000 % 1_000_000
    )


def _table(head: str, table: Table) -> str:
    return head + "\n" + "".join(f"{key} = {_value(value)}\n" for key, value in table.items())


def _list(name: str, tables: Sequence[Table]) -> str:
    """A list of tables, a line each: there are many, and they are read down a column."""
    lines = (
        "  {" + ", ".join(f"{key} = {_value(value)}" for key, value in table.items()) + "},\n"
        for table in tables
    )
    return f"{name} = [\n{''.join(lines)}]\n"


def _value(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # A basic string of TOML is a JSON string, for all that is written here.
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "[" + ", ".join(_value(item) for item in value) + "]"
