"""Requests in; the number of the relation of each out, as far as there is room to follow it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from analyzers.polls.asked import CONVERSATION, RELATION
from analyzers.polls.limits import PollLimits
from analyzers.polls.relation import Subject

_PLACE: Final = ("client_zone", "server_zone", "conduit", "role_source", "turned")
_KNOWN: Final = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "server_port": pl.UInt16(),
    **dict.fromkeys(("service", "what", *_PLACE[:4]), pl.String()),
    "turned": pl.Boolean(),
    "number": pl.UInt32(),
}


class Numbering:
    """Relations are numbered from 0 as they come; first come, first kept."""

    def __init__(self, limits: PollLimits) -> None:
        self._limits = limits
        self._known = pl.DataFrame(schema=_KNOWN)
        self._of_client: Counter[bytes] = Counter()
        self._subjects: dict[int, Subject] = {}

    def numbered(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of `asked` in; the same with `number`, null where there is no room; and of what is new, the first."""
        found = self._find(rows)
        fresh = found.filter(pl.col("number").is_null())
        new = self._with_room(fresh.unique(RELATION, keep="first", maintain_order=True))
        if new.is_empty():
            return found, new
        number = pl.int_range(self._known.height, self._known.height + new.height, dtype=pl.UInt32)
        self._known.extend(new.with_columns(number.alias("number")).select(*_KNOWN))
        return self._find(rows), new

    def _find(self, rows: pl.DataFrame) -> pl.DataFrame:
        known = self._known.select(*RELATION, "number")
        return rows.join(known, on=RELATION, how="left", nulls_equal=True, maintain_order="left")

    def _with_room(self, new: pl.DataFrame) -> pl.DataFrame:
        """Of relations that are not known yet, those that there is room for."""
        room = self._limits.relations - self._known.height
        if new.is_empty() or room <= 0:
            return new.clear()
        clients = new["client_ip"].unique().to_list()
        of_client = pl.DataFrame(
            {
                "client_ip": pl.Series(clients, dtype=pl.Binary()),
                "held": pl.Series([self._of_client[one] for one in clients], dtype=pl.UInt32()),
            }
        )
        place = pl.int_range(pl.len(), dtype=pl.UInt32).over("client_ip") + pl.col("held")
        kept = (
            new.join(of_client, on="client_ip", how="left", maintain_order="left")
            .filter(place < self._limits.relations_per_client)
            .head(room)
            .drop("held")
        )
        self._of_client.update(dict(kept["client_ip"].value_counts().iter_rows()))
        return kept

    def subjects(self, numbers: Sequence[int]) -> list[Subject]:
        """Who asks whom for what, of these relations."""
        lacking = [number for number in numbers if number not in self._subjects]
        if lacking:
            rows = self._known.select(*RELATION, *_PLACE)[lacking].rows()
            self._subjects.update(zip(lacking, (Subject(*row) for row in rows), strict=True))
        return [self._subjects[number] for number in numbers]

    def conversations(self, numbers: Sequence[int] | pl.Series) -> pl.DataFrame:
        """CONVERSATION of these relations."""
        return self._known.select(*CONVERSATION)[numbers]
