"""Modbus transactions in; what every coil and register was last known to hold, and who wrote it, out.

One map for each (server, port, unit, table): a serial gateway has a port for each line, and units of two lines may
share a number. Tables are those of the standard (Modbus V1.1b3, 4.3): coils, discrete inputs, input registers and
holding registers; file records (functions 20, 21) and queues (24) are other memories and left out.

Only answered transactions count. An exception says that the server did not do it; of a request without an answer
nobody knows whether it was done, and a map that guesses is worse than one that is a poll late. An answered write
says what was written; a server that stores something else shows it at its next read.

Rows count in the order in which the decoder wrote them, which is that of their responses: batches may be cut
anywhere. Of a transaction the first 128 values are known (`values_read`, `values_written`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

#: Registers of all maps together that are kept.
REGISTERS_KEPT: Final = 262_144

#: Registers of one server: a server, or who pretends to be one, costs its own registers and no other's.
REGISTERS_OF_ONE_SERVER: Final = 131_072

#: What makes two registers one.
KEY: Final = ("server_ip", "server_port", "unit", "table", "address")

#: How the tables are named.
TABLES: Final = ("coils", "discrete", "input", "holding")

REGISTERS: Final[dict[str, pl.DataType]] = {
    "server_ip": pl.Binary(),
    "server_port": pl.UInt16(),
    "unit": pl.UInt8(),
    "table": pl.String(),
    #: 0-based protocol address.
    "address": pl.UInt16(),
    #: Null where a mask was applied to what nobody has seen.
    "value": pl.UInt16(),
    #: When that value was asked for or written.
    "value_ts": pl.Datetime("ns", "UTC"),
    #: The value is known from a write, not from a read.
    "written": pl.Boolean(),
    "last_writer": pl.Binary(),
    "last_write_ts": pl.Datetime("ns", "UTC"),
    "first_seen": pl.Datetime("ns", "UTC"),
    "reads": pl.UInt64(),
    "writes": pl.UInt64(),
    #: How often a value differs from the one before it.
    "changes": pl.UInt64(),
    "minimum": pl.UInt16(),
    "maximum": pl.UInt16(),
}

_READS: Final = {1: "coils", 2: "discrete", 3: "holding", 4: "input", 23: "holding"}
_WRITES: Final = {5: "coils", 6: "holding", 15: "coils", 16: "holding", 22: "holding", 23: "holding"}
_MASK_WRITE: Final = 22

#: Columns of one touch of one register, beside its key.
_TOUCH: Final = ("order", "ts", "client_ip", "written", "value", "and_mask", "or_mask")


class MemoryMaps:
    """What is known of the memory of every Modbus server of a capture."""

    def __init__(
        self, *, registers: int = REGISTERS_KEPT, registers_of_one_server: int = REGISTERS_OF_ONE_SERVER
    ) -> None:
        self._limit = registers
        self._limit_of_one = registers_of_one_server
        self._known = pl.DataFrame(schema=REGISTERS)
        #: Reads and writes of registers that there was no room for.
        self.not_kept = 0
        #: Values of answered transactions that the decoder did not keep.
        self.values_unseen = 0

    def add(self, modbus: pl.DataFrame) -> None:
        """Take rows of the table `modbus`, in the order in which they were decoded."""
        answered = modbus.filter(pl.col("outcome") == "answered").with_row_index("row")
        if answered.is_empty():
            return
        self._count_unseen(answered)
        touches = self._with_room(_touches(answered))
        masked = touches.filter(pl.col("and_mask").is_not_null()).select(KEY).unique()
        if masked.height:
            # What a mask makes of a register depends on what it held: those few are gone through one by one.
            one_by_one = touches.join(masked, on=KEY, how="semi", maintain_order="left")
            touches = touches.join(masked, on=KEY, how="anti", maintain_order="left")
            touches = pl.concat([touches, self._apply_masks(one_by_one)])
        self._learn(touches)

    def registers(self) -> pl.DataFrame:
        """Everything that is known, a row a register, in the order of KEY."""
        return self._known.sort(KEY)

    def _count_unseen(self, answered: pl.DataFrame) -> None:
        for quantity, values in (("quantity", "values_read"), ("write_quantity", "values_written")):
            told = answered.filter(pl.col(values).list.len() > 0)
            missing = told[quantity].cast(pl.Int64) - told[values].list.len().cast(pl.Int64)
            self.values_unseen += int(missing.clip(lower_bound=0).sum() or 0)

    def _with_room(self, touches: pl.DataFrame) -> pl.DataFrame:
        """Touches of registers that are known, or that there is room for, in the order of their first touch."""
        new = touches.join(self._known, on=KEY, how="anti", maintain_order="left")
        new = new.select(KEY).unique(keep="first", maintain_order=True)
        if new.is_empty():
            return touches
        server = ["server_ip", "server_port"]
        held = self._known.group_by(server).agg(held=pl.len())
        new = new.join(held, on=server, how="left", maintain_order="left").with_columns(
            nth=pl.int_range(pl.len()).over(server) + pl.col("held").fill_null(0)
        )
        room = max(self._limit - self._known.height, 0)
        admitted = new.filter(pl.col("nth") < self._limit_of_one).head(room)
        if admitted.height == new.height:
            return touches
        refused = new.join(admitted, on=KEY, how="anti").select(KEY)
        kept = touches.join(refused, on=KEY, how="anti", maintain_order="left")
        self.not_kept += touches.height - kept.height
        return kept

    def _apply_masks(self, touches: pl.DataFrame) -> pl.DataFrame:
        """The same touches with the values that masks leave: (current AND and) OR (or AND NOT and) (6.16)."""
        known = touches.select(KEY).unique().join(self._known.select(*KEY, "value"), on=KEY)
        held: dict[tuple[object, ...], int | None] = {row[:5]: row[5] for row in known.iter_rows()}
        values: list[int | None] = []
        for row in touches.select(*KEY, "value", "and_mask", "or_mask").iter_rows():
            key, value, and_mask, or_mask = row[:5], *row[5:]
            if and_mask is not None:
                current = held.get(key)
                if current is not None or and_mask == 0:
                    value = ((current or 0) & and_mask) | (or_mask & ~and_mask & 0xFFFF)
            held[key] = value
            values.append(value)
        return touches.with_columns(value=pl.Series(values, dtype=pl.UInt16))

    def _learn(self, touches: pl.DataFrame) -> None:
        if touches.is_empty():
            return
        value, written = pl.col("value"), pl.col("written")
        before = value.shift().over(KEY)
        touches = touches.sort("order").with_columns(
            first=pl.int_range(pl.len()).over(KEY) == 0,
            changed=(value != before).fill_null(value.is_null() != before.is_null()),
        )
        news = touches.group_by(KEY, maintain_order=True).agg(
            value=value.last(),
            value_ts=pl.col("ts").last(),
            written=written.last(),
            last_writer=pl.col("client_ip").filter(written).last(),
            last_write_ts=pl.col("ts").filter(written).last(),
            first_seen=pl.col("ts").first(),
            reads=(~written).sum().cast(pl.UInt64),
            writes=written.sum().cast(pl.UInt64),
            changes=(pl.col("changed") & ~pl.col("first")).sum().cast(pl.UInt64),
            minimum=value.min(),
            maximum=value.max(),
            first_value=value.first(),
        )
        merged = news.join(self._known, on=KEY, how="left", maintain_order="left", suffix="_old")
        old = pl.col("value_old")
        known = pl.col("first_seen_old").is_not_null()
        differs = (pl.col("first_value") != old).fill_null(pl.col("first_value").is_null() != old.is_null())
        merged = merged.select(
            *KEY,
            "value",
            "value_ts",
            "written",
            pl.coalesce("last_writer", "last_writer_old"),
            pl.coalesce("last_write_ts", "last_write_ts_old"),
            pl.coalesce("first_seen_old", "first_seen"),
            pl.col("reads") + pl.col("reads_old").fill_null(0),
            pl.col("writes") + pl.col("writes_old").fill_null(0),
            pl.col("changes") + pl.col("changes_old").fill_null(0) + (known & differs).cast(pl.UInt64),
            pl.min_horizontal("minimum", "minimum_old"),
            pl.max_horizontal("maximum", "maximum_old"),
        ).rename({"first_seen_old": "first_seen"}, strict=False)
        unchanged = self._known.join(merged.select(KEY), on=KEY, how="anti")
        self._known = pl.concat([unchanged, merged.select(*REGISTERS)])


def _touches(answered: pl.DataFrame) -> pl.DataFrame:
    """Every read and write of every register, in order; of function 23 the write comes first (6.17)."""
    parts = [
        _part(answered, _WRITES, "write_address", "values_written", 0).with_columns(written=pl.lit(True)),
        _part(answered, _READS, "address", "values_read", 1).with_columns(written=pl.lit(False)),
    ]
    return pl.concat(parts).sort("order").select(*KEY, *_TOUCH)


def _part(
    answered: pl.DataFrame, tables: dict[int, str], address: str, values: str, place: int
) -> pl.DataFrame:
    function = pl.col("function")
    masks = function == _MASK_WRITE
    rows = answered.filter(function.is_in(list(tables)) & pl.col(address).is_not_null()).select(
        "server_ip",
        "server_port",
        "unit",
        "client_ip",
        "ts",
        table=function.replace_strict(tables, return_dtype=pl.String, default=None),
        start=pl.col(address).cast(pl.UInt32),
        # A mask has no value of its own: one place for what it leaves.
        value=pl.when(masks).then(pl.lit([None], pl.List(pl.UInt16))).otherwise(pl.col(values)),
        and_mask=pl.when(masks).then(pl.col("and_mask")),
        or_mask=pl.when(masks).then(pl.col("or_mask")),
        order=pl.col("row").cast(pl.UInt64) * 512 + place * 256,
    )
    rows = rows.with_columns(offset=pl.int_ranges(0, pl.col("value").list.len(), dtype=pl.UInt32))
    rows = rows.filter(pl.col("value").list.len() > 0).explode("value", "offset")
    # An address beyond the table's end is the request's fault: there is no such register.
    return rows.filter(pl.col("start") + pl.col("offset") <= 0xFFFF).with_columns(
        address=(pl.col("start") + pl.col("offset")).cast(pl.UInt16),
        order=pl.col("order") + pl.col("offset"),
    )
