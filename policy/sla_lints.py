"""Targets and excluded windows that contradict themselves or each other: found without traffic, never a refusal.

Two SLAs of one scope, and a 95th percentile above the 99th, are refused already where the policy is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from policy.model import ChangeWindow, Site, Sla
from policy.problems import Path
from policy.sla_classes import SLA_CLASSES

_NS_PER_MINUTE: Final = 60_000_000_000


class Remark(NamedTuple):
    """Code, place and message of a lint."""

    code: str
    path: Path
    message: str


def sla_remarks(site: Site) -> Iterator[Remark]:
    """Remarks on `changes`, then on `sla`, in the order of the file."""
    addresses = {asset.id: asset.ip for asset in site.assets}
    for index, change in enumerate(site.changes):
        if change.sla_exclude:
            blind = [name for name in dict.fromkeys(change.assets) if addresses.get(name) is None]
            yield from _excluded(("changes", index), change, blind)
    criticality = {zone.id: zone.criticality for zone in site.zones}
    for index, sla in enumerate(site.sla):
        here: Path = ("sla", index)
        yield from _targets(here, sla)
        # A conduit may well be of a lower class than the zone it asks: who asks is not who controls.
        usual = criticality.get(sla.scope.zone or "")
        if usual is not None and SLA_CLASSES[sla.sla_class].availability < SLA_CLASSES[usual].availability:
            yield Remark(
                "sla-below-criticality",
                (*here, "class"),
                f"SLA {sla.id} is of class {sla.sla_class}, but zone {sla.scope.zone} has criticality {usual}; "
                f"make it `class: {usual}`, or lower the zone's criticality",
            )


def _targets(here: Path, sla: Sla) -> Iterator[Remark]:
    target = sla.target
    deadline_ms, answer_ms, path_ms = (
        ns / 1e6 for ns in (target.deadline_ns, target.transaction_p99_ns, target.rtt_p99_ns)
    )
    if deadline_ms < answer_ms:
        yield Remark(
            "deadline-below-target",
            (*here, "deadline_ms" if sla.deadline_ms is not None else "transaction_p99_ms"),
            f"SLA {sla.id}: an answer after {answer_ms:g} ms still meets the transaction target, but after "
            f"{deadline_ms:g} ms it counts as late; raise `deadline_ms` to {answer_ms:g} or lower `transaction_p99_ms`",
        )
    if path_ms > answer_ms:
        yield Remark(
            "round-trip-above-answer",
            (*here, "rtt_p99_ms" if sla.rtt_p99_ms is not None else "transaction_p99_ms"),
            f"SLA {sla.id}: the network alone may take {path_ms:g} ms (`rtt_p99_ms`), the whole answer only "
            f"{answer_ms:g} ms (`transaction_p99_ms`); lower the first or raise the second",
        )


def _excluded(here: Path, change: ChangeWindow, blind: list[str]) -> Iterator[Remark]:
    if change.kind == "emergency":
        yield Remark(
            "emergency-excluded",
            (*here, "sla_exclude"),
            f"change {change.ref} is an emergency, which counts for the SLA all the same; leave `sla_exclude` out",
        )
        return
    if blind:
        yield Remark(
            "excluded-asset-without-address",
            (*here, "assets"),
            f"change {change.ref} leaves {', '.join(blind)} out of the SLA, which has no `ip`, so nothing is left "
            "out; give it one",
        )
    if change.start_ns % _NS_PER_MINUTE or change.end_ns % _NS_PER_MINUTE:
        yield Remark(
            "excluded-part-of-a-minute",
            (*here, "start" if change.start_ns % _NS_PER_MINUTE else "end"),
            f"change {change.ref} does not begin and end with a whole minute; the minutes it covers in part count: "
            "give whole minutes",
        )
