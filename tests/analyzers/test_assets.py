"""Assets: what observations and flows make of the devices of a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, LLC, STP, Dot3, Ether
from scapy.packet import Packet

from analyzers.assets import Asset, Inventory
from analyzers.vendors import vendor_of
from policy.loader import loads
from policy.zoning import compile_site
from sensors.engine import decode
from tests.sensors.told import written

SIEMENS, MADE_UP, ROUTER, OTHER = (
    "00:1b:1b:00:00:01",
    "02:00:5e:00:53:02",
    "02:00:5e:00:53:03",
    "02:00:5e:00:53:04",
)
SITE = """\
schema: 1
site: {id: small, name: "Small site", tz: UTC}
zones:
- {id: control, name: "Control", purdue: 2, criticality: C2, cidrs: [10.20.0.0/24], internet: deny, sensors: [s1]}
conduits: []
"""


def assets_of(path: Path, *, max_packets: int = 65_536, **bounds: int) -> tuple[dict[str, Asset], Inventory]:
    """The assets of a capture, by address or MAC address."""
    inventory = Inventory(**bounds)
    with decode(path, max_packets=max_packets) as run:
        for batches in run:
            inventory.add(batches)
    return {asset.ip or asset.macs[0]: asset for asset in inventory.assets()}, inventory


def is_at(ip: str, mac: str) -> Packet:
    return Ether(src=mac, dst=OTHER) / ARP(op=2, hwsrc=mac, psrc=ip, hwdst=OTHER, pdst="10.20.0.9")


def talk(server: str, port: int, *payloads: bytes, mac: str = SIEMENS, ttl: int = 64) -> list[Packet]:
    """A connection from 10.20.0.9: the handshake, then question and answer in turns."""
    up = Ether(src=OTHER, dst=mac) / IP(src="10.20.0.9", dst=server)
    down = Ether(src=mac, dst=OTHER) / IP(src=server, dst="10.20.0.9", ttl=ttl)
    here: dict[str, Any] = {"sport": 40_000 + port, "dport": port}
    there: dict[str, Any] = {"sport": port, "dport": 40_000 + port}
    frames: list[Packet] = [
        up / TCP(flags="S", seq=100, **here),
        down / TCP(flags="SA", seq=500, ack=101, **there),
        up / TCP(flags="A", seq=101, ack=501, **here),
    ]
    asked, told = 101, 501
    for number, payload in enumerate(payloads):
        if number % 2 == 0:
            frames.append(up / TCP(flags="PA", seq=asked, ack=told, **here) / payload)
            asked += len(payload)
        else:
            frames.append(down / TCP(flags="PA", seq=told, ack=asked, **there) / payload)
            told += len(payload)
    return frames


READ = bytes.fromhex("000100000006010300000001"), bytes.fromhex("0001000000050103020007")
IDENTITY = (
    bytes.fromhex("000200000005012b0e0100"),
    bytes.fromhex("00020000001d012b0e0101000003") + b"\0\x04Acme\x01\x04PX-1\x02\x04V2.1",
)


def test_a_controller_is_known_by_what_it_serves_and_says(tmp_path: Path) -> None:
    identity = IDENTITY[1][:4] + (len(IDENTITY[1]) - 6).to_bytes(2, "big") + IDENTITY[1][6:]
    frames = [is_at("10.20.0.11", SIEMENS), *talk("10.20.0.11", 502, *READ, IDENTITY[0], identity)]
    assets, _ = assets_of(written(tmp_path / "plc.pcap", frames))
    plc, hmi = assets["10.20.0.11"], assets["10.20.0.9"]
    assert plc.macs == (SIEMENS,)
    assert [(told.value, told.sources) for told in plc.vendor] == [("Acme", ("modbus",))]
    assert [told.value for told in (*plc.model, *plc.firmware)] == ["PX-1", "V2.1"]
    assert [told.value for told in plc.roles] == ["Modbus server"]
    assert plc.offers == ("modbus/502",)
    assert [told.value for told in hmi.roles] == ["Modbus client"]
    assert hmi.uses == ("modbus",)
    assert [(told.value, told.sources) for told in plc.system] == [
        ("Linux, macOS or an embedded system", ("ttl",))
    ]


def test_the_registry_names_a_maker_that_nobody_else_does(tmp_path: Path) -> None:
    assets, _ = assets_of(
        written(tmp_path / "oui.pcap", [is_at("10.20.0.11", SIEMENS), is_at("10.20.0.12", MADE_UP)])
    )
    assert [(told.value, told.sources) for told in assets["10.20.0.11"].vendor] == [("Siemens AG", ("oui",))]
    assert assets["10.20.0.12"].vendor == ()


@pytest.mark.parametrize(
    ("mac", "vendor"),
    [("00:80:f4:00:00:01", "TELEMECANIQUE ELECTRIQUE"), (MADE_UP, ""), ("8c:1f:64:00:00:01", ""), ("", "")],
)
def test_vendors_are_those_of_the_registry(mac: str, vendor: str) -> None:
    assert vendor_of(mac) == vendor


def test_what_a_mac_address_is_told_of_belongs_to_the_address_that_it_claimed(tmp_path: Path) -> None:
    asks = (
        Ether(src=MADE_UP, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=bytes.fromhex(MADE_UP.replace(":", "")))
        / DHCP(options=[("message-type", "request"), ("hostname", b"panel-5"), "end"])
    )
    assets, _ = assets_of(written(tmp_path / "dhcp.pcap", [asks, is_at("10.20.0.15", MADE_UP)]))
    assert [told.value for told in assets["10.20.0.15"].names] == ["panel-5"]
    assert set(assets) == {"10.20.0.15"}


def test_a_device_below_ip_is_listed_by_its_mac_address(tmp_path: Path) -> None:
    bpdu = Dot3(src=ROUTER, dst="01:80:c2:00:00:00") / LLC(dsap=0x42, ssap=0x42, ctrl=3)
    bpdu /= STP(rootmac=ROUTER, bridgemac=ROUTER)
    assets, _ = assets_of(written(tmp_path / "stp.pcap", [bpdu]))
    assert [told.value for told in assets[ROUTER].roles] == ["bridge", "root bridge"]


def test_two_claims_are_a_conflict_and_one_is_none(tmp_path: Path) -> None:
    frames = [is_at("10.20.0.11", SIEMENS), is_at("10.20.0.11", MADE_UP), is_at("10.20.0.12", OTHER)]
    assets, _ = assets_of(written(tmp_path / "two.pcap", frames))
    assert (assets["10.20.0.11"].conflict, assets["10.20.0.11"].macs) == (True, (SIEMENS, MADE_UP))
    assert not assets["10.20.0.12"].conflict


def test_who_is_behind_a_router_does_not_get_its_mac_address(tmp_path: Path) -> None:
    assets, _ = assets_of(written(tmp_path / "far.pcap", talk("10.9.0.1", 502, *READ, mac=SIEMENS, ttl=61)))
    assert assets["10.9.0.1"].macs == ()
    near, _ = assets_of(written(tmp_path / "near.pcap", talk("10.9.0.1", 502, *READ, mac=SIEMENS)))
    assert near["10.9.0.1"].macs == (SIEMENS,)


def test_who_never_answered_is_no_asset(tmp_path: Path) -> None:
    lost = Ether(src=OTHER, dst=SIEMENS) / IP(src="10.20.0.9", dst="10.20.0.77") / TCP(flags="S", dport=502)
    assets, _ = assets_of(written(tmp_path / "scan.pcap", [lost]))
    assert set(assets) == {"10.20.0.9"}


def test_a_policy_says_in_which_zone_an_asset_is(tmp_path: Path) -> None:
    path = written(tmp_path / "zone.pcap", [is_at("10.20.0.11", SIEMENS), is_at("10.99.0.1", OTHER)])
    _, inventory = assets_of(path)
    site = compile_site(loads(SITE).site)
    assert [(asset.ip, asset.zone) for asset in inventory.assets(site)] == [
        ("10.20.0.11", "control"),
        ("10.99.0.1", ""),
    ]


def test_batches_change_nothing(tmp_path: Path) -> None:
    frames = [
        is_at("10.20.0.11", SIEMENS),
        *talk("10.20.0.11", 502, *READ),
        *talk("10.20.0.12", 4840, b"x", b"y"),
    ]
    path = written(tmp_path / "cut.pcap", frames)
    whole, _ = assets_of(path)
    assert assets_of(path, max_packets=1)[0] == whole
    assert len(whole) == 3


def test_what_has_no_room_is_counted(tmp_path: Path) -> None:
    frames = [is_at(f"10.20.0.{number}", f"02:00:5e:00:53:{number:02x}") for number in range(1, 11)]
    path = written(tmp_path / "many.pcap", frames)
    assets, inventory = assets_of(path, observations_kept=4)
    assert (len(assets), inventory.not_kept) == (4, 6)
    assets, inventory = assets_of(path, assets_kept=3)
    assert len(assets) == 3
    assert inventory.not_kept > 0


def test_no_batches_no_assets() -> None:
    inventory = Inventory()
    empty: dict[str, pa.RecordBatch] = {}
    inventory.add(empty)
    assert inventory.assets() == []
