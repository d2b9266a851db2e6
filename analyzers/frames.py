"""Record batches in, frames of the declared columns out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl
import pyarrow as pa

from policy.traffic import table_schema
from sensors.records import Table


def frame_of(batches: Mapping[str, pa.RecordBatch], table: Table) -> pl.DataFrame:
    """A table's rows as a frame of the declared columns; no rows where the batch has none."""
    schema = table_schema(table)
    batch = batches.get(table.name)
    if batch is None:
        return pl.DataFrame(schema=schema)
    frame = pl.from_arrow(batch)
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"{table.name}: not a record batch")
    return frame.select(pl.col(name).cast(kind) for name, kind in schema.items())
