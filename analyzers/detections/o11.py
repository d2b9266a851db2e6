"""O11: another certificate, or less security."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import polars as pl

from analyzers.detections.base import Detection
from analyzers.detections.opcua_rows import call_text, opcua
from analyzers.detections.rows import violations_of
from analyzers.detections.seen import FirstTimes
from analyzers.gathered import Gathered
from policy.traffic import Traffic
from policy.zoning import CompiledSite

#: A server may have a certificate for each of its policies: one of RSA, one of elliptic curves.
_SERVER: Final = {"server_ip": pl.Binary(), "server_port": pl.UInt16(), "security_policy": pl.String()}
_PAIR: Final = {"client_ip": pl.Binary(), "server_ip": pl.Binary(), "server_port": pl.UInt16()}
_DOWNGRADED: Final = "less security"
_BETTER: Final = ("sign", "sign_and_encrypt", "sign_or_encrypt")


class OpcUaTrustChanged(Detection):
    """An OPC UA server with another certificate than before, or a client that comes back with less security.

    Reports
        A channel on which a server shows another certificate, for the same security policy, than it showed first in
        this capture; and a session without security of a client whose channels to that server were signed or encrypted
        before.

    Why it matters
        Who answers in a server's place has another key. And whoever wants to read along makes client and server agree
        on no security.

    Benign causes
        A certificate that was renewed, a server exchanged for a spare; a client that is set up anew, or that falls back
        after an update.

    Evidence
        The channels and sessions with their frames, and the thumbprints.

    How to tune
        It has no threshold. Declare a change window for certificates; forbid mode None at the server.
    """

    id = "O11"
    title = "an OPC UA server with another certificate, or less security than before"
    base_severity = 4
    reads = ("opcua",)
    techniques = ("T0830",)
    remembered_h = 24

    def __init__(self, site: CompiledSite) -> None:
        super().__init__(site)
        self._channels = Gathered()
        self._plain = Gathered()
        self._shown = FirstTimes({**_SERVER, "what": pl.String()})
        self._better = FirstTimes(_PAIR)

    def feed(self, traffic: Traffic) -> None:
        """Take one batch."""
        at = pl.col("ts_ns")
        opened = traffic.opcua.filter(
            (pl.col("message_type") == "OPN") & (pl.col("server_certificate_thumbprint") != "")
        )
        channels = opcua(opened, "session", what=pl.col("server_certificate_thumbprint"))
        self._shown.add(channels, at)
        self._channels.add(violations_of(channels, _channel_text()))
        mode = pl.col("security_mode")
        self._better.add(opcua(traffic.opcua.filter(mode.is_in(_BETTER)), "session"), at)
        plain = traffic.opcua.filter((mode == "none") & (pl.col("service") == "CreateSession"))
        self._plain.add(violations_of(opcua(plain, "session", what=pl.lit(_DOWNGRADED)), call_text()))

    def violations(self) -> pl.DataFrame:
        """Channels with another certificate than the first, and sessions in clear after better ones."""
        shown = self._shown.all()
        first = shown.sort("seen_ns", "what").group_by(*_SERVER, maintain_order=True).first()
        of_server = ["server_ip", "server_port", "what"]
        others = shown.join(first, on=[*_SERVER, "what"], how="anti").select(of_server).unique()
        # One certificate for two policies is no other one.
        others = others.join(first.select(of_server), on=of_server, how="anti")
        changed = self._channels.all().join(others, on=of_server, how="semi")
        plain = self._plain.all().join(self._better.all(), on=list(_PAIR), how="inner")
        downgraded = plain.filter(pl.col("last_ns") > pl.col("seen_ns")).select(changed.columns)
        return pl.concat([changed, downgraded])

    def title_of(self, violation: Mapping[str, Any]) -> str:
        """Says which of the two it is."""
        if violation["what"] == _DOWNGRADED:
            return "an OPC UA session with less security than before"
        return "an OPC UA server with another certificate than before"

    def why(self, site: CompiledSite, violation: Mapping[str, Any]) -> str:
        """What it was before, and the first of it."""
        first = violation["examples"][0]["text"]
        if violation["what"] == _DOWNGRADED:
            return (
                f"The client created {violation['count']} sessions without security, though its channels to this "
                f"server were signed or encrypted before; first: {first}."
            )
        return (
            f"The server showed another certificate than it did first, on {violation['count']} channels of this "
            f"client; first: {first}."
        )


@cache
def _channel_text() -> pl.Expr:
    return pl.format(
        "channel {}, certificate {} of {}",
        "security_policy",
        "server_certificate_thumbprint",
        "server_certificate_subject",
    )
