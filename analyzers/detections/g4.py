"""G4: a new way to carry tools into a control zone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import polars as pl

from analyzers.baseline.facts import conversations
from analyzers.baseline.memory import Memory
from analyzers.detections.learned import NewDetection
from analyzers.detections.rows import violations_of
from analyzers.gathered import Gathered
from policy.flow_violations import went_through
from policy.levels import CONTROL
from policy.traffic import Traffic
from policy.violations import SUBJECT, VIOLATION, confidence_of_roles, merged, rows_of, zone_text
from policy.zoning import CompiledSite

#: The decoder's names -> what people call them.
_SERVICES: Final = {"smb": "SMB", "winrm": "WinRM"}
#: What PsExec and its like open: the share of the system's own folder, the pipe of the service manager, their own.
_PROGRAM_RUN: Final = r"(share \S*ADMIN\$|pipe (?:svcctl|psexesvc))"
_KEYS: Final = [*SUBJECT, "minute"]


class NewToolTransfer(NewDetection):
    """New SMB, WinRM or PsExec into a control zone.

    Reports
        Conversations recognised by their structure, on whatever port, as SMB or as WinRM (Windows remote management)
        over HTTP, to a host of a zone at Purdue level 2 or below, from a client that the baseline does not know to
        have spoken that with that host; from inside the zone, too. PsExec is SMB: the finding says so where the share
        ADMIN$ or the pipe of the service manager is opened in clear. PsExec between two that speak SMB anyway is not
        new, and WinRM inside TLS cannot be told from other TLS. Without a baseline it finds nothing, and the report
        says so.

    Why it matters
        So tools are carried to the next machine and started there: it is how an intruder gets from one station to
        all of them, and how ransomware does.

    Benign causes
        A new share for recipes or backups; software rolled out; an administrator at another machine than usual.

    Evidence
        The conversations with their bytes, frames, shares, and the user where that is in clear.

    How to tune
        Accept the conversation with who and why (`geophone baseline accept`), or learn for longer
        (`baseline.learn_for`). What no rule of a conduit allows does not become known by being learned.
    """

    id = "G4"
    title = "new SMB, WinRM or PsExec into a control zone"
    base_severity = 4
    reads = ("flow_minutes", "services")
    techniques = ("T0867",)
    fact = "conversation"
    by = ("client_ip", "server_ip", "what")

    def __init__(self, site: CompiledSite, memory: Memory) -> None:
        super().__init__(site, memory)
        self._introduced = Gathered()
        self._zones = [zone.id for zone in site.zones.values() if zone.purdue <= CONTROL]

    def seen(self, traffic: Traffic) -> tuple[pl.DataFrame, pl.Expr]:
        """Minutes of conversations."""
        rows = conversations(self._into_control(traffic.flow_minutes))
        rows = rows.filter(pl.col("what") != "").with_columns(
            service="what",
            reverse_conduit=pl.lit(""),
            operation=pl.lit(""),
            ts_ns=pl.col("first_ts").dt.epoch("ns"),
            last_ns=pl.col("last_ts").dt.epoch("ns"),
            frame=pl.col("first_frame"),
            confirmed=went_through(),
            confidence_rank=confidence_of_roles(),
            decoded=pl.lit(value=True),
        )
        return rows, pl.format("{} bytes of payload in, {} back", "payload_bytes_c2s", "payload_bytes_s2c")

    def feed(self, traffic: Traffic) -> None:
        """Take one batch; what services say of themselves is kept beside the minutes."""
        super().feed(traffic)
        rows = self._into_control(traffic.services)
        if rows.height and (baseline := self.memory.baseline) is not None:
            answered = pl.col("confidence") == "handshake"
            rows = rows.with_columns(pl.col("service").cast(pl.String))
            rows = rows_of(rows, frame=pl.col("frame"), what=pl.col("service"), confirmed=answered)
            self._introduced.add(violations_of(baseline.unknown(self.fact, rows, self.by), _introduction()))

    def violations(self) -> pl.DataFrame:
        """The minutes, counted; and as further evidence of them what the services said of themselves."""
        found = super().violations()
        if found.is_empty():
            return found
        said = self._introduced.all().with_columns(what=self.subject(), count=pl.lit(0, pl.UInt64))
        said = said.join(found, on=_KEYS, how="semi")
        return merged(pl.concat([found, said.select(*VIOLATION)])).select(*VIOLATION)

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says which of them it is."""
        return f"new {self._name(violation)} into a control zone"

    def because(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What is new, where, and what was seen of it."""
        seen = "; ".join(dict.fromkeys(example["text"] for example in violation["examples"][:3]))
        return (
            f"The client is not known to speak {_SERVICES[violation['decoded_service']]} with this host of "
            f"{zone_text(site, violation['server_zone'])}: {seen}."
        )

    def _name(self, violation: Mapping[str, Any]) -> str:
        texts = pl.Series([example["text"] for example in violation["examples"]], dtype=pl.String)
        name = _SERVICES[violation["decoded_service"]]
        return f"{name}, as PsExec uses it," if texts.str.contains(_PROGRAM_RUN).any() else name

    def _into_control(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of these services, known by their structure, to hosts of control zones."""
        return rows.filter(
            pl.col("service").is_in(list(_SERVICES))
            & pl.col("confidence").is_in(["handshake", "structure"])
            & pl.col("server_zone").is_in(self._zones)
        )


@cache
def _introduction() -> pl.Expr:
    """What a service said of itself: its version, the shares and pipes that were opened, the user."""
    return pl.concat_str(
        pl.when(pl.col("version") != "").then("version").otherwise("what"),
        pl.when(pl.col("detail") != "").then("detail"),
        pl.when(pl.col("user") != "").then(pl.format("user {}", "user")),
        separator=", ",
        ignore_nulls=True,
    )
