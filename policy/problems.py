"""What is wrong with a policy file: where, what, and how to repair it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: A place in the policy: keys and list indexes from the top.
Path = tuple[str | int, ...]


def path_text(path: Path) -> str:
    """A place as text: `conduits[2].to`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: its line (from 1; 0 for the file as a whole), its place, and what to do about it."""

    line: int
    path: str
    message: str

    def located(self, name: str) -> str:
        """`site.yaml:14 conduits[2].to: message`."""
        where = f"{name}:{self.line}" if self.line else name
        return f"{where} {self.path}: {self.message}" if self.path else f"{where}: {self.message}"


class PolicyError(Exception):
    """The policy cannot be used; the text lists every problem, one a line, in the order of the file."""

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(problem.located(name) for problem in self.problems))
