"""A rule's condition, as pySigma parsed it, in; one column expression out.

pySigma's own conversion classes write text for a query language; here the same tree of AND, OR, NOT and comparisons
becomes an expression of the column engine, so that batches and stored rows are judged by one thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_, or_
from typing import Any, Final

import polars as pl
from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaString,
    SigmaTimestampPart,
    TimestampPart,
)

from analyzers.rules.fields import HOLDS, LISTS, NUMBERS, TEXTS
from analyzers.rules.leaves import Leaf, any_of, missing, pattern, regex, within, words
from policy.prefixes import address_bytes
from policy.values import mac_number, parse_address, parse_mac
from sensors.records import Column, Kind

_COMPARED: Final = {
    CompareOperators.LT: pl.Expr.lt,
    CompareOperators.LTE: pl.Expr.le,
    CompareOperators.GT: pl.Expr.gt,
    CompareOperators.GTE: pl.Expr.ge,
    CompareOperators.NEQ: pl.Expr.ne,
}
_PARTS: Final[Mapping[TimestampPart, Leaf]] = {
    TimestampPart.MINUTE: lambda value: value.dt.minute(),
    TimestampPart.HOUR: lambda value: value.dt.hour(),
    TimestampPart.DAY: lambda value: value.dt.day(),
    TimestampPart.WEEK: lambda value: value.dt.week(),
    TimestampPart.MONTH: lambda value: value.dt.month(),
    TimestampPart.YEAR: lambda value: value.dt.year(),
}


class Unfit(ValueError):
    """A comparison that cannot be made; `field` is where ("" for the condition as a whole)."""

    def __init__(self, message: str, field: str = "") -> None:
        self.field = field
        super().__init__(message)


def expression(condition: Any, fields: Mapping[str, Column]) -> pl.Expr:
    """The expression of a condition over these fields; all that it names exist. Raises Unfit."""
    match condition:
        case ConditionAND(args=args):
            return reduce(and_, (expression(arg, fields) for arg in args))
        case ConditionOR(args=args):
            return reduce(or_, (expression(arg, fields) for arg in args))
        case ConditionNOT(args=[arg]):
            return ~expression(arg, fields)
        case ConditionFieldEqualsValueExpression(field=field, value=value):
            return _compared(fields[field], value, fields)
        case ConditionValueExpression(value=value):
            raise Unfit(f"{value} stands without a field; name the field it is searched in")
    raise Unfit("the condition selects nothing")


def _compared(column: Column, value: Any, fields: Mapping[str, Column]) -> pl.Expr:
    match value:
        case SigmaExpansion(values=values):
            return reduce(or_, (_compared(column, one, fields) for one in values))
        case SigmaNull():
            return missing(column)
        case SigmaExists(exists=exists):
            return ~missing(column) if exists else missing(column)
        case SigmaFieldReference():
            return _same(column, value, fields)
        case SigmaString():
            return any_of(column, _text(column, value))
        case SigmaTimestampPart(timestamp_part=part, number=number):
            return any_of(column, _part(column, part, number))
        case SigmaNumber(number=number):
            return any_of(column, _number(column, number))
        case SigmaBool(boolean=boolean):
            _refuse_unless(column, column.kind is Kind.BOOL, "true or false")
            return any_of(column, lambda one: one == boolean)
        case SigmaRegularExpression():
            return any_of(column, _regex(column, value))
        case SigmaCIDRExpression(network=network):
            _refuse_unless(column, column.kind is Kind.ADDRESS, "a network")
            return any_of(column, within(network))
        case SigmaCompareExpression(number=number, op=operator):
            return any_of(column, _order(column, operator, number))
    raise Unfit(f"{type(value).__name__.removeprefix('Sigma')} is not supported", column.name)


def _text(column: Column, value: SigmaString) -> Leaf:
    parts = [part for part in value.s if part != ""]
    if value.contains_placeholder():
        raise Unfit("placeholders (|expand) are not supported; write the values out", column.name)
    plain = not value.contains_special()
    if plain and column.kind is Kind.ADDRESS:
        packed = address_bytes(_parsed(column, parse_address, str(value)))
        return lambda one: one == pl.lit(packed)
    if plain and column.kind is Kind.MAC:
        number = mac_number(_parsed(column, parse_mac, str(value)))
        return lambda one: one == number
    _refuse_unless(
        column, column.kind in TEXTS or column.kind in (Kind.ADDRESS, Kind.MAC), f"the text '{value}'"
    )
    fits, text = pattern(parts, cased=isinstance(value, SigmaCasedString)), words(column)  # type: ignore[arg-type]
    return lambda one: fits(text(one))


def _parsed(column: Column, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except ValueError as error:
        hint = "; for a network write |cidr" if "/" in text else ""
        raise Unfit(f"{error}{hint}", column.name) from None


def _number(column: Column, number: int | float) -> Leaf:
    if column.kind in TEXTS:
        return pattern([str(number)], cased=False)
    _refuse_unless(column, column.kind in NUMBERS, f"the number {number}")
    return lambda one: one == number


def _order(column: Column, operator: CompareOperators, number: Any) -> Leaf:
    compare = _COMPARED[operator]
    if isinstance(number, SigmaTimestampPart):
        part, wanted = _PARTS[number.timestamp_part], number.number
        _refuse_unless(column, column.kind is Kind.TIMESTAMP, "a part of a time")
        return lambda one: compare(part(one), wanted)
    _refuse_unless(column, column.kind in NUMBERS, "an order")
    return lambda one: compare(one, number.number)


def _part(column: Column, part: TimestampPart, number: int | float) -> Leaf:
    _refuse_unless(column, column.kind is Kind.TIMESTAMP, "a part of a time")
    return lambda one: _PARTS[part](one) == number


def _regex(column: Column, value: SigmaRegularExpression) -> Leaf:
    _refuse_unless(
        column, column.kind in TEXTS or column.kind in (Kind.ADDRESS, Kind.MAC), "a regular expression"
    )
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    text = words(column)
    try:
        fits = regex(str(value.regexp), flags)
    except ValueError as error:
        raise Unfit(
            f"the regular expression {value.regexp} cannot be used: {error}; write it without look-around and "
            "back-references, whose time has no bound, or as |contains, |startswith and |endswith",
            column.name,
        ) from None
    return lambda one: fits(text(one))


def _same(column: Column, value: SigmaFieldReference, fields: Mapping[str, Column]) -> pl.Expr:
    other = fields.get(value.field)
    if other is None:
        raise Unfit(
            f"|fieldref names the field '{value.field}', which this service does not have", column.name
        )
    if (
        value.starts_with
        or value.ends_with
        or column.kind in LISTS
        or HOLDS[column.kind] != HOLDS[other.kind]
    ):
        raise Unfit(
            f"|fieldref compares two fields of one kind, whole: {column.name} holds {HOLDS[column.kind]}, "
            f"{other.name} {HOLDS[other.kind]}",
            column.name,
        )
    return (pl.col(column.name) == pl.col(other.name)).fill_null(value=False)


def _refuse_unless(column: Column, fits: bool, what: str) -> None:
    if fits:
        return
    holds = HOLDS[column.kind]
    repair = {
        "number": "write a number, without quotes",
        "list of numbers": "write a number, without quotes",
        "true or false": "write true or false, without quotes",
        "IP address": 'write an address such as "10.20.0.11", or a network with |cidr',
        "MAC address": 'write an address such as "00:00:5e:00:53:01"',
        "time": "compare a part of it: |hour, |minute, |day, |week, |month or |year, and |gte, |lt and so on",
    }.get(holds, "write text")
    raise Unfit(f"{column.name} holds {holds}, which {what} does not fit; {repair}", column.name)
