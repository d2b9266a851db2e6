"""A SPAN port that misses one direction: what it does not show is no oddity of the network."""

from __future__ import annotations

import ipaddress
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether

from tests.sensors.talks import Rows, decoded
from tests.support.pcap_records import Record, as_pcap, records

PCAPS = Path(__file__).parents[2] / "pcaps"

#: Modbus with its oddities, programs, OPC UA, MQTT, remote access, and what names and addresses are told by.
SAMPLES = (
    "modbus-program",
    "modbus-malformed",
    "split-write",
    "lab-opcua-password",
    "lab-mqtt-will",
    "lab-mqtt-same-name",
    "lab-ssh-jump",
    "second-dhcp-server",
    "firmware-changed",
)

End = tuple[str, int]


def ends(frame: bytes) -> tuple[End, End] | None:
    """Who sent a frame's packet to whom; none where it has no ports."""
    packet = Ether(frame)
    if IP not in packet or not (TCP in packet or UDP in packet):
        return None
    transport = packet[TCP] if TCP in packet else packet[UDP]
    return (packet[IP].src, transport.sport), (packet[IP].dst, transport.dport)


def kinds(rows: Rows) -> Counter[tuple[str, str]]:
    return Counter((row["layer"], row["kind"]) for row in rows.get("anomalies", []))


def conversations(rows: Rows) -> set[tuple[End, End]]:
    """Client and server of every flow."""

    def end(row: dict[str, Any], side: str) -> End:
        address = ipaddress.IPv6Address(bytes(row[f"{side}_ip"]))
        return str(address.ipv4_mapped or address), row[f"{side}_port"]

    return {(end(row, "client"), end(row, "server")) for row in rows["flows"]}


def decode_records(path: Path, kept: list[Record]) -> Rows:
    path.write_bytes(as_pcap(kept))
    return decoded(path)


@pytest.mark.parametrize("name", SAMPLES)
def test_one_direction_alone_has_no_oddity_that_the_whole_has_not(tmp_path: Path, name: str) -> None:
    frames = records(PCAPS / f"{name}.pcapng")
    whole = decode_records(tmp_path / "whole.pcap", frames)
    talks = conversations(whole)
    assert talks
    sent = [ends(record.data) for record in frames]
    for backwards in (False, True):
        shown = {pair[::-1] if backwards else pair for pair in talks}
        kept = [record for record, pair in zip(frames, sent, strict=True) if pair in shown]
        assert 0 < len(kept) < len(frames)
        one = decode_records(tmp_path / "one.pcap", kept)
        assert kinds(one) <= kinds(whole), "server" if backwards else "client"


def test_answers_alone_say_that_their_requests_were_not_seen(tmp_path: Path) -> None:
    frames = records(PCAPS / "modbus-program.pcapng")
    whole = decode_records(tmp_path / "whole.pcap", frames)
    talks = conversations(whole)
    kept = [record for record in frames if (pair := ends(record.data)) is not None and pair[::-1] in talks]
    rows = decode_records(tmp_path / "one.pcap", kept)["modbus"]
    assert len(rows) == sum(row["response_frame"] is not None for row in whole["modbus"])
    assert {(row["outcome"], row["after_gap"]) for row in rows} == {("orphan", True)}
