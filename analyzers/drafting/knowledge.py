"""What a draft is made of, whoever knows it: captures, a store, or a baseline."""

from __future__ import annotations

from typing import Protocol

import polars as pl


class Knowledge(Protocol):
    """Who talked with whom, and what was done inside; columns as in `analyzers.drafting.seen`."""

    @property
    def unit(self) -> str:
        """What a conversation's `count` counts."""
        ...

    @property
    def knows_reads(self) -> bool:
        """Whether `modbus` tells which addresses were read."""
        ...

    def talks(self) -> pl.DataFrame:
        """Conversations, in order: columns of TALKED."""
        ...

    def modbus(self) -> pl.DataFrame:
        """What Modbus asked for, in order: columns of ASKED; `function` is null where only a write is known."""
        ...

    def operations(self) -> pl.DataFrame:
        """What was done by other control protocols, in order: columns of DONE."""
        ...
