"""`geophone inventory`: a capture in; the devices that it shows, out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from analyzers.assets import Asset, Inventory, Told
from geophone.listing import Form, Head, warn, write_rows
from policy.loader import load
from policy.zoning import compile_site
from sensors.capture import open_capture
from sensors.engine import EngineLimits, decode

_FIELDS: Final = (
    "ip",
    "zone",
    "macs",
    "conflict",
    "names",
    "vendor",
    "model",
    "firmware",
    "system",
    "roles",
    "offers",
    "uses",
    "more",
    "first_seen",
    "last_seen",
)

_HEADS: Final = (
    Head("ip", "Address", whole=True),
    Head("macs_shown", "MAC", whole=True),
    Head("vendor_shown", "Vendor"),
    Head("names_shown", "Names"),
    Head("roles_shown", "Roles"),
    Head("device_shown", "Model, firmware"),
    Head("system_shown", "System"),
    Head("offers", "Offers"),
)

#: Values of one kind that people are shown; machines get all.
_SHOWN: Final = 3


def print_inventory(
    capture: Path,
    *,
    policy_file: Path | None = None,
    form: Form = "table",
    limits: EngineLimits | None = None,
) -> None:
    """Print what is known of every device of a capture; with a policy, in which zone it is."""
    site = None if policy_file is None else compile_site(load(policy_file).site)
    inventory = Inventory()
    with decode(open_capture(capture), limits=limits) as run:
        for batches in run:
            inventory.add(batches)
    assets = inventory.assets(site)
    heads = _HEADS if site is None else (*_HEADS[:1], Head("zone", "Zone", whole=True), *_HEADS[1:])
    rows = [_row(asset) if form == "table" else _fields(asset, form) for asset in assets]
    write_rows(rows, form, heads, _FIELDS, "No device was seen.")
    warn(inventory.not_kept, "things told of devices had no room and are left out.")


def _fields(asset: Asset, form: Form) -> dict[str, Any]:
    """Everything, for machines: in JSON each value with who told it, in CSV the values alone."""

    def told(values: Iterable[Told]) -> list[Any]:
        if form == "csv":
            return [value.value for value in values]
        return [{"value": value.value, "sources": list(value.sources)} for value in values]

    return {
        "ip": asset.ip,
        "zone": asset.zone,
        "macs": list(asset.macs),
        "conflict": asset.conflict,
        "names": told(asset.names),
        "vendor": told(asset.vendor),
        "model": told(asset.model),
        "firmware": told(asset.firmware),
        "system": told(asset.system),
        "roles": told(asset.roles),
        "offers": list(asset.offers),
        "uses": list(asset.uses),
        "more": {kind: told(values) for kind, values in asset.more.items()},
        "first_seen": asset.first_seen.isoformat(),
        "last_seen": asset.last_seen.isoformat(),
    }


def _row(asset: Asset) -> dict[str, Any]:
    """What fits on a line, for people: guesses carry a question mark."""
    return {
        "ip": asset.ip or "(no IP)",
        "zone": asset.zone or "-",
        "macs_shown": _few(asset.macs) + (" conflict!" if asset.conflict else ""),
        "vendor_shown": _values(asset.vendor),
        "names_shown": _values(asset.names),
        "roles_shown": _values(asset.roles),
        "device_shown": _values((*asset.model, *asset.firmware)),
        "system_shown": _values(asset.system),
        "offers": _few(asset.offers),
    }


def _values(told: Iterable[Told]) -> str:
    return _few([value.value + ("?" if value.sources == ("ttl",) else "") for value in told])


def _few(values: Iterable[str]) -> str:
    listed = list(values)
    more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
    return ", ".join(listed[:_SHOWN]) + more
