"""Traffic in; operations that change a device out, each with how it stands to the change windows.

A program that is loaded, a controller that is started or stopped, nodes of an address space that come and go need a
window, whoever does it. A value that is written, or a configuration, needs one where a window of the policy names
that operation for the device; what a rule allows by its range or its node is a setpoint and needs none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import polars as pl

from policy.judged import Judged
from policy.modbus import WRITING
from policy.operations.modbus import ModbusOperations
from policy.operations.modbus import in_words as modbus_in_words
from policy.operations.opcua import OpcuaOperations, went_through
from policy.operations.opcua import in_words as opcua_in_words
from policy.programming import WRITE_FILE, is_programming, naming_function
from policy.services import BY_NAME
from policy.violations import VIOLATION, added_up, grouped, rows_of
from policy.windows import BEYOND, COVERED, ELSEWHERE, OUTSIDE, Standing, planned, standings
from policy.zoning import CompiledSite

#: Classes of operations that change what a device does, whatever its protocol.
_ALWAYS: Final = ("program", "start", "stop", "restart")
#: Classes that change it where the policy says so.
_WHERE_PLANNED: Final = ("write", "configure")
#: A program that is only fetched or looked at changes nothing.
_FETCHING: Final = r"(?i)\b(upload|read|get|return|open|close|information|backup)\b"
_NODES: Final = ("AddNodes", "DeleteNodes", "AddReferences", "DeleteReferences")
#: Who works within which window: kept for so many.
_WORKERS_LIMIT: Final = 65_536

_MODBUS, _OPCUA = ModbusOperations(), OpcuaOperations()
_ANSWERED: Final = pl.col("outcome") == "answered"
_Describe = Callable[[pl.DataFrame], pl.DataFrame]


class Changes:
    """The changes of one capture; grows with subjects and minutes, and with who works in windows."""

    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._found: dict[Standing, pl.DataFrame] = {}
        self._workers: set[tuple[bytes, str]] = set()

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        for standing, changes in _changes(self._site, judged):
            if standing.kind in (COVERED, BEYOND) and len(self._workers) < _WORKERS_LIMIT:
                clients = changes["client_ip"].unique()
                self._workers.update((client, ref) for client in clients for ref in standing.refs)
            if standing.kind != COVERED:
                before = self._found.get(standing, pl.DataFrame(schema=VIOLATION))
                self._found[standing] = added_up(before, changes)

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        at = pl.col("minute")
        left = {standing: found.filter(at >= before_ns) for standing, found in self._found.items()}
        self._found = {standing: found for standing, found in left.items() if found.height}

    def unplanned(self) -> pl.DataFrame:
        """Changes while no window was open, or only one for assets at which their client does nothing: VIOLATION."""
        return self._all(lambda standing: standing.kind == OUTSIDE, at_work=False)

    def out_of_scope(self) -> pl.DataFrame:
        """Changes by who works in a window, at what it is not for: VIOLATION; `what` is `REF: operation`."""
        return self._all(lambda standing: standing.kind == BEYOND, at_work=True)

    def _all(self, holds: Callable[[Standing], bool], *, at_work: bool) -> pl.DataFrame:
        total = pl.DataFrame(schema=VIOLATION)
        for standing, found in self._found.items():
            if holds(standing):
                part = _of_change(found, standing.refs[0]) if at_work else found
                total = added_up(total, part)
            elif standing.kind == ELSEWHERE:
                total = added_up(total, self._by_workers(found, standing.refs, at_work=at_work))
        return total

    def _by_workers(self, found: pl.DataFrame, refs: Sequence[str], *, at_work: bool) -> pl.DataFrame:
        """Changes by who works in one of the windows, as changes of the first such; or those by all others."""
        parts = []
        for ref in refs:
            is_at_work = pl.col("client_ip").is_in([client for client, work in self._workers if work == ref])
            parts.append(_of_change(found.filter(is_at_work), ref))
            found = found.filter(~is_at_work)
        return pl.concat(parts) if at_work else found


def _of_change(found: pl.DataFrame, ref: str) -> pl.DataFrame:
    return found.with_columns(what=pl.format("{}: {}", pl.lit(ref), "what"))


def _changes(site: CompiledSite, judged: Judged) -> Iterator[tuple[Standing, pl.DataFrame]]:
    """Violations (one row a subject and minute) of each standing, covered ones too."""
    yield from _programs(site, judged)
    yield from _nodes(site, judged)
    yield from _operations(site, judged)
    yield from _modbus_writes(site, judged)
    yield from _opcua_writes(site, judged)


def _programs(site: CompiledSite, judged: Judged) -> Iterator[tuple[Standing, pl.DataFrame]]:
    rows = judged.traffic.modbus.filter(is_programming())
    if rows.is_empty():
        return
    rows = rows.with_columns(service=pl.lit("modbus"), decoded=pl.lit(value=True))
    # A function that a rule lists is what the rule is for, but programs are loaded when windows say so, if they do.
    in_windows = rows["server_ip"].is_in(planned(site, "modbus.program")) & (rows["function"] != WRITE_FILE)
    named = naming_function(site, rows) & ~in_windows
    yield from _standing(site, rows.filter(~named), "modbus.program", _ANSWERED, modbus_in_words)


def _nodes(site: CompiledSite, judged: Judged) -> Iterator[tuple[Standing, pl.DataFrame]]:
    rows = judged.traffic.opcua.filter(pl.col("service").is_in(_NODES))
    rows = rows.rename({"service": "called"}).with_columns(service=pl.lit("opcua"))
    yield from _standing(site, rows, "opcua.configure", went_through(), opcua_in_words)


def _operations(site: CompiledSite, judged: Judged) -> Iterator[tuple[Standing, pl.DataFrame]]:
    rows = judged.traffic.operations.filter(
        pl.col("operation_class").is_in([*_ALWAYS, *_WHERE_PLANNED]) & pl.col("flow_id").is_not_null()
    )
    rows = rows.filter(~pl.col("operation").str.contains(_FETCHING))
    if rows.is_empty():
        return
    rows = rows.rename({"operation": "called"})
    for (service, kind), mine in rows.group_by("service", "operation_class", maintain_order=True):
        operation = f"{service}.{kind}"
        if kind in _WHERE_PLANNED:
            mine = mine.filter(pl.col("server_ip").is_in(planned(site, operation)))
        if kind == "write":
            # Within a zone no rule can say what is a setpoint.
            mine = mine.filter("crosses").with_columns(decoded=pl.lit(value=True))
            mine = mine.filter(~site.rules.allow_rows(mine))
        if str(service) in BY_NAME:
            yield from _standing(site, mine, operation, _ANSWERED, _operation_in_words)


def _modbus_writes(site: CompiledSite, judged: Judged) -> Iterator[tuple[Standing, pl.DataFrame]]:
    values = sorted(WRITING - {WRITE_FILE})
    rows = judged.modbus.filter(
        pl.col("function").is_in(values) & pl.col("server_ip").is_in(planned(site, "modbus.write"))
    )
    for standing, part in _by_standing(site, rows, "modbus.write"):
        yield standing, _refused(_MODBUS.refused(site, replace(judged, modbus=part)))
        yield from _standing(
            site, part.filter(~pl.col("allowed")), "modbus.write", _ANSWERED, modbus_in_words
        )


def _opcua_writes(site: CompiledSite, judged: Judged) -> Iterator[tuple[Standing, pl.DataFrame]]:
    rows = judged.opcua.filter(
        (pl.col("called") == "Write") & pl.col("server_ip").is_in(planned(site, "opcua.write"))
    )
    for standing, part in _by_standing(site, rows, "opcua.write"):
        yield standing, _refused(_OPCUA.refused(site, replace(judged, opcua=part)))
        yield from _standing(
            site, part.filter(~pl.col("allowed")), "opcua.write", went_through(), opcua_in_words
        )


def _refused(violations: pl.DataFrame) -> pl.DataFrame:
    """What no rule allows of it: writes; the limits that are broken do not tell changes apart."""
    return violations.filter(pl.col("operation").str.ends_with(".write")).with_columns(what="operation")


def _by_standing(
    site: CompiledSite, rows: pl.DataFrame, operation: str
) -> Iterator[tuple[Standing, pl.DataFrame]]:
    if not rows.is_empty():
        yield from standings(site, rows.with_columns(operation=pl.lit(operation)))


def _standing(
    site: CompiledSite, rows: pl.DataFrame, operation: str, confirmed: pl.Expr, describe: _Describe
) -> Iterator[tuple[Standing, pl.DataFrame]]:
    """Rows of one operation as violations, by their standing."""
    if rows.is_empty():
        return
    made = rows_of(
        rows.with_columns(service=pl.lit(operation.partition(".")[0])),
        frame=pl.coalesce("request_frame", "response_frame"),
        what=pl.lit(operation),
        operation=pl.lit(operation),
        confirmed=confirmed,
        doubt=pl.col("after_gap"),
    )
    for standing, part in standings(site, made):
        yield standing, grouped(part, lambda examples: describe(examples).with_columns(nearest=pl.lit("")))


def _operation_in_words(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the operation in words: `download block DB1, answered`."""
    thing = pl.when(pl.col("object") != "").then(pl.format(" {}", "object")).otherwise(pl.lit(""))
    return rows.with_columns(text=pl.format("{}{}, {}", "called", thing, "outcome"))
