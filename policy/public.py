"""Which addresses are public: those that some network outside the site may have."""

from __future__ import annotations

import ipaddress
from typing import Final

import polars as pl

from policy.lookup import intervals_of
from policy.prefixes import PrefixMap

#: Ranges that no route leads to from outside (RFC 6890 and its registries). The ranges for documentation are not among
#: them: in a capture they stand for public addresses.
_NOT_PUBLIC: Final = PrefixMap(
    (ipaddress.ip_network(text), True)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "100::/64",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)


def public(addresses: pl.Series) -> pl.Series:
    """Whether each address is public: Binary(16) in, Boolean out."""
    values = pl.Series([not held for held in _NOT_PUBLIC.covering], dtype=pl.Boolean)
    return values.gather(intervals_of(_NOT_PUBLIC, addresses)).rename(addresses.name)
