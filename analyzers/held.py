"""Something that looks at traffic in; how many rows it holds in memory out."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

_DEEPEST = 4


def held_rows(part: object, depth: int = 0) -> int:
    """Rows of the frames, and members of the collections, that it has, and those of the parts that it has."""
    if isinstance(part, pl.DataFrame | pl.Series):
        return part.len() if isinstance(part, pl.Series) else part.height
    if isinstance(part, str | bytes) or depth > _DEEPEST:
        return 0
    if isinstance(part, dict):
        return len(part) + sum(held_rows(one, depth + 1) for one in part.values())
    if isinstance(part, Collection):
        return len(part) + sum(held_rows(one, depth + 1) for one in part)
    own = {name: value for name, value in getattr(part, "__dict__", {}).items() if name not in _SHARED}
    return sum(held_rows(one, depth + 1) for one in own.values())


#: What the policy says, which all share, and what was learned.
_SHARED = frozenset({"site", "_site", "memory", "_known", "_macs", "_zones", "_carriers"})
