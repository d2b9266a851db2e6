"""What a service said of itself."""

from __future__ import annotations

from typing import Final

from sensors.records.declare import Column, Kind, Table
from sensors.records.shared import CONFIDENCE, FLOW_ID, TALKERS

SERVICES: Final = Table(
    "services",
    "One row each time a flow's service introduced itself: TLS, SSH, RDP and the like. A flow that is upgraded, "
    "as from RDP to TLS, has a row for each. Texts are empty where they were not said; no secret is ever in one.",
    (
        Column("ts", Kind.TIMESTAMP, "when the introduction was complete", "ns"),
        FLOW_ID,
        *TALKERS,
        Column("frame", Kind.UINT64, "frame that completed it"),
        Column("service", Kind.NAME, "application protocol: the flow's, also where TLS carries it"),
        CONFIDENCE,
        Column(
            "version",
            Kind.TEXT,
            "protocol version that was agreed, with the protocol's name: TLS 1.3, RFB 3.8",
        ),
        Column("client_software", Kind.TEXT, "what the client calls its software"),
        Column("server_software", Kind.TEXT, "what the server calls its software"),
        Column("host_name", Kind.TEXT, "the name that the client asked for: SNI, HTTP host, share, database"),
        Column("client_name", Kind.TEXT, "what the client calls itself: NTLM workstation, RDP client"),
        Column(
            "server_name", Kind.TEXT, "what the server calls itself: certificate's common name, NTLM target"
        ),
        Column("user", Kind.TEXT, "user name in clear, with its domain where it has one"),
        Column(
            "login",
            Kind.NAME,
            "whether the client was let in: yes, no, guessed_yes, guessed_no (from sizes of ciphertext), "
            "not_asked (without asking who it is), unknown",
        ),
        Column("refused_logins", Kind.UINT16, "logins that the server refused, or seems to have"),
        Column(
            "secret_seen", Kind.BOOL, "a password, or what stands for one, crossed in clear; it is not kept"
        ),
        Column("encrypted", Kind.BOOL, "what follows the introduction is encrypted"),
        Column("resumed", Kind.BOOL, "TLS: the session goes on from an earlier one"),
        Column(
            "alpn",
            Kind.TEXT_LIST,
            "application protocols: the chosen one where that is in clear, else the offered ones (RFC 7301)",
        ),
        Column("key_exchange", Kind.TEXT, "TLS group or SSH key exchange that was agreed"),
        Column("cipher", Kind.TEXT, "cipher suite, or SSH cipher and MAC, that was agreed"),
        Column(
            "certificate_subject",
            Kind.TEXT,
            "of the server's certificate, where it crossed in clear (RFC 4514)",
        ),
        Column("certificate_issuer", Kind.TEXT, "who issued it (RFC 4514)"),
        Column("certificate_sha256", Kind.TEXT, "its fingerprint, hexadecimal"),
        Column("certificate_not_after", Kind.TIMESTAMP, "when it expires", "ns", nullable=True),
        Column("ja4", Kind.TEXT, "JA4 fingerprint of the TLS client"),
        Column("hassh", Kind.TEXT, "HASSH fingerprint of the SSH client"),
        Column("hassh_server", Kind.TEXT, "HASSH fingerprint of the SSH server"),
        Column(
            "detail",
            Kind.TEXT,
            "what has no column of its own: alerts, requested protocols, certificate names",
        ),
    ),
    stored=True,
)
