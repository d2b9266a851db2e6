"""RA-09: repeated failed logins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.judged import Judged
from policy.violations import VIOLATION, confidence_of_roles, grouped
from policy.visits import REMOTE
from policy.zoning import CompiledSite

#: So many refusals are no mistyped password.
REFUSALS: Final = 5
#: Refusals further apart than this are not one attempt.
PAUSE_NS: Final = 300 * 1_000_000_000
#: Introductions with refusals kept: those that came first.
KEPT_LIMIT: Final = 65_536
#: One row stands for so many refusals at most.
_PER_ROW: Final = 1_000

_ENDS: Final = ("client_ip", "server_ip", "ip_proto", "server_port", "service")


class FailedLogins(CaptureCheck):
    """Logins of remote access that are refused again and again.

    Reports
        Five or more logins of SSH, Remote Desktop, VNC, Telnet and the like that one host is refused by one
        server, with less than five minutes between them. Refusals within encrypted sessions are told by sizes
        and are a guess, which lowers the confidence.

    Why it matters
        Somebody who knows the password needs it once. A row of refusals is somebody who does not, or a program
        that tries what was stolen elsewhere.

    Example
        From the jump host seven SSH connections to the SCADA server, three refusals each.

    Do not be fooled by
        A mistyped password. A monitoring server that looks whether SSH answers. A program with an old password,
        that tries it every minute.
    """

    id = "RA-09"
    title = "a row of failed logins"
    base_severity = 3
    references = ("SR 1.11",)
    techniques = ("T0812", "T0859")

    def watch(self, site: CompiledSite) -> Watch:
        """Refusals, by who was refused where."""
        return _Refused()

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """How many there were."""
        return (
            f"{violation['count']} logins were refused in a row by {violation['decoded_service'].upper()}; the first "
            f"of them: {violation['examples'][0]['text']}."
        )


class _Refused(Watch):
    settles = True

    def __init__(self) -> None:
        self._rows: pl.DataFrame | None = None

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        rows = judged.traffic.services.filter(
            pl.col("service").is_in(REMOTE) & (pl.col("refused_logins") > 0)
        ).with_columns(
            ts_ns=pl.col("ts").dt.epoch("ns"),
            guessed=pl.col("login").str.starts_with("guessed"),
            rank=confidence_of_roles(),
        )
        if rows.is_empty():
            return
        rows = rows if self._rows is None else pl.concat([self._rows, rows])
        self._rows = rows.sort("ts_ns", "frame", *_ENDS).head(KEPT_LIMIT)

    def settle(self, before_ns: int) -> None:
        """Forget refusals that no row of them from then on goes on with."""
        if self._rows is not None:
            self._rows = self._rows.filter(pl.col("ts_ns") >= before_ns - REFUSALS * PAUSE_NS)

    def violations(self) -> pl.DataFrame:
        """Rows of refusals with little time in between, and enough of them."""
        if self._rows is None:
            return pl.DataFrame(schema=VIOLATION)
        apart = (pl.col("ts_ns") - pl.col("ts_ns").shift(1).over(_ENDS)) > PAUSE_NS
        rows = self._rows.with_columns(run=apart.fill_null(value=False).cum_sum().over(_ENDS))
        rows = rows.filter(pl.col("refused_logins").cast(pl.UInt64).sum().over(*_ENDS, "run") >= REFUSALS)
        if rows.is_empty():
            return pl.DataFrame(schema=VIOLATION)
        refusals = pl.col("refused_logins").clip(upper_bound=_PER_ROW)
        rows = rows.with_columns(
            what=pl.lit(""),
            reverse_conduit=pl.lit(""),
            operation=pl.lit("login.fail"),
            last_ns="ts_ns",
            confirmed=pl.lit(value=False),
            confidence_rank=(pl.col("rank") - pl.col("guessed").cast(pl.UInt8)).clip(lower_bound=1),
            decoded=pl.lit(value=True),
            repeated=pl.int_ranges(refusals),
        ).explode("repeated")
        return grouped(rows, _described)


def _described(rows: pl.DataFrame) -> pl.DataFrame:
    how = pl.when("guessed").then(pl.lit(", by the sizes of what was said")).otherwise(pl.lit(""))
    return rows.with_columns(
        text=pl.format("{} refused by {} in one connection{}", "refused_logins", "service", how),
        nearest=pl.lit(""),
    )
