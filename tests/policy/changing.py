"""A site with change windows, and what its checks say of rows as the decoder writes them."""

from __future__ import annotations

import polars as pl

from policy.checks.base import CaptureCheck
from policy.zoning import CompiledSite
from tests.policy.factories import SITE, Wire, compiled

#: NOON is 2026-11-23T12:00:00Z. vsd1 may be programmed at noon, plc1 written an hour later, sis1 never.
WINDOWS = """\
changes:
- {ref: CHG-1, start: "2026-11-23T12:00:00Z", end: "2026-11-23T12:10:00Z", assets: [vsd1],
   operations: [modbus.program, s7comm.write], rollback_by: "2026-11-23T12:20:00Z"}
- {ref: CHG-2, start: "2026-11-23T13:00:00Z", end: "2026-11-23T13:10:00Z", assets: [plc1],
   operations: [modbus.write, opcua.write]}
"""


def site(windows: str = WINDOWS) -> CompiledSite:
    """The site of the tests, with these windows."""
    return compiled(SITE + windows)


def found(check: CaptureCheck, *wires: Wire, mine: CompiledSite | None = None) -> pl.DataFrame:
    """What a check says of batches in this order."""
    mine = mine or site()
    watch = check.watch(mine)
    for wire in wires:
        watch.feed(wire.judged(mine))
    return watch.violations()
