"""SEG-06: contact with a public address from a zone that denies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import CaptureCheck, Watch
from policy.flow_violations import violating_conversations
from policy.judged import Judged
from policy.names import Names
from policy.public import public
from policy.violations import VIOLATION, added_up, zone_text
from policy.zoning import CompiledSite

_NAMED: Final = "asks for "


class PublicAddress(CaptureCheck):
    """A conversation between a zone that denies the internet and a public address.

    Reports
        A conversation that a host of a zone with `internet: deny` (which is the default) opens to a public
        address that is in no zone, answered or not; and one that a public address opens to such a host and
        that is answered. The names by which the host asked for the address, by DNS or in the introduction of
        TLS or HTTP, are part of the evidence. Public addresses inside a zone of the policy are known: conduits
        say who may talk to them.

    Why it matters
        A controller that reaches the internet can be reached from it: by what it fetches, by who answers, by
        the one that tells a program on it what to do next.

    Example
        The panel of a pump hall opens a TLS connection to an address outside every half minute.

    Do not be fooled by
        Public address space that the company uses inside: give it a zone. Proxies, whose address is inside.
    """

    id = "SEG-06"
    title = "a contact with a public address from a zone that denies it"
    base_severity = 4
    references = ("SR 5.2",)
    techniques = ("T0822", "T0883")

    def watch(self, site: CompiledSite) -> Watch:
        """Contacts, and the names that were asked for."""
        return _Contacts(site)

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says who reached whom."""
        if violation["client_zone"]:
            return self.title
        return "a contact from a public address with a zone that denies it"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The zone, and what the address was called."""
        inside = zone_text(site, violation["client_zone"] or violation["server_zone"])
        start = (
            f"Hosts of {inside} may not reach the internet; this one opened a conversation with a public address. "
            if violation["client_zone"]
            else f"Nobody on the internet may reach {inside}; a public address did, and was answered. "
        )
        texts = [example["text"] for example in violation["examples"]]
        names = dict.fromkeys(text.split()[2] for text in texts if text.startswith(_NAMED))
        return start + (f"It was asked for as {', '.join(names)}." if names else "No name was asked for.")


#: What was first of so many contacts is remembered, of those that began last.
_FIRSTS_LIMIT: Final = 65_536
_CONTACT: Final = ["client_ip", "server_ip", "ip_proto", "server_port"]


class _Contacts(Watch):
    """Contacts by minute, and names."""

    settles = True

    def __init__(self, site: CompiledSite) -> None:
        self._site = site
        self._denying = [zone.id for zone in site.zones.values() if zone.internet == "deny"]
        self._names = Names()
        self._contacts = pl.DataFrame(schema=VIOLATION)
        #: The first minute of contacts whose minutes are gone: names are told with that.
        self._firsts = pl.DataFrame(schema=VIOLATION)

    def feed(self, judged: Judged) -> None:
        """Take one batch."""
        self._names.add(judged.traffic)
        flows = judged.flow_minutes
        out = pl.col("client_zone").is_in(self._denying) & (pl.col("server_zone") == "")
        back = (
            pl.col("server_zone").is_in(self._denying)
            & (pl.col("client_zone") == "")
            & (pl.col("packets_s2c") > 0)
            & pl.col("established")
        )
        flows = flows.filter(out | back)
        outside = pl.when(pl.col("server_zone") == "").then("server_ip").otherwise("client_ip")
        flows = flows.filter(public(flows.select(outside.alias("outside"))["outside"]))
        self._contacts = added_up(self._contacts, violating_conversations(self._site, flows))

    def violations(self) -> pl.DataFrame:
        """The contacts, with the names of those that were asked for."""
        first = self._first().join(self._contacts, on=[*_CONTACT, "minute"], how="semi")
        named = self._names.of(first.drop("examples")).with_columns(
            # The name is evidence of the contact, not another one.
            count=pl.lit(0, pl.UInt64),
            examples=pl.concat_list(
                pl.struct(
                    confirmed="confirmed",
                    ts_ns="ts_ns",
                    frame="frame",
                    text=pl.format("{}{} {}", pl.lit(_NAMED), "name", "how"),
                    nearest=pl.lit(""),
                )
            ),
        )
        return added_up(self._contacts, named.select(*VIOLATION))

    def settle(self, before_ns: int) -> None:
        """Forget the minutes before."""
        self._firsts = self._first().sort("minute").tail(_FIRSTS_LIMIT)
        self._contacts = self._contacts.filter(pl.col("minute") >= before_ns)

    def _first(self) -> pl.DataFrame:
        """The first minute of each contact."""
        both = pl.concat([self._firsts, self._contacts])
        return both.sort("minute").unique(_CONTACT, keep="first", maintain_order=True)
