"""Values seen in; the indicators of each out. The cost is that of the distinct values, not of the indicators."""

from __future__ import annotations

import ipaddress
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

import polars as pl

from analyzers.indicators.indicator import Indicator
from policy.prefixes import PrefixMap, address_bytes


class Lookup:
    """All indicators of a set, each found by its value."""

    def __init__(self, indicators: tuple[Indicator, ...]) -> None:
        addresses: dict[bytes, list[int]] = defaultdict(list)
        self._texts: dict[str, dict[str, list[int]]] = {
            "domain": defaultdict(list), "ja4": defaultdict(list), "certificate": defaultdict(list),
        }  # fmt: skip
        networks = []
        for number, one in enumerate(indicators):
            if one.what == "address":
                addresses[address_bytes(ipaddress.ip_address(one.value))].append(number)
            elif one.what == "network":
                networks.append((ipaddress.ip_network(one.value), number))
            else:
                self._texts[one.what][one.value].append(number)
        self._addresses: Mapping[bytes, list[int]] = addresses
        self._networks = PrefixMap(networks) if networks else None

    def addresses(self, seen: pl.Series) -> pl.DataFrame:
        """Addresses of 16 bytes in; `seen` and `indicator` of those that are, or are in, an indicator."""
        return _matches(seen, self._of_address, pl.Binary())

    def address_texts(self, seen: pl.Series) -> pl.DataFrame:
        """Addresses as text, and other texts, in; `seen` and `indicator` out."""
        return _matches(seen, lambda text: self._of_address(_packed(str(text))), pl.String())

    def names(self, seen: pl.Series) -> pl.DataFrame:
        """Host names as they were seen in; `seen` and `indicator` out."""
        return _matches(seen, self._of_name, pl.String())

    def fingerprints(self, seen: pl.Series, what: str) -> pl.DataFrame:
        """JA4 fingerprints or hashes of certificates in; `seen` and `indicator` out."""
        known = self._texts[what]
        return _matches(seen, lambda text: known.get(str(text).lower(), ()), pl.String())

    def _of_address(self, address: object) -> Iterator[int]:
        if not isinstance(address, bytes):
            return  # a text that is no address
        yield from self._addresses.get(address, ())
        if self._networks is not None:
            yield from self._networks.at(address)

    def _of_name(self, seen: object) -> Iterator[int]:
        name, known = host_of(str(seen)), self._texts["domain"]
        yield from known.get(name, ())
        while name := name.partition(".")[2]:
            yield from known.get(f"*.{name}", ())


def host_of(seen: str) -> str:
    """A name as indicators are written: no port, no dot at the end, lower case."""
    name = seen.strip().lower()
    host, colon, port = name.rpartition(":")
    return (host if colon and port.isdecimal() else name).rstrip(".")


def _packed(text: str) -> bytes | None:
    try:
        return address_bytes(ipaddress.ip_address(text))
    except ValueError:
        return None


def _matches(
    seen: pl.Series, indicators_of: Callable[[object], Iterable[int]], kind: pl.DataType
) -> pl.DataFrame:
    found = [(value, number) for value in seen.drop_nulls().unique() for number in indicators_of(value)]
    return pl.DataFrame(found, schema={"seen": kind, "indicator": pl.UInt32()}, orient="row")
