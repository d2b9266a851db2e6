"""CHG-01: a program or configuration changed outside any window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.changes import Changes
from policy.checks.base import CaptureCheck, Watch
from policy.judged import Judged
from policy.violations import zone_text
from policy.zoning import CompiledSite


class UnplannedChange(CaptureCheck):
    """A device changed while no change window says that it may be.

    Reports
        A program loaded, a controller started, stopped or restarted (by any protocol that is classed), Modbus
        function 90 and others of makers' own, files written (21), OPC UA nodes added or deleted: outside the
        windows of `changes` for that device. Of a device for which a window names `modbus.write`, `opcua.write` or
        another write or configuration, such operations too, where no rule allows them. Refused ones are reported
        as attempted. Fetching a program is no change. A Modbus function that a rule lists by its number needs no
        window, unless one for that device names `modbus.program`; files (recipes) do not even then.

    Why it matters
        What a controller does is its program. A change that nobody planned is either a mistake or what all else
        was for.

    Example
        At night, between two changes, the engineering station loads twelve blocks into the pump's controller.

    Do not be fooled by
        Operators' setpoints: allow them by a rule's range or nodes, then they are no change. An emergency: declare
        it afterwards with `kind: emergency` and replay. What is encrypted.
    """

    id = "CHG-01"
    title = "a program or configuration change outside any window"
    base_severity = 4
    references = ("CM-3", "CIP-010")
    techniques = ("T0843", "T0836")

    def watch(self, site: CompiledSite) -> Watch:
        """Every change, until it is known who works in which window."""
        return _Unplanned(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The device, its windows, and what was done."""
        asset = site.asset_of(violation["server_ip"])
        name = asset.label if asset else f"This device of {zone_text(site, violation['server_zone'])}"
        windows = site.changes_by_asset.get(asset.id, ()) if asset else ()
        refs = ", ".join(change.ref for change in windows)
        planned = f"its windows ({refs}) are at other times" if windows else "the policy has no window for it"
        return (
            f"{name} was changed, and {planned}: {violation['what']} × {violation['count']}, first: "
            f"{violation['examples'][0]['text']}."
        )


class _Unplanned(Watch):
    settles = True

    def __init__(self, site: CompiledSite) -> None:
        self._changes = Changes(site)

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._changes.feed(judged)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        self._changes.settle(before_ns)

    def violations(self) -> pl.DataFrame:
        """Changes in no window."""
        return self._changes.unplanned()
