"""Prefix maps against the obvious way: the longest of all prefixes that hold the address."""

from __future__ import annotations

import ipaddress

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from policy.lookup import intervals_of
from policy.prefixes import PrefixMap, address_bytes, network_range
from policy.values import IpAddress, IpNetwork, parse_network
from sensors.addresses import address_text


def _v4(bits: int, length: int) -> IpNetwork:
    return ipaddress.ip_network(((bits << 24) & 0xFFFFFFFF, length), strict=False)


def _v6(bits: int, length: int) -> IpNetwork:
    return ipaddress.ip_network((bits << 120, length), strict=False)


networks = st.one_of(
    st.builds(_v4, st.integers(0, 255), st.integers(0, 32)),
    st.builds(_v6, st.integers(0, 255), st.integers(0, 128)),
)
addresses = st.one_of(
    st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address),
    st.integers(0, 2**128 - 1).map(ipaddress.IPv6Address).filter(lambda a: a.ipv4_mapped is None),
)


@given(st.lists(networks, max_size=12, unique=True), st.lists(addresses, min_size=1, max_size=8))
def test_agrees_with_trying_every_prefix(prefixes: list[IpNetwork], probes: list[IpAddress]) -> None:
    table = PrefixMap([(network, str(network)) for network in prefixes])
    edges = [edge for network in prefixes for edge in (network[0], network[-1])]
    for address in [*probes, *edges]:
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            continue
        holding = [n for n in prefixes if n.version == address.version and address in n]
        wanted = tuple(str(n) for n in sorted(holding, key=lambda n: n.prefixlen))
        assert table.at(address_bytes(address)) == wanted


def test_an_ipv6_default_does_not_hold_ipv4() -> None:
    table = PrefixMap([(ipaddress.ip_network("::/0"), "all v6")])
    assert table.at(address_bytes(ipaddress.ip_address("10.0.0.1"))) == ()
    assert table.at(address_bytes(ipaddress.ip_address("2001:db8::1"))) == ("all v6",)
    assert table.at(address_bytes(ipaddress.ip_address("::1:0:0:0"))) == ("all v6",)


def test_both_defaults_hold_their_own_family() -> None:
    table = PrefixMap([(ipaddress.ip_network("0.0.0.0/0"), 4), (ipaddress.ip_network("::/0"), 6)])
    assert table.at(address_bytes(ipaddress.ip_address("255.255.255.255"))) == (4,)
    assert table.at(b"\xff" * 16) == (6,)


def test_a_mapped_prefix_is_the_ipv4_prefix() -> None:
    assert parse_network("::ffff:10.0.0.0/104") == ipaddress.ip_network("10.0.0.0/8")


def test_addresses_are_16_bytes_and_back() -> None:
    for text in ("10.20.0.11", "2001:db8::1", "::"):
        assert address_text(address_bytes(ipaddress.ip_address(text))) == text
    assert address_bytes(ipaddress.ip_address("10.20.0.11")).hex() == "00000000000000000000ffff0a14000b"


def test_a_range_is_first_and_last() -> None:
    first, last = network_range(ipaddress.ip_network("10.0.0.0/30"))
    assert last - first == 3


def test_whole_columns_keep_their_order_repeats_and_nulls() -> None:
    table = PrefixMap([(ipaddress.ip_network("10.0.0.0/8"), "ten")])
    inside, outside = (address_bytes(ipaddress.ip_address(text)) for text in ("10.1.1.1", "11.1.1.1"))
    found = intervals_of(table, pl.Series([inside, None, outside, inside], dtype=pl.Binary)).to_list()
    assert [None if i is None else table.covering[i] for i in found] == [("ten",), None, (), ("ten",)]
