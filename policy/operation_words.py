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
    names = [".*".join(map(re.escape, name.split("*"))) for name in named if name not in CLASSES]
    pattern = re.compile("|".join(names), re.IGNORECASE | re.DOTALL) if names else None
    return frozenset(named) & frozenset(CLASSES), pattern
