"""RA-07: an unsanctioned tool of remote access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from policy.checks.base import BatchCheck
from policy.flow_violations import violating_conversations
from policy.judged import Judged
from policy.levels import OFFICE
from policy.violations import NO_VIOLATIONS, grouped, rows_of, zone_text
from policy.zoning import CompiledSite

#: Tunnels and tools that bring somebody in without a gateway: the decoder's name -> their own.
TOOLS: Final = {
    "teamviewer": "TeamViewer",
    "anydesk": "AnyDesk",
    "rustdesk": "RustDesk",
    "radmin": "Radmin",
    "wireguard": "WireGuard",
    "openvpn": "OpenVPN",
    "tailscale": "Tailscale",
}
#: Names that such tools ask for, by their last labels.
DOMAINS: Final = {
    "teamviewer.com": "TeamViewer",
    "anydesk.com": "AnyDesk",
    "net.anydesk.com": "AnyDesk",
    "rustdesk.com": "RustDesk",
    "tailscale.com": "Tailscale",
    "tailscale.io": "Tailscale",
    "zerotier.com": "ZeroTier",
    "ngrok.io": "ngrok",
    "ngrok.com": "ngrok",
    "splashtop.com": "Splashtop",
    "logmein.com": "LogMeIn",
    "screenconnect.com": "ScreenConnect",
}
_PATTERN: Final = r"(?:^|\.)(" + "|".join(name.replace(".", r"\.") for name in DOMAINS) + r")\.?$"


class UnsanctionedTool(BatchCheck):
    """A tool or tunnel of remote access that no rule allows, into the plant or out of it.

    Reports
        A conversation of a zone below the office that was recognised as TeamViewer, AnyDesk, RustDesk, Radmin,
        WireGuard, OpenVPN or Tailscale by its handshake or structure, or whose client asks for a name of such a
        tool (SNI), and that no rule of a conduit allows.

    Why it matters
        These tools open a way in from the inside: no firewall rule is asked, the provider's servers stand in
        the middle, and who is at the other end the plant cannot know.

    Example
        The engineering station speaks what TeamViewer speaks to a relay outside.

    Do not be fooled by
        Networks that deliver for many, under one name. Encrypted client hello, which hides the name. A VPN that
        the site runs itself: give it a rule.
    """

    id = "RA-07"
    title = "an unsanctioned tool of remote access"
    base_severity = 4
    references = ("CIP-005 R2.4",)
    techniques = ("T0822", "T0884")

    def violations(self, site: CompiledSite, judged: Judged) -> pl.DataFrame:
        """Decoded tools, and their names, in conversations that no rule allows."""
        plant = [zone.id for zone in site.zones.values() if zone.purdue < OFFICE]
        of_plant = pl.col("client_zone").is_in(plant) | pl.col("server_zone").is_in(plant)
        flows = judged.flow_minutes.filter(of_plant & ~pl.col("allowed"))
        tools = flows.filter(pl.col("decoded") & pl.col("service").is_in(list(TOOLS)))
        introduced = judged.traffic.services.filter(
            of_plant & pl.col("crosses") & ~pl.col("service").is_in(list(TOOLS))
        ).with_columns(
            tool=pl.col("host_name")
            .str.to_lowercase()
            .str.extract(_PATTERN, 1)
            .replace_strict(DOMAINS, default=None, return_dtype=pl.String)
        )
        return pl.concat(
            [violating_conversations(site, tools), _named(introduced.filter(pl.col("tool").is_not_null()))]
        )

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Names the tool."""
        return f"an unsanctioned tool of remote access: {_tool(violation)}"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """The tool, and who uses it."""
        inside = zone_text(site, violation["client_zone"] or violation["server_zone"])
        return (
            f"A host of {inside} uses {_tool(violation)}, by which it can be worked on from outside, and no rule of "
            f"the policy allows that: {violation['examples'][0]['text']}."
        )


def _tool(violation: Mapping[str, Any]) -> str:
    return violation["what"] or TOOLS.get(violation["decoded_service"], "a tool")


def _named(rows: pl.DataFrame) -> pl.DataFrame:
    """Introductions with a tool's name, as violations."""
    if rows.is_empty():
        return NO_VIOLATIONS
    return grouped(
        # The server answered, or there would be no introduction.
        rows_of(rows, frame=pl.col("frame"), what=pl.col("tool"), confirmed=pl.lit(value=True)),
        lambda examples: examples.with_columns(
            text=pl.format("asks for {} by {}", "host_name", "service"), nearest=pl.lit("")
        ),
    )
