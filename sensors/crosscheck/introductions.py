"""How TLS and SSH introduce themselves: Wireshark's hellos and key exchanges beside our rows of services.

A row is about a connection, not a frame: it is laid beside everything that the two said in the stream.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final

from sensors.crosscheck.agreement import Agreement
from sensors.crosscheck.flows import about
from sensors.crosscheck.streams import Stream, Streams

Row = Mapping[str, Any]

#: What tshark is asked of every frame that introduces something; `handshake.type` tells whose hello it is.
_FIELDS: Final = (
    "frame.number",
    "tcp.stream",
    "tls.handshake.type",
    "tls.handshake.version",
    "tls.handshake.extensions.supported_version",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_alpn_str",
    "tls.handshake.ciphersuite",
    "tls.handshake.extension.type",
    "tls.handshake.sig_hash_alg",
    "ssh.protocol",
    "ssh.kex.hassh",
    "ssh.kex.hasshserver",
    "tcp.srcport",
)
FILTER: Final = "tls.handshake.type in {1,2} || ssh.protocol || ssh.kex.hassh || ssh.kex.hasshserver"
_CLIENT_HELLO, _SERVER_HELLO = 1, 2

#: Between values of one field: in no name that a hello carries.
_BETWEEN: Final = "\x1f"

#: What names a field in the row, and the row's value.
Said = dict[str, Any]

#: The lowest bits of values that are sent for the sake of variety (RFC 8701).
_GREASE_MASK, _GREASE = 0x0F0F, 0x0A0A
_SERVER_NAME, _ALPN = 0, 16
_VERSIONS: Final = {0x304: "13", 0x303: "12", 0x302: "11", 0x301: "10"}
_VERSION_NAMES: Final = {0x304: "TLS 1.3", 0x303: "TLS 1.2", 0x302: "TLS 1.1", 0x301: "TLS 1.0"}


@dataclass(slots=True)
class _Heard:
    """What Wireshark shows of one stream."""

    frame: int
    said: Said = field(default_factory=dict)


def arguments() -> list[str]:
    """Arguments for tshark whose output `read` takes."""
    fields = [text for name in _FIELDS for text in ("-e", name)]
    return ["-Y", FILTER, "-T", "fields", "-E", "occurrence=a", "-E", f"aggregator={_BETWEEN}", *fields]


def read(lines: IO[bytes]) -> dict[int, _Heard]:
    """What tshark shows, by its number of the TCP stream."""
    heard: dict[int, _Heard] = {}
    for line in lines:
        cells = line.decode(errors="replace").rstrip("\n").split("\t")
        shown = {
            name: cell.split(_BETWEEN) if cell else [] for name, cell in zip(_FIELDS, cells, strict=True)
        }
        if not shown["tcp.stream"]:
            # TLS within datagrams has rows of its own kind.
            continue
        stream = int(shown["tcp.stream"][-1])
        one = heard.setdefault(stream, _Heard(int(shown["frame.number"][0])))
        _tls(shown, one.said)
        _ssh(shown, one.said)
    return heard


def _numbers(values: Iterable[str]) -> list[int]:
    return [int(value, 0) for value in values]


def _tls(shown: Mapping[str, list[str]], said: Said) -> None:
    """The hellos of a frame; the first of each side counts, as in our row."""
    kinds = _numbers(shown["tls.handshake.type"])
    versions = _numbers(shown["tls.handshake.extensions.supported_version"])
    legacy = _numbers(shown["tls.handshake.version"])
    names = shown["tls.handshake.extensions_alpn_str"]
    if _CLIENT_HELLO in kinds and "ja4" not in said:
        if shown["tls.handshake.extensions_server_name"]:
            said["server name"] = shown["tls.handshake.extensions_server_name"][0]
        if names:
            said["application protocols"] = names
        said["ja4"] = _ja4(shown, max(_known(versions) or legacy), names)
    if _SERVER_HELLO in kinds and "version" not in said:
        said["version"] = _VERSION_NAMES.get((versions or legacy)[-1])
        if names:
            said["application protocols"] = names


def _known(versions: Iterable[int]) -> list[int]:
    return [version for version in versions if version & _GREASE_MASK != _GREASE]


def _ja4(shown: Mapping[str, list[str]], version: int, alpn: list[str]) -> str | None:
    """JA4 of Wireshark's fields, by the method's description (FoxIO, "JA4: TLS Client Fingerprinting")."""
    ciphers, extensions, signatures = (
        _known(_numbers(shown[f"tls.handshake.{name}"]))
        for name in ("ciphersuite", "extension.type", "sig_hash_alg")
    )
    protocol = alpn[0] if alpn else ""
    if protocol and not (protocol[0].isalnum() and protocol[-1].isalnum()):
        return None
    head = f"t{_VERSIONS.get(version, '00')}{'d' if _SERVER_NAME in extensions else 'i'}"
    head += f"{min(len(ciphers), 99):02}{min(len(extensions), 99):02}{protocol[:1]}{protocol[-1:]}"
    head = head if protocol else f"{head}00"
    rest = sorted(kind for kind in extensions if kind not in (_SERVER_NAME, _ALPN))
    tail = _joined(rest) + (f"_{_joined(signatures)}" if signatures else "")
    return f"{head}_{_digest(_joined(sorted(ciphers)))}_{_digest(tail) if rest else _digest('')}"


def _joined(values: Iterable[int]) -> str:
    return ",".join(f"{value:04x}" for value in values)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def _ssh(shown: Mapping[str, list[str]], said: Said) -> None:
    if shown["ssh.protocol"]:
        port = int(shown["tcp.srcport"][-1])
        said.setdefault("banners", {}).setdefault(port, shown["ssh.protocol"][0].strip())
    for name, key in (("ssh.kex.hassh", "hassh"), ("ssh.kex.hasshserver", "hassh of the server")):
        if shown[name]:
            said.setdefault(key, shown[name][0])


#: Field -> our value of it.
_TLS: Final[dict[str, Callable[[Row], Any]]] = {
    "server name": lambda row: row["host_name"],
    "application protocols": lambda row: row["alpn"],
    "version": lambda row: row["version"],
    "ja4": lambda row: row["ja4"],
}
_SSH: Final[dict[str, Callable[[Row], Any]]] = {
    "hassh": lambda row: row["hassh"],
    "hassh of the server": lambda row: row["hassh_server"],
}


def compare(
    heard: Mapping[int, _Heard],
    streams: Streams,
    rows: Iterable[Row],
    agreement: Agreement,
    asked: frozenset[str],
) -> None:
    """Lay what Wireshark heard beside our rows."""
    waiting: defaultdict[frozenset[Any], list[Row]] = defaultdict(list)
    for row in rows:
        ends = frozenset(((row["client_ip"], row["client_port"]), (row["server_ip"], row["server_port"])))
        waiting[ends].append(row)
    by_number = {stream.number: stream for stream in streams if stream.transport == "tcp"}
    for number, one in heard.items():
        if (stream := by_number.get(number)) is None:
            continue
        for protocol, fields, is_its in (("tls", _TLS, _is_tls), ("ssh", _SSH, _is_ssh)):
            if protocol in asked and is_its(one.said):
                _compare_one(protocol, fields, one, stream, waiting[stream.ends], agreement)


def _is_tls(said: Said) -> bool:
    return "ja4" in said or "version" in said


def _is_ssh(said: Said) -> bool:
    return "banners" in said or "hassh" in said


def _compare_one(
    protocol: str,
    fields: Mapping[str, Callable[[Row], Any]],
    one: _Heard,
    stream: Stream,
    rows: list[Row],
    agreement: Agreement,
) -> None:
    own = [row for row in rows if stream.first.number <= row["frame"] <= stream.last_frame]
    own = [row for row in own if (row["service"] == "ssh") == (protocol == "ssh")]
    row = own[-1] if own else None
    subject = about(row) if row is not None else f"stream {stream.number}"
    agreement.compare(
        protocol, "introduction", int(row is not None), 1, frame=one.frame, about=subject, because=lambda: ""
    )
    if row is None:
        return
    values = {
        name: (ours(row), one.said[name]) for name, ours in fields.items() if one.said.get(name) is not None
    }
    if protocol == "ssh":
        for side in ("client", "server"):
            if (banner := one.said.get("banners", {}).get(row[f"{side}_port"])) is not None:
                # Behind the protocol's version, as RFC 4253, 4.2, has it.
                values[f"software of the {side}"] = (row[f"{side}_software"], banner.split("-", 2)[-1])
    for name, (ours, theirs) in values.items():
        agreement.compare(protocol, name, ours, theirs, frame=one.frame, about=subject)
