"""What a policy may say but rarely should: found without traffic, never a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

from policy.levels import skips_level
from policy.modbus import WRITING
from policy.model import AllowRule, Site
from policy.operation_words import CLASSES
from policy.problems import Path, path_text
from policy.services import NAMED_OPERATIONS
from policy.shadows import shadowed_rules
from policy.sla_lints import sla_remarks
from policy.values import DAYS, suggestion


@dataclass(frozen=True, slots=True)
class Lint:
    """One remark: its place in the policy, what it is, and what to do."""

    code: str
    path: Path
    message: str

    @property
    def where(self) -> str:
        """The place as text: `conduits[2].allow[0]`."""
        return path_text(self.path)

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


def lint(site: Site) -> list[Lint]:
    """Every remark on a site that the loader accepted, in the order of the file's sections."""
    return [
        *_zones(site),
        *_conduits(site),
        *_rules(site),
        *_shadowed(site),
        *_remote_access(site),
        *_changes(site),
        *(Lint(*remark) for remark in sla_remarks(site)),
        *_polls(site),
    ]


def _zones(site: Site) -> Iterator[Lint]:
    held = {sla.scope.zone for sla in site.sla}
    for index, zone in enumerate(site.zones):
        here: Path = ("zones", index)
        if not zone.sensors:
            yield Lint(
                "unseen-zone", here, f"no sensor sees zone {zone.id}; name it in `sensors`, or place one"
            )
        if not zone.cidrs:
            yield Lint(
                "empty-zone",
                here,
                f"zone {zone.id} has no prefixes, so no traffic is ever in it; add `cidrs`",
            )
        if zone.criticality == "C1" and zone.id not in held:
            yield Lint(
                "c1-without-sla",
                here,
                f"zone {zone.id} is C1 and has no SLA of its own, so the class's figures hold; add it to `sla`",
            )


def _conduits(site: Site) -> Iterator[Lint]:
    zones = {zone.id: zone for zone in site.zones}
    for index, conduit in enumerate(site.conduits):
        one, other = zones[conduit.from_zone], zones[conduit.to_zone]
        if skips_level(one, other):
            yield Lint(
                "skipped-level",
                ("conduits", index),
                f"conduit {conduit.id} goes from level {one.purdue:g} to {other.purdue:g} without a DMZ; "
                "end it in the DMZ with a conduit on either side",
            )


def _rules(site: Site) -> Iterator[Lint]:
    addresses = {asset.id: asset.ip for asset in site.assets}
    for at, conduit in enumerate(site.conduits):
        for index, rule in enumerate(conduit.allow):
            here: Path = ("conduits", at, "allow", index)
            if rule.src is None and rule.dst is None and rule.service is None and rule.port is None:
                yield Lint(
                    "any-to-any", here, f"rule {rule.id} allows any host any service; name hosts or a service"
                )
            missing = [name for name in ("reason", "owner", "expires") if not getattr(rule, name)]
            if missing:
                yield Lint(
                    "undocumented-rule", here, f"rule {rule.id} has no {', no '.join(missing)}; add it"
                )
            for side in ("src", "dst"):
                for name in getattr(rule, side) or ():
                    if name in addresses and addresses[name] is None:
                        yield Lint(
                            "asset-without-address",
                            (*here, side),
                            f"rule {rule.id} names {name}, which has no `ip`, so it matches nothing; give it one",
                        )
            yield from _contradictions(here, rule)
            yield from _named_operations(here, rule)


def _contradictions(here: Path, rule: AllowRule) -> Iterator[Lint]:
    writing = sorted(WRITING & set(rule.functions or ()))
    if writing and rule.write == ():
        yield Lint(
            "write-without-range",
            here,
            f"rule {rule.id} allows functions {', '.join(map(str, writing))} but `write: []` leaves them nothing; "
            "give ranges or leave the functions out",
        )
    if rule.service == "modbus" and rule.functions is None and rule.read is None and rule.write is None:
        yield Lint(
            "modbus-unlimited", here, f"rule {rule.id} allows every Modbus function and address; limit it"
        )


def _named_operations(here: Path, rule: AllowRule) -> Iterator[Lint]:
    if rule.service in NAMED_OPERATIONS and rule.operations is None:
        yield Lint(
            "operations-unlimited",
            here,
            f"rule {rule.id} allows every operation of {rule.service}, programs and stops too; name `operations`",
        )
    for name in rule.operations or ():
        if name not in CLASSES and (meant := suggestion(name.lower(), list(CLASSES))):
            yield Lint(
                "operation-like-a-class",
                (*here, "operations"),
                f"rule {rule.id}: {name!r} is no class of operations, so it stands for one of this name{meant}",
            )


def _shadowed(site: Site) -> Iterator[Lint]:
    for place, rule, cover in shadowed_rules(site):
        yield Lint(
            "shadowed-rule",
            place,
            f"rule {rule.id} allows nothing that rule {cover.id} does not allow already; remove one",
        )


def _remote_access(site: Site) -> Iterator[Lint]:
    for index, access in enumerate(site.remote_access):
        here: Path = ("remote_access", index)
        if access.vendor and not access.intermediate:
            yield Lint(
                "vendor-without-jump-host", here, f"{access.id} has no jump host; name it in `intermediate`"
            )
        if access.vendor and access.approval != "required":
            yield Lint(
                "vendor-without-approval", here, f"{access.id} needs no approval; set `approval: required`"
            )
        for day in DAYS:
            todays = sorted((w.start, w.end) for w in access.windows if day in w.days)
            if any(later[0] < earlier[1] for earlier, later in pairwise(todays)):
                yield Lint(
                    "overlapping-windows",
                    (*here, "windows"),
                    f"windows of {access.id} overlap on {day}; join them",
                )


def _changes(site: Site) -> Iterator[Lint]:
    of_asset: dict[str, list[int]] = {}
    for index, change in enumerate(site.changes):
        for asset in dict.fromkeys(change.assets):
            of_asset.setdefault(asset, []).append(index)
    for asset, indexes in of_asset.items():
        for one, other in combinations(indexes, 2):
            first, second = site.changes[one], site.changes[other]
            if first.start < second.end and second.start < first.end:
                yield Lint(
                    "overlapping-windows",
                    ("changes", other),
                    f"changes {first.ref} and {second.ref} overlap on {asset}; findings take the first of the file",
                )


def _polls(site: Site) -> Iterator[Lint]:
    addresses = {asset.id: asset.ip for asset in site.assets}
    for index, poll in enumerate(site.polls):
        for side, name in (("client", poll.client), ("server", poll.server)):
            if addresses[name] is None:
                yield Lint(
                    "asset-without-address",
                    ("polls", index, side),
                    f"a poll names {name}, which has no `ip`, so its requests are not found; give it one",
                )
