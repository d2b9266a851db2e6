"""Two captures that differ in one thing: our engine reads one, Wireshark the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensors.capture import Capture, open_capture
from sensors.crosscheck import Crosscheck, crosscheck
from sensors.crosscheck import compare as module
from sensors.crosscheck.own import OwnRows
from sensors.engine import EngineLimits


def read_apart(monkeypatch: pytest.MonkeyPatch, ours: Path, theirs: Path) -> Crosscheck:
    """Our engine reads one capture, Wireshark the other."""
    own = open_capture(ours)

    def reading(_: Capture, tables: tuple[str, ...], limits: EngineLimits | None) -> OwnRows:
        return OwnRows(own, tables, limits)

    monkeypatch.setattr(module, "OwnRows", reading)
    return crosscheck(theirs)


def compared(found: Crosscheck) -> dict[tuple[str, str], int]:
    """How many values of each field were compared; none may differ without a reason."""
    assert [one for field in found.fields for one in field.differences if not one.explanation] == []
    return {(field.protocol, field.field): field.compared for field in found.fields}


def differences(found: Crosscheck) -> list[tuple[str, str, str, str]]:
    """Every difference without a reason: protocol, field, our value, Wireshark's."""
    return [
        (one.protocol, one.field, one.ours, one.wireshark)
        for field in found.fields
        for one in field.differences
        if not one.explanation
    ]
