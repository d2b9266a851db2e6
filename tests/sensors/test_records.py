"""The declared tables: the engine builds exactly these, and nobody has to guess what a column means."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sensors import _native
from sensors.records import TABLES, Kind, Table, table


@pytest.mark.parametrize("declared", TABLES, ids=lambda declared: declared.name)
def test_the_engine_builds_the_declared_columns(declared: Table) -> None:
    assert _native.schemas()[declared.name].equals(declared.schema())


def test_the_engine_builds_no_undeclared_table() -> None:
    assert set(_native.schemas()) == {declared.name for declared in TABLES}


def test_no_two_kinds_are_one() -> None:
    """Enum members with equal values are silently one: an address would be read as a number."""
    assert list(Kind.__members__) == [kind.name for kind in Kind]


@pytest.mark.parametrize("declared", TABLES, ids=lambda declared: declared.name)
def test_names_carry_the_units_of_durations_and_sizes(declared: Table) -> None:
    for column in declared.columns:
        assert column.doc
        assert column.name == column.name.lower()
        if column.kind is Kind.TIMESTAMP:
            assert column.unit == "ns"
        if column.name.endswith("_ns"):
            assert column.unit == "ns"
        if "_bytes" in column.name:
            assert column.unit == "byte"
    names = [column.name for column in declared.columns]
    assert len(names) == len(set(names))


def test_a_table_is_found_by_its_name() -> None:
    assert [table(declared.name) for declared in TABLES] == list(TABLES)


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(KeyError, match="flaws"):
        table("flaws")


def test_nullable_columns_are_nullable_in_both_schemas() -> None:
    modbus = table("modbus")
    declared = {column.name: column for column in modbus.columns}
    assert declared["latency_ns"].clickhouse == "Nullable(UInt64)"
    assert declared["unit"].clickhouse == "UInt8"
    assert modbus.schema().field("latency_ns").nullable
    assert modbus.schema().field("unit") == pa.field("unit", pa.uint8(), nullable=False)
