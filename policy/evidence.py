"""What other systems know of remote access: imported approvals, and logins that the gateway wrote down.

Held in columns, sorted, and looked up by bisection: there may be a million lines and there are few visits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from policy.named_files import NamedFile

if TYPE_CHECKING:  # A policy is checked without the column engine: only imported files need it.
    import polars as pl

#: A login is the tunnel's when it is so much before it at most: a clock that is off, a slow second factor.
LOGIN_SLACK_NS: Final = 5 * 60 * 1_000_000_000

#: What is known of a visit's second factor. Traffic alone never says more than `inferred`.
EVIDENCED: Final = "evidenced"
INFERRED: Final = "inferred"
MISSING: Final = "missing"


@dataclass(frozen=True, slots=True)
class _Approved:
    """The approvals of one rule, by their start; `latest_ns` is the latest end of each and those before it."""

    start_ns: pl.Series
    end_ns: pl.Series
    latest_ns: pl.Series
    refs: pl.Series


@dataclass(frozen=True, eq=False)
class Evidence:
    """Imported approvals and logins; `sha256` is of the files they came from, empty without any.

    The columns are those of `policy.evidence_rows`; None where no file was imported.
    """

    sha256: str = ""
    approvals: pl.DataFrame | None = None
    logins: pl.DataFrame | None = None
    #: The files themselves.
    files: tuple[NamedFile, ...] = ()
    #: Lines that name a rule which the policy does not have.
    of_other_rules: int = 0
    _by_rule: dict[str, _Approved] = field(init=False, default_factory=dict)
    _by_source: dict[bytes, tuple[pl.Series, pl.Series]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        if self.approvals is not None:
            for (rule,), rows in self.approvals.sort("start_ns", "end_ns", "ref").group_by("rule"):
                starts, ends = rows["start_ns"], rows["end_ns"]
                self._by_rule[str(rule)] = _Approved(starts, ends, ends.cum_max(), rows["ref"])
        if self.logins is not None:
            for (source,), rows in self.logins.sort("at_ns").group_by("source_ip"):
                self._by_source[source] = rows["at_ns"], rows["second_factor"]

    def approval(self, rule: str, first_ns: int, last_ns: int) -> str:
        """The ref of an imported approval that holds from the first to the last moment; "" where none does."""
        approved = self._by_rule.get(rule)
        if approved is None:
            return ""
        begun = int(approved.start_ns.search_sorted(first_ns, side="right"))
        if not begun or approved.latest_ns[begun - 1] <= last_ns:
            return ""
        # the first whose end makes the latest end late enough
        return str(approved.refs[int(approved.latest_ns[:begun].search_sorted(last_ns, side="right"))])

    def count_of(self, rule: str) -> int:
        """How many approvals of a rule were imported."""
        approved = self._by_rule.get(rule)
        return len(approved.refs) if approved else 0

    def second_factor(self, source: bytes | None, tunnel_ns: int | None, visit_ns: int) -> bool | None:
        """Whether the logins of a source for a tunnel had a second factor; None where none is logged.

        A login is the tunnel's from a little before its first packet to the visit it is for. One with a second
        factor is enough: whoever mistypes tries again.
        """
        found = self._by_source.get(source) if source is not None else None
        if found is None or tunnel_ns is None:
            return None
        times, factors = found
        first = int(times.search_sorted(tunnel_ns - LOGIN_SLACK_NS, side="left"))
        last = int(times.search_sorted(visit_ns, side="right"))
        return bool(factors[first:last].any()) if last > first else None


NO_EVIDENCE: Final = Evidence()


def factor_words(known: str) -> str:
    """What is known of a second factor, as the end of a sentence about a visit; "" where nothing is asked."""
    return {
        EVIDENCED: "; multi-factor authentication is evidenced by the gateway's log",
        INFERRED: "; multi-factor authentication is only inferred, no line of the gateway's log is at hand",
        MISSING: "; the gateway's log shows a login without a second factor",
    }.get(known, "")
