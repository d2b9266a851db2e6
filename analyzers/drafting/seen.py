"""Decoded rows in; who talked with whom, how often, and what was done inside, out."""

from __future__ import annotations

from typing import Final

import polars as pl

from policy.modbus import READING, WRITING
from policy.services import NAMED_OPERATIONS

#: One conversation, as a rule can tell it.
TALK: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "ip_proto": pl.UInt8(),
    "server_port": pl.UInt16(),
    #: What was recognised in the bytes; empty where nothing was.
    "service": pl.String(),
}

#: Functions whose addresses are of another kind: a rule that limits ranges would deny them.
BY_FILE: Final = (20, 21, 24)
_LAST_ADDRESS: Final = 65_535


class Seen:
    """Adds up rows of captures or of a store; grows with conversations and with what they ask for, not with rows."""

    #: What `count` counts.
    unit = "flows"
    knows_reads = True

    def __init__(self) -> None:
        self._talks = pl.DataFrame(schema=TALKED)
        self._asked = pl.DataFrame(schema=ASKED)
        self._done = pl.DataFrame(schema=DONE)

    def feed(self, flows: pl.DataFrame, modbus: pl.DataFrame, operations: pl.DataFrame) -> None:
        """Take rows of these three tables, as `policy.traffic.table_schema` has them."""
        if flows.height:
            self._talks = _added(pl.concat([self._talks, _talks(flows)]))
        if modbus.height:
            self._asked = pl.concat([self._asked, _asked(modbus)]).unique()
        if operations.height:
            self._done = pl.concat([self._done, _done(operations)]).unique()

    def talks(self) -> pl.DataFrame:
        """Conversations, in order: columns of TALKED."""
        return self._talks.sort(list(TALK))

    def modbus(self) -> pl.DataFrame:
        """What was asked, in order: columns of ASKED."""
        return self._asked.sort(list(ASKED))

    def operations(self) -> pl.DataFrame:
        """What was done by control protocols whose operations rules name, in order: columns of DONE."""
        return self._done.sort(list(DONE))


_COUNTED: Final[dict[str, pl.DataType]] = {
    "count": pl.UInt64(),
    "first_ns": pl.Int64(),
    "last_ns": pl.Int64(),
}

TALKED: Final[dict[str, pl.DataType]] = {**TALK, **_COUNTED, "unrecognised": pl.Boolean()}

#: An operation: who asked whom; who opened the conversation may be either.
DONE: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "client_port": pl.UInt16(),
    "server_port": pl.UInt16(),
    "service": pl.String(),
    "operation_class": pl.String(),
    "operation": pl.String(),
}

#: What Modbus asked for.
ASKED: Final[dict[str, pl.DataType]] = {
    "client_ip": pl.Binary(),
    "server_ip": pl.Binary(),
    "server_port": pl.UInt16(),
    "unit": pl.UInt8(),
    "function": pl.UInt8(),
    #: 0-based protocol addresses; null where there are none, or none that a range could hold.
    "read_first": pl.Int64(),
    "read_last": pl.Int64(),
    "write_first": pl.Int64(),
    "write_last": pl.Int64(),
    #: It reads or writes by something else than an address, or by one that was not seen.
    "unlimited": pl.Boolean(),
}


def _talks(flows: pl.DataFrame) -> pl.DataFrame:
    recognised = pl.col("confidence").is_in(["handshake", "structure"])
    service = pl.when(recognised).then(pl.col("service").cast(pl.String)).otherwise(pl.lit(""))
    both = (pl.col("payload_bytes_c2s") > 0) & (pl.col("payload_bytes_s2c") > 0)
    rows = flows.select(
        "client_ip",
        "server_ip",
        "ip_proto",
        "server_port",
        service=service,
        count=pl.lit(1, pl.UInt64),
        first_ns=pl.col("ts").dt.epoch("ns"),
        last_ns=pl.col("last_ts").dt.epoch("ns"),
        unrecognised=both & (service == ""),
    )
    return _added(rows)


def _done(rows: pl.DataFrame) -> pl.DataFrame:
    named = rows.filter(pl.col("service").is_in(NAMED_OPERATIONS) & pl.col("flow_id").is_not_null())
    return named.select(pl.col(name).cast(kind) for name, kind in DONE.items()).unique()


def _added(talks: pl.DataFrame) -> pl.DataFrame:
    return talks.group_by(list(TALK)).agg(
        pl.col("count").sum(),
        pl.col("first_ns").min(),
        pl.col("last_ns").max(),
        pl.col("unrecognised").any(),
    )


def _asked(rows: pl.DataFrame) -> pl.DataFrame:
    function = pl.col("function")
    reads = function.is_in(sorted(READING)) & ~function.is_in(BY_FILE)
    writes = function.is_in(sorted(WRITING)) & ~function.is_in(BY_FILE)
    read_first = pl.when(reads).then(pl.col("address").cast(pl.Int64))
    read_many = pl.col("quantity").cast(pl.Int64).fill_null(1).clip(lower_bound=1)
    write_first = pl.when(writes).then(pl.coalesce("write_address", "address").cast(pl.Int64))
    told = pl.when(function.is_in([15, 16])).then("quantity")
    write_many = pl.coalesce("write_quantity", told).cast(pl.Int64).fill_null(1).clip(lower_bound=1)
    read_last, write_last = read_first + read_many - 1, write_first + write_many - 1
    unlimited = (
        function.is_in(BY_FILE)
        | (reads & read_first.is_null())
        | (writes & write_first.is_null())
        | (read_last > _LAST_ADDRESS).fill_null(value=False)
        | (write_last > _LAST_ADDRESS).fill_null(value=False)
    )
    return rows.select(
        "client_ip",
        "server_ip",
        "server_port",
        "unit",
        "function",
        read_first=read_first,
        read_last=read_last,
        write_first=write_first,
        write_last=write_last,
        unlimited=unlimited,
    ).unique()
