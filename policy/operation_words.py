"""How rules name operations of control protocols: by what they do to the device, or as the decoder names them."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

#: What an operation does to a device, as the table `operations` has it (`operation_class`). `session`, which every
#: conversation needs, cannot be withheld and is not named.
CLASSES: Final = (
    "read", "write", "program", "start", "stop", "restart", "discover", "configure", "other",
)  # fmt: skip


def holds(named: tuple[str, ...] | None, operation_class: str, operation: str) -> bool:
    """Whether a rule's operations hold this one; None holds every one.

    A word of CLASSES stands for its class, any other for an operation of that name: upper and lower case are the
    same, `*` stands for any text.
    """
    return named is None or operation_class == "session" or _holds(named, operation_class, operation)


#: Names of operations come from the wire.
@lru_cache(maxsize=16_384)
def _holds(named: tuple[str, ...], operation_class: str, operation: str) -> bool:
    classes, names = _compiled(named)
    return operation_class in classes or (names is not None and names.fullmatch(operation) is not None)


@cache
def _compiled(named: tuple[str, ...]) -> tuple[frozenset[str], re.Pattern[str] | None]:
    names = [_pattern(name) for name in named if name not in CLASSES]
    pattern = re.compile("|".join(names), re.IGNORECASE | re.DOTALL) if names else None
    return frozenset(named) & frozenset(CLASSES), pattern


def _pattern(name: str) -> str:
    """A name with its `*` as a regular expression that takes the first place that fits and never goes back to it.

    The operations that it is held against come from the wire: going back could take for ever.
    """
    first, *rest = map(re.escape, name.split("*"))
    if not rest:
        return first
    return first + "".join(f"(?>.*?{part})" for part in rest[:-1]) + f".*{rest[-1]}"
