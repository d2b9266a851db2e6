"""A MAC address in, the company that its first half is registered to out (IEEE's registry, as aiooui brings it)."""

from __future__ import annotations

import asyncio
from functools import cache

import aiooui

#: Stands where the registry gave the block away in smaller pieces, which the package does not list.
_UNKNOWN = "IEEE Registration Authority"


@cache
def _load() -> None:
    asyncio.run(aiooui.async_load())


def vendor_of(mac: str) -> str:
    """The company, empty where it is not known. Addresses that were made up (locally administered) have none."""
    if not mac or int(mac[1], 16) & 2:
        return ""
    _load()
    vendor = aiooui.get_vendor(mac)
    return "" if vendor is None or vendor == _UNKNOWN else vendor.strip(" ,")
