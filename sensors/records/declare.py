"""How a table is declared: a column has a name, a kind, a unit and a meaning, in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa


class Kind(Enum):
    """A column's type: its Arrow type and its ClickHouse type."""

    UINT8 = (pa.uint8(), "UInt8")
    UINT16 = (pa.uint16(), "UInt16")
    UINT32 = (pa.uint32(), "UInt32")
    UINT64 = (pa.uint64(), "UInt64")
    INT64 = (pa.int64(), "Int64")
    FLOAT64 = (pa.float64(), "Float64")
    BOOL = (pa.bool_(), "Bool")
    TIMESTAMP = (pa.timestamp("ns", tz="UTC"), "DateTime64(9, 'UTC')")
    #: A word of a set that the site or the run decides.
    LABEL = (pa.utf8(), "LowCardinality(String)")
    #: One of a small, closed set of words.
    NAME = (pa.dictionary(pa.uint8(), pa.utf8()), "LowCardinality(String)")
    TEXT = (pa.utf8(), "String")
    ADDRESS = (pa.binary(16), "IPv6")
    #: The third member keeps it from being another name of UINT64.
    MAC = (pa.uint64(), "UInt64", "six octets")
    INT16_LIST = (pa.list_(pa.field("item", pa.int16(), nullable=False)), "Array(Int16)")
    UINT32_LIST = (pa.list_(pa.field("item", pa.uint32(), nullable=False)), "Array(UInt32)")
    UINT16_LIST = (pa.list_(pa.field("item", pa.uint16(), nullable=False)), "Array(UInt16)")
    TEXT_LIST = (pa.list_(pa.field("item", pa.utf8(), nullable=False)), "Array(String)")

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type."""
        return self.value[0]

    @property
    def clickhouse(self) -> str:
        """The ClickHouse type, without Nullable."""
        return str(self.value[1])


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    nullable: bool = False

    @property
    def clickhouse(self) -> str:
        """The column's ClickHouse type."""
        return f"Nullable({self.kind.clickhouse})" if self.nullable else self.kind.clickhouse


@dataclass(frozen=True, slots=True)
class Table:
    """A table of decoded rows: `stored` ones are kept in ClickHouse too."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    stored: bool = False

    def schema(self) -> pa.Schema:
        """The Arrow schema of a batch of this table."""
        return pa.schema([pa.field(c.name, c.kind.arrow, nullable=c.nullable) for c in self.columns])
