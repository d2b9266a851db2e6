"""Modbus transactions held against the units, functions and address ranges of the rules that allow the conversation.

Judged as columns: each distinct operation is joined with its candidate rules, units and functions are looked up in
lists, address ranges by an as-of join, so the cost is the same for one rule and for ten thousand.

Addresses are 0-based protocol addresses. An operation touches `address` to `address + quantity - 1`, and all of it
must lie within the ranges of one rule (ranges that touch are one). Source: MODBUS Application Protocol V1.1b3, 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from policy.judged import Judged
from policy.modbus import FUNCTION_NAMES, READING, WRITING, functions_allowed, joined_ranges
from policy.model import AllowRule
from policy.operations.base import Operations
from policy.operations.nearest import Candidates, confidence_of_transaction, limited, refused, with_rules
from policy.violations import NO_VIOLATIONS, grouped
from policy.zoning import CompiledSite

_VALUES_SHOWN: Final = 8

#: An operation, as far as rules can tell.
_OPERATION: Final = (
    "verdict",
    "unit",
    "function",
    "reads",
    "read_first",
    "read_last",
    "writes",
    "write_first",
    "write_last",
)
_LIMITS: Final = ("unit", "function", "read", "write")


class ModbusOperations(Operations):
    """Functions, units and the addresses read and written."""

    service = "modbus"

    def broken(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Transactions of allowed conversations that none of the allowing rules covers."""
        rows = limited(site, judged.modbus).with_columns(*_touched())
        operations = rows.select(*_OPERATION)
        denied = _refused(site, operations.unique())
        # Rows are wide: only those that are refused are taken on.
        found = operations.with_row_index("row").join(denied, on=_OPERATION, how="inner", nulls_equal=True)
        found = found.sort("row")
        return rows[found["row"]].hstack(found.select("broken", "nearest").get_columns())

    def refused(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """The same as violations."""
        if limited(site, judged.modbus).is_empty():
            return NO_VIOLATIONS
        rows = self.broken(site, judged)
        if rows.is_empty():
            return NO_VIOLATIONS
        # Of function 23 only the part that broke its limit counts: a read too far is not a forbidden write.
        broken_write = pl.col("writes") & (pl.col("broken") != "read")
        rows = rows.with_columns(
            service=pl.lit("modbus"),
            what=pl.format("unit {}, function {}: {}", "unit", "function", "broken"),
            operation=pl.when(broken_write)
            .then(pl.lit("modbus.write"))
            .when(pl.col("function").is_in(sorted(READING)))
            .then(pl.lit("modbus.read"))
            .otherwise(pl.lit("modbus.diagnose")),
            ts_ns=pl.col("ts").dt.epoch("ns"),
            last_ns=pl.col("ts").dt.epoch("ns"),
            frame=pl.coalesce("request_frame", "response_frame"),
            confirmed=(pl.col("outcome") == "answered") & (broken_write | ~_is_known_function()),
            confidence_rank=confidence_of_transaction(),
        )
        return grouped(rows, _described)


def in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the operation in words as `text`."""
    return _described(rows.with_columns(*_touched()))


def _touched() -> list[pl.Expr]:
    """The addresses an operation reads and writes, first and last, Int64; null where it has none or none was seen."""
    function, orphan = pl.col("function"), pl.col("outcome") == "orphan"
    read_from, read_many = pl.col("address").cast(pl.Int64), pl.col("quantity").cast(pl.Int64)
    write_from = pl.coalesce("write_address", "address").cast(pl.Int64)
    # Functions without a quantity (5, 6, 22) touch one; 23 never borrows the quantity of what it reads.
    write_many = (
        pl.when(pl.col("write_quantity").is_not_null())
        .then("write_quantity")
        .when(function.is_in([15, 16]))
        .then("quantity")
        .cast(pl.Int64)
    )
    reads, writes = function.is_in(sorted(READING)), function.is_in(sorted(WRITING))
    by_file = function.is_in([20, 21])
    read_first = pl.when(reads & ~by_file).then(read_from)
    write_first = pl.when(writes & ~by_file).then(write_from)
    return [
        # A response without its request does not say what was read: its addresses are not judged.
        (reads & ~(orphan & read_first.is_null())).alias("reads"),
        read_first.alias("read_first"),
        (read_first + read_many.fill_null(1).clip(lower_bound=1) - 1).alias("read_last"),
        (writes & ~(orphan & write_first.is_null())).alias("writes"),
        write_first.alias("write_first"),
        (write_first + write_many.fill_null(1).clip(lower_bound=1) - 1).alias("write_last"),
    ]


def _refused(site: CompiledSite, operations: pl.DataFrame) -> pl.DataFrame:
    """Distinct operations in; those that no rule allows out, with the limits `broken` and the `nearest` rule."""
    candidates = with_rules(site, operations)
    rules = candidates.rules
    rows = candidates.rows.join(_limits(rules), on="rule")
    rows = _with_range_fit(rows, _ranges(rules, "read"), "read")
    rows = _with_range_fit(rows, _ranges(rules, "write"), "write")
    rows = rows.with_columns(
        fits_unit=pl.col("units").is_null() | pl.col("units").list.contains(pl.col("unit")),
        fits_function=pl.col("functions").is_null() | pl.col("functions").list.contains(pl.col("function")),
    )
    return refused(Candidates(rows, rules), _LIMITS, _OPERATION, _nearest_text)


def _limits(rules: dict[int, AllowRule]) -> pl.DataFrame:
    return pl.DataFrame(
        [
            (number, rule.units, functions_allowed(rule), rule.read is not None, rule.write is not None)
            for number, rule in rules.items()
        ],
        schema={
            "rule": pl.UInt32,
            "units": pl.List(pl.UInt8),
            "functions": pl.List(pl.UInt8),
            "read_limited": pl.Boolean,
            "write_limited": pl.Boolean,
        },
        orient="row",
    )


def _ranges(rules: dict[int, AllowRule], side: str) -> pl.DataFrame:
    """The ranges of one side of every rule, those that touch made one: `rule`, `first`, `last`, sorted by `first`."""
    rows = [
        (number, first, last)
        for number, rule in rules.items()
        for first, last in joined_ranges((rule.read if side == "read" else rule.write) or ())
    ]
    schema = {"rule": pl.UInt32, "first": pl.Int64, "last": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row").sort("first")


def _with_range_fit(candidates: pl.DataFrame, ranges: pl.DataFrame, side: str) -> pl.DataFrame:
    """Add `fits_{side}`: nothing is touched, the rule does not limit, or one range holds all of it."""
    touched = candidates.filter(pl.col(f"{side}s") & pl.col(f"{side}_limited"))
    held = (
        touched.filter(pl.col(f"{side}_first").is_not_null())
        .sort(f"{side}_first")
        .join_asof(ranges, left_on=f"{side}_first", right_on="first", by="rule", check_sortedness=False)
        .select("operation_id", "rule", held=pl.col(f"{side}_last") <= pl.col("last"))
    )
    return (
        candidates.join(held, on=["operation_id", "rule"], how="left")
        .with_columns(
            (~(pl.col(f"{side}s") & pl.col(f"{side}_limited")) | pl.col("held").fill_null(value=False)).alias(
                f"fits_{side}"
            )
        )
        .drop("held")
    )


def _nearest_text(rule: AllowRule, broken: list[str]) -> str:
    """The rule that came closest and what it allows of what was broken."""
    words = {
        "unit": f"unit {_numbers(rule.units)}",
        "function": f"functions {_numbers(functions_allowed(rule))}",
        "read": f"reading {_addresses(rule.read)}",
        "write": f"writing {_addresses(rule.write)}",
    }
    return f"{rule.id}: only " + " and ".join(words[limit] for limit in broken)


def _numbers(values: Iterable[int] | None) -> str:
    return ", ".join(map(str, values or ())) or "none"


def _addresses(ranges: Iterable[tuple[int, int]] | None) -> str:
    texts = [
        str(first) if first == last else f"{first}–{last}" for first, last in joined_ranges(ranges or ())
    ]
    return "addresses " + ", ".join(texts) if texts else "nothing"


def _is_known_function() -> pl.Expr:
    return pl.col("function").is_in(sorted(FUNCTION_NAMES))


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the operation in words: `Write Multiple Registers (16) unit 1, addresses 100–103, …`."""
    name = pl.col("function").replace_strict(FUNCTION_NAMES, default="Function", return_dtype=pl.String)
    parts = pl.concat_str(
        pl.format("{} ({}) unit {}", name, "function", "unit"),
        pl.when(pl.col("read_first").is_not_null() & pl.col("writes")).then(pl.lit("reads")),
        _address_text("read"),
        pl.when(pl.col("read_first").is_not_null() & pl.col("writes")).then(pl.lit("writes")),
        _address_text("write"),
        _value_text(),
        pl.when(pl.col("and_mask").is_not_null()).then(
            pl.format("AND mask {}, OR mask {}", "and_mask", pl.col("or_mask").fill_null(0))
        ),
        pl.when(pl.col("sub_function").is_not_null()).then(pl.format("sub-function {}", "sub_function")),
        _outcome_text(),
        separator=", ",
        ignore_nulls=True,
    )
    text = parts.str.replace("reads, address", "reads address").str.replace(
        "writes, address", "writes address"
    )
    return rows.with_columns(text.alias("text"))


def _address_text(side: str) -> pl.Expr:
    first, last = pl.col(f"{side}_first"), pl.col(f"{side}_last")
    return (
        pl.when(first.is_null())
        .then(None)
        .when(first == last)
        .then(pl.format("address {}", first))
        .otherwise(pl.format("addresses {}–{}", first, last))
    )


def _value_text() -> pl.Expr:
    values = pl.col("values_written")
    shown = values.list.head(_VALUES_SHOWN).cast(pl.List(pl.String)).list.join(", ")
    return (
        pl.when(values.list.len().fill_null(0) == 0)
        .then(None)
        .when(values.list.len() == 1)
        .then(pl.format("value {}", shown))
        .when(values.list.len() > _VALUES_SHOWN)
        .then(pl.format("values {}, …", shown))
        .otherwise(pl.format("values {}", shown))
    )


def _outcome_text() -> pl.Expr:
    outcome = pl.col("outcome")
    return (
        pl.when(outcome == "answered")
        .then(pl.when("writes").then(pl.lit("confirmed")).otherwise(pl.lit("answered")))
        .when(outcome == "exception")
        .then(pl.format("refused with exception {}", pl.col("exception_code").fill_null(0)))
        .when(outcome == "orphan")
        .then(pl.lit("response without a request"))
        .when(outcome == "pending")
        .then(pl.lit("response not seen before the capture ended"))
        .otherwise(pl.lit("unanswered"))
    )
