"""A baseline in; what it knows, as a draft of a policy is made of it, out."""

from __future__ import annotations

from typing import Final

import polars as pl

from analyzers.baseline.comparing import Baseline
from analyzers.baseline.facts import KEY
from analyzers.drafting.seen import ASKED, BY_FILE, DONE, TALKED

_FUNCTION: Final = r"^unit (?<unit>\d+), function (?<function>\d+)$"
_PLACE: Final = r"^unit (?<unit>\d+), (?:coil|holding) (?<write_first>\d+)$"
_FILES: Final = r"^unit (?<unit>\d+), files$"


class LearnedFacts:
    """What a baseline knows: seen often enough where the policy permitted it, or accepted by somebody.

    It knows conversations that carried something, and of Modbus units, functions and what was written, not what was
    read; of other control protocols it knows the conversation alone.
    """

    unit = "minutes of flows"
    knows_reads = False

    def __init__(self, baseline: Baseline) -> None:
        facts = baseline.known.group_by(list(KEY)).agg(
            pl.col("count").sum(), pl.col("first_ns").max(), pl.col("last_ns").max()
        )
        self._facts = facts.filter(pl.col("count") >= baseline.min_count)

    def talks(self) -> pl.DataFrame:
        """Conversations, in order: columns of TALKED."""
        talks = self._facts.filter(pl.col("kind") == "conversation").rename({"what": "service"})
        made = talks.with_columns(unrecognised=pl.lit(value=False))
        return _as(made, TALKED).sort("client_ip", "server_ip", "ip_proto", "server_port", "service")

    def modbus(self) -> pl.DataFrame:
        """Units and functions, and the places that were written, in order: columns of ASKED."""
        functions = self._said("modbus.function", _FUNCTION)
        by_file = pl.col("function").cast(pl.UInt8).is_in(BY_FILE)
        parts = [
            functions.with_columns(unlimited=by_file),
            self._said("modbus.write", _PLACE).with_columns(
                write_last=pl.col("write_first"), unlimited=pl.lit(value=False)
            ),
            self._said("modbus.write", _FILES).with_columns(unlimited=pl.lit(value=True)),
        ]
        return pl.concat([_as(part, ASKED) for part in parts]).unique().sort(list(ASKED))

    def operations(self) -> pl.DataFrame:
        """None: baselines do not learn them."""
        return pl.DataFrame(schema=DONE)

    def _said(self, kind: str, form: str) -> pl.DataFrame:
        """Facts of a kind whose text has this form, with its parts as columns of text."""
        facts = self._facts.filter((pl.col("kind") == kind) & pl.col("what").str.contains(form))
        return facts.with_columns(pl.col("what").str.extract_groups(form).alias("said")).unnest("said")


def _as(rows: pl.DataFrame, schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The columns of a schema; null where a row has no such column."""
    return rows.select(
        (pl.col(name) if name in rows.columns else pl.lit(None)).cast(kind).alias(name)
        for name, kind in schema.items()
    )
