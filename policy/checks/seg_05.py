"""SEG-05: an operation the rule does not allow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from policy.checks.base import Check
from policy.judged import Judged
from policy.operations import OPERATIONS
from policy.violations import zone_text
from policy.zoning import CompiledSite


class OperationNotAllowed(Check):
    """An operation that none of the rules that allow the conversation allows.

    Reports
        A transaction whose unit, function or address is outside the limits of every rule that allows its
        conversation: for Modbus the unit identifier, the function code and the ranges read and written, all of
        a range, both parts of function 23. A write that the server refused or did not answer is reported as
        attempted; one that it confirmed raises the severity.

    Why it matters
        A conversation that is allowed to read is the usual way to write: the same port, the same hosts, one
        other function code. Only the operation tells them apart.

    Example
        Rule r1 lets the historian read holding registers 0 to 199 of a controller; the historian writes
        register 100 with function 16.

    Do not be fooled by
        Off-by-one addressing: ranges are 0-based protocol addresses, register 40001 is address 0. Pages of an
        operator panel that are rarely used. Conversations that no rule allows at all: those are SEG-04.
    """

    id = "SEG-05"
    title = "an operation that the rule does not allow"
    base_severity = 3
    references = ("SR 2.1",)
    techniques = ("T0855",)

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Transactions outside the limits of their rules, of every protocol whose operations can be limited."""
        return pl.concat([operations.refused(site, judged) for operations in OPERATIONS])

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says whether it was a read or a write."""
        service, _, operation = violation["operation"].partition(".")
        word = operation if operation in ("read", "write") else "operation"
        return f"a {service} {word} that the rule does not allow"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The operation, the conduit, and what the rule that came closest allows."""
        first = violation["examples"][0]
        rule, _, allowed = first["nearest"].partition(": ")
        return (
            f"Conduit {violation['conduit']} lets {zone_text(site, violation['client_zone'])} talk "
            f"{violation['decoded_service'] or violation['hinted_service']} to "
            f"{zone_text(site, violation['server_zone'])}, but no rule allows this operation: {first['text']}. "
            f"Rule {rule} comes closest; it allows {allowed}."
        )
