"""One comparison of a rule in; the column expression that is true for the rows it matches, out.

Every expression is true or false, never null: `not` of a comparison with a field that has no value is true. Patterns
run in an engine without backtracking (Rust's regex crate): their time grows with the text, whatever the pattern.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Sequence
from typing import Final

import polars as pl
from sigma.types import SpecialChars

from policy.prefixes import network_range
from policy.values import IpNetwork
from policy.violations import address_texts, mac_texts
from sensors.records import Column, Kind

_MAPPED: Final = ipaddress.IPv6Network("::ffff:0:0/96")
_NO_ADDRESS: Final = bytes(16)
_WILDCARDS: Final = {SpecialChars.WILDCARD_MULTI: ".*", SpecialChars.WILDCARD_SINGLE: "."}

Leaf = Callable[[pl.Expr], pl.Expr]


def any_of(column: Column, leaf: Leaf) -> pl.Expr:
    """The comparison of a field's value; of a list's, that one of them fits."""
    name = pl.col(column.name)
    made = name.list.eval(leaf(pl.element())).list.any() if _is_list(column) else leaf(name)
    return made.fill_null(value=False)


def words(column: Column) -> Leaf:
    """The field's value as text: addresses dotted, MAC addresses as six octets."""
    texts = {Kind.ADDRESS: address_texts, Kind.MAC: mac_texts}.get(column.kind)
    if texts is None:
        return lambda value: value.cast(pl.String)
    return lambda value: value.map_batches(texts, return_dtype=pl.String)


def pattern(parts: Sequence[str | SpecialChars], *, cased: bool) -> Leaf:
    """The whole text, with wildcards between its pieces."""
    fold: Leaf = (lambda value: value) if cased else (lambda value: value.str.to_lowercase())
    match [*parts]:
        case []:
            return lambda value: value == ""
        case [SpecialChars.WILDCARD_MULTI]:
            return lambda value: value != ""
        case [str(text)]:
            return lambda value: fold(value) == fold(pl.lit(text))
        case [str(text), SpecialChars.WILDCARD_MULTI]:
            return lambda value: fold(value).str.starts_with(fold(pl.lit(text)))
        case [SpecialChars.WILDCARD_MULTI, str(text)]:
            return lambda value: fold(value).str.ends_with(fold(pl.lit(text)))
        case [SpecialChars.WILDCARD_MULTI, str(text), SpecialChars.WILDCARD_MULTI]:
            return lambda value: fold(value).str.contains(fold(pl.lit(text)), literal=True)
    body = "".join(
        _WILDCARDS[part] if isinstance(part, SpecialChars) else pl.escape_regex(part) for part in parts
    )
    return regex(rf"\A{body}\z", "s" if cased else "is")


def regex(text: str, flags: str) -> Leaf:
    """A regular expression, anywhere in the text. ValueError where the engine refuses it."""
    whole = f"(?{flags}){text}" if flags else text
    try:
        pl.Series([""]).str.contains(whole, literal=False, strict=True)
    except pl.exceptions.ComputeError as error:
        raise ValueError(_reason(str(error))) from None
    return lambda value: value.str.contains(whole, literal=False)


def _reason(message: str) -> str:
    """The engine's message in a line, without the pattern drawn beneath it and the place in our own code."""
    lines = [line for line in message.partition("\n\n")[0].splitlines() if not line.startswith("    ")]
    return lines[-1].removeprefix("regex error: ").removeprefix("error: ").strip().rstrip(".")


def within(network: IpNetwork) -> Leaf:
    """Addresses of a network; a prefix of IPv6 never holds an address of IPv4."""
    first, last = (number.to_bytes(16, "big") for number in network_range(network))
    inside: Leaf = lambda value: (value >= pl.lit(first)) & (value <= pl.lit(last))  # noqa: E731
    if network.version == 4:
        return inside
    four_first, four_last = (number.to_bytes(16, "big") for number in network_range(_MAPPED))
    return lambda value: inside(value) & ~((value >= pl.lit(four_first)) & (value <= pl.lit(four_last)))


def missing(column: Column) -> pl.Expr:
    """The field has no value: nothing, empty text, an empty list, no address."""
    value = pl.col(column.name)
    if _is_list(column):
        return value.is_null() | (value.list.len() == 0)
    empty: dict[Kind, object] = {
        Kind.TEXT: "", Kind.NAME: "", Kind.LABEL: "", Kind.ADDRESS: _NO_ADDRESS, Kind.MAC: 0,
    }  # fmt: skip
    if column.kind in empty:
        return (value.is_null() | (value == pl.lit(empty[column.kind]))).fill_null(value=True)
    return value.is_null()


def _is_list(column: Column) -> bool:
    return column.kind in (Kind.TEXT_LIST, Kind.INT16_LIST, Kind.UINT16_LIST, Kind.UINT32_LIST)
