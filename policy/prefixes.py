"""Prefixes in; for any address the prefixes that hold it, found by one search in sorted intervals."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from typing import Final, Generic, TypeVar

from policy.values import IpAddress, IpNetwork

T = TypeVar("T")

_MAPPED_FIRST: Final = 0xFFFF << 32
_MAPPED_LAST: Final = _MAPPED_FIRST + (1 << 32) - 1
_HIGHEST: Final = (1 << 128) - 1


def address_bytes(address: IpAddress) -> bytes:
    """An address in the form of the wire tables: 16 bytes, IPv4 mapped (RFC 4291, 2.5.5.2)."""
    return _number(address).to_bytes(16, "big")


def _number(address: IpAddress) -> int:
    return int(address) + (_MAPPED_FIRST if address.version == 4 else 0)


def network_range(network: IpNetwork) -> tuple[int, int]:
    """First and last address of a prefix as 128-bit numbers, IPv4 mapped."""
    return _number(network[0]), _number(network[-1])


class PrefixMap(Generic[T]):
    """Values by prefix. Prefixes nest or are apart, so sorted they cut the address space into intervals.

    An IPv6 prefix never holds an IPv4 address, even where it covers the range IPv4 is mapped into.
    """

    def __init__(self, prefixes: Iterable[tuple[IpNetwork, T]]) -> None:
        ranges: dict[tuple[int, int], list[T]] = {(_MAPPED_FIRST, _MAPPED_LAST): []}
        for network, value in prefixes:
            ranges.setdefault(network_range(network), []).append(value)
        starts: list[int] = [0]
        covering: list[tuple[T, ...]] = [()]

        def cut(at: int, values: tuple[T, ...]) -> None:
            if at > _HIGHEST:
                return
            if starts[-1] == at:
                covering[-1] = values
            else:
                starts.append(at)
                covering.append(values)

        stack: list[tuple[int, tuple[T, ...]]] = [(_HIGHEST, ())]
        for (first, last), values in sorted(ranges.items(), key=lambda item: (item[0][0], -item[0][1])):
            while stack[-1][0] < first:
                end, _ = stack.pop()
                cut(end + 1, stack[-1][1])
            outer = () if first == _MAPPED_FIRST and last == _MAPPED_LAST else stack[-1][1]
            inner = (*outer, *values)
            cut(first, inner)
            stack.append((last, inner))
        while len(stack) > 1:
            end, _ = stack.pop()
            cut(end + 1, stack[-1][1])
        self.starts = [start.to_bytes(16, "big") for start in starts]
        #: Of each interval: the values of the prefixes that hold it, the shortest prefix first.
        self.covering = covering

    def interval(self, address: bytes) -> int:
        """The number of the interval that holds 16 bytes of address."""
        return bisect_right(self.starts, address) - 1

    def at(self, address: bytes) -> tuple[T, ...]:
        """The values of the prefixes that hold an address, the shortest prefix first."""
        return self.covering[self.interval(address)]
