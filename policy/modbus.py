"""Modbus as rules speak of it: function codes and address ranges.

Source: MODBUS Application Protocol Specification V1.1b3, clause 6.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from policy.model import AllowRule

#: Functions that read by address, 20 (read file record) by another kind of address: never within a range.
READING: Final = frozenset({1, 2, 3, 4, 20, 23, 24})
#: Functions that write by address, 21 (write file record) likewise.
WRITING: Final = frozenset({5, 6, 15, 16, 21, 22, 23})

FUNCTION_NAMES: Final = {
    1: "Read Coils",
    2: "Read Discrete Inputs",
    3: "Read Holding Registers",
    4: "Read Input Registers",
    5: "Write Single Coil",
    6: "Write Single Register",
    7: "Read Exception Status",
    8: "Diagnostics",
    11: "Get Comm Event Counter",
    12: "Get Comm Event Log",
    15: "Write Multiple Coils",
    16: "Write Multiple Registers",
    17: "Report Server ID",
    20: "Read File Record",
    21: "Write File Record",
    22: "Mask Write Register",
    23: "Read/Write Multiple Registers",
    24: "Read FIFO Queue",
    43: "Encapsulated Interface Transport",
}


def functions_allowed(rule: AllowRule) -> tuple[int, ...] | None:
    """The function codes a rule allows; None is all.

    A rule that limits addresses but names no functions means those that have addresses: not the vendor's own
    function 90, which writes a program without any.
    """
    if rule.functions is None and (rule.read is not None or rule.write is not None):
        return tuple(sorted(READING | WRITING))
    return rule.functions


def joined_ranges(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ranges sorted, those that overlap or touch made one."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(ranges):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(joined[-1][1], last)
        else:
            joined.append((first, last))
    return joined
