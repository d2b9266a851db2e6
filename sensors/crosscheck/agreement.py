"""Pairs of values in; how often they agree, and what differs, out.

A value counts where both decoders speak of it. Every difference is counted; only the first of each field are
kept in full, so that memory is bounded whatever the capture holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Any, Final

#: The share of equal values from which a field agrees, whatever the rest is.
AGREES_FROM: Final = 0.999

#: Longest value shown of a difference: a list of registers, not a file.
_SHOWN_CHARACTERS: Final = 160

#: Ours or theirs, where one of the two has nothing there at all.
ABSENT: Final = "absent"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value on which the two decoders differ."""

    protocol: str
    field: str
    #: Where to look in the capture, numbered as Wireshark does.
    frame: int
    ours: str
    wireshark: str
    #: The flow or message that it is about.
    about: str
    #: Who is right, and why; empty where that is not known.
    explanation: str


@dataclass(slots=True)
class FieldAgreement:
    """One field's figures."""

    protocol: str
    field: str
    compared: int = 0
    matched: int = 0
    #: Different values with a known reason.
    explained: int = 0
    differences: list[Difference] = made_by(default_factory=list)

    @property
    def unexplained(self) -> int:
        """Different values without a known reason."""
        return self.compared - self.matched - self.explained

    @property
    def share(self) -> float:
        """Equal values among those compared, 0 to 1."""
        return self.matched / self.compared if self.compared else 1.0

    @property
    def agrees(self) -> bool:
        """Whether the field holds: nearly all values are equal, or every difference has its reason."""
        return not self.unexplained or self.share >= AGREES_FROM


class Agreement:
    """All fields' figures, in the order in which they first came up."""

    def __init__(self, differences_kept: int) -> None:
        self._differences_kept = differences_kept
        self._fields: dict[tuple[str, str], FieldAgreement] = {}

    def __iter__(self) -> Iterator[FieldAgreement]:
        return iter(self._fields.values())

    def compare(
        self,
        protocol: str,
        name: str,
        ours: Any,
        wireshark: Any,
        *,
        frame: int,
        about: str | Callable[[], str],
        because: Callable[[], str] = lambda: "",
    ) -> None:
        """Count one value; `about` and `because` are asked for only where it differs."""
        key = (protocol, name)
        found = self._fields.get(key) or self._fields.setdefault(key, FieldAgreement(protocol, name))
        found.compared += 1
        if ours == wireshark:
            found.matched += 1
            return
        explanation = because()
        found.explained += bool(explanation)
        # What has no reason is what a reader looks for: it takes the place of what has one.
        room = len(found.differences) < self._differences_kept
        if not room and not explanation:
            room = _drop_explained(found.differences)
        if room:
            subject = shown(about if isinstance(about, str) else about())
            found.differences.append(
                Difference(protocol, name, frame, shown(ours), shown(wireshark), subject, explanation)
            )


def shown(value: Any) -> str:
    """A value as text, its length bounded; what would command a terminal is written as escapes."""
    plain = ABSENT if value is None else str(value)
    text = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in plain[: _SHOWN_CHARACTERS + 1]
    )
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _drop_explained(differences: list[Difference]) -> bool:
    """Make room by the last explained difference; whether there was one."""
    for number in range(len(differences) - 1, -1, -1):
        if differences[number].explanation:
            del differences[number]
            return True
    return False
