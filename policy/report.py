"""A loaded policy in; what `geophone policy check` says of it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from policy.lints import Lint, lint
from policy.loader import LoadedPolicy
from policy.suppression_lints import suppression_remarks
from policy.yaml_tree import read


@dataclass(frozen=True, slots=True)
class Remark:
    """One lint with its line in the file."""

    line: int
    lint: Lint

    def located(self, name: str) -> str:
        """`site.yaml:14 conduits[2]: message [code]`."""
        return f"{name}:{self.line} {self.lint.where}: {self.lint.message} [{self.lint.code}]"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A policy that loads: what it holds, and the remarks on it, by line."""

    name: str
    site_id: str
    sha256: str
    counts: Mapping[str, int]
    remarks: tuple[Remark, ...]


def check_report(loaded: LoadedPolicy, today: date | None = None) -> CheckReport:
    """Count and lint a policy that the loader accepted; what has expired is told where `today` is known."""
    site = loaded.site
    tree = read(loaded.text)
    remarks = (
        Remark(tree.line(found.path), found) for found in [*lint(site), *suppression_remarks(site, today)]
    )
    return CheckReport(
        name=loaded.name,
        site_id=site.id,
        sha256=loaded.sha256,
        counts={
            "zones": len(site.zones),
            "assets": len(site.assets),
            "conduits": len(site.conduits),
            "rules": sum(len(conduit.allow) for conduit in site.conduits),
            "remote access rules": len(site.remote_access),
            "changes": len(site.changes),
            "SLAs": len(site.sla),
            "suppressions": len(site.suppressions),
        },
        remarks=tuple(sorted(remarks, key=lambda r: (r.line, r.lint.where, r.lint.code, r.lint.message))),
    )
