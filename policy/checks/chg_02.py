"""CHG-02: a change in a window, and out of its scope."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.changes import Changes
from policy.checks.base import CaptureCheck, Watch
from policy.judged import Judged
from policy.zoning import CompiledSite


class OutOfScope(CaptureCheck):
    """A change while a window is open, at a device or by an operation that the window does not name.

    Reports
        Of the operations that CHG-01 looks at: one in a window of its device whose `operations` do not list it; and
        one at a device that the window does not list, by somebody who works in that window at another one. Who
        does nothing in it has nothing to do with it: that is CHG-01.

    Why it matters
        A window is a permission for something. Who is in it is trusted, and what they do besides is not looked at.

    Example
        The change is for the second pump's program; the valve's controller gets one too.

    Do not be fooled by
        Devices that are changed in one go, as a controller and its panel are: list them both.
    """

    id = "CHG-02"
    title = "a change in a window but out of its scope"
    base_severity = 3
    references = ("CM-3",)

    def watch(self, site: CompiledSite) -> Watch:
        """Every change, until it is known who works in which window."""
        return _OutOfScope(site)

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What the change is for, and what was done."""
        ref, _, operation = violation["what"].partition(": ")
        change = next(one for one in site.site.changes if one.ref == ref)
        assets = ", ".join(site.assets[name].label for name in change.assets)
        operations = ", ".join(change.operations) if change.operations else "any operation"
        return (
            f"Change {ref} is for {assets} and {operations}; in its window there was {operation} × "
            f"{violation['count']} at another device or of another kind, first: {violation['examples'][0]['text']}."
        )


class _OutOfScope(Watch):
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
        """Changes out of the scope of the window that they happen in."""
        return self._changes.out_of_scope()
