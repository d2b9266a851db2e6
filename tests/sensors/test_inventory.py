"""What frames tell of devices: made by scapy, held against what Wireshark reads in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scapy.asn1.asn1 import ASN1_OID, ASN1_STRING
from scapy.contrib import cdp, lldp
from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, LLC, SNAP, STP, Dot1Q, Dot3, Ether
from scapy.layers.netbios import NBNSHeader, NBNSRegistrationRequest
from scapy.layers.ntp import NTPHeader
from scapy.layers.snmp import SNMP, SNMPbulk, SNMPget, SNMPresponse, SNMPvarbind

from tests.sensors.told import address_text, rows_of, told, written
from tests.support.wireshark import TSHARK, wireshark_fields

pytestmark = pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")

A, B, C = "02:00:5e:00:53:01", "02:00:5e:00:53:02", "02:00:5e:00:53:03"
PLANTED = "s3cret-community"


def is_at(ip: str, mac: str) -> Ether:
    """An ARP reply."""
    return Ether(src=mac, dst=B) / ARP(op=2, hwsrc=mac, psrc=ip, hwdst=B, pdst="10.0.0.2")


def conflicts(path: Path) -> list[str]:
    rows = [row for row in rows_of(path, "anomalies") if row["kind"] == "ip_conflict"]
    assert all(row["layer"] == "network" for row in rows)
    return [row["detail"] for row in rows]


def test_arp_says_which_mac_address_has_an_address(tmp_path: Path) -> None:
    frames = [
        is_at("10.0.0.1", A),
        Ether(src=B, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=B, psrc="10.0.0.2", pdst="10.0.0.1"),
        Ether(src=C, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=C, psrc="10.0.0.3", pdst="10.0.0.3"),
    ]
    path = written(tmp_path / "arp.pcap", frames)
    expected = wireshark_fields(path, "arp", "arp.src.hw_mac", "arp.src.proto_ipv4")
    assert told(path) == {("address", "arp", mac, ip, ip) for mac, ip in expected}
    assert len(expected) == 3
    assert conflicts(path) == []


def test_a_probe_claims_nothing(tmp_path: Path) -> None:
    probe = Ether(src=A, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=A, psrc="0.0.0.0", pdst="10.0.0.1")  # noqa: S104
    assert told(written(tmp_path / "probe.pcap", [probe])) == set()


def test_two_claims_of_one_address_are_a_conflict(tmp_path: Path) -> None:
    path = written(tmp_path / "conflict.pcap", [is_at("10.0.0.1", A), is_at("10.0.0.1", C)])
    assert conflicts(path) == [f"10.0.0.1 was at {A}, now at {C}"]
    assert len(wireshark_fields(path, "arp.duplicate-address-detected", "frame.number")) == 1


def test_one_device_with_two_addresses_is_no_conflict(tmp_path: Path) -> None:
    frames = [is_at("10.0.0.1", A), is_at("10.0.0.9", A), is_at("10.0.0.1", A)]
    assert conflicts(written(tmp_path / "quiet.pcap", frames)) == []


def test_neighbour_discovery_says_it_for_ipv6(tmp_path: Path) -> None:
    link: dict[str, Any] = {"src": A, "dst": "33:33:00:00:00:01"}
    ip: dict[str, Any] = {"src": "fe80::1", "dst": "ff02::1", "hlim": 255}
    frames = [
        Ether(**link) / IPv6(**ip) / ICMPv6ND_NA(tgt="2001:db8::1", O=1) / ICMPv6NDOptDstLLAddr(lladdr=A),
        Ether(**link) / IPv6(**ip) / ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=A),
    ]
    path = written(tmp_path / "ndp.pcap", frames)
    fields = wireshark_fields(
        path, "icmpv6.type == 136", "icmpv6.nd.na.target_address", "icmpv6.opt.linkaddr"
    )
    (target, mac), *_ = fields
    assert told(path) == {
        ("address", "ndp", mac, target, target),
        ("address", "ndp", A, "fe80::1", "fe80::1"),
        ("role", "ndp", A, "fe80::1", "router"),
    }


def test_discovery_from_beyond_the_link_is_not_believed(tmp_path: Path) -> None:
    frame = (
        Ether(src=A, dst="33:33:00:00:00:01")
        / IPv6(src="2001:db8::9", dst="ff02::1", hlim=254)
        / ICMPv6ND_NA(tgt="2001:db8::1")
        / ICMPv6NDOptDstLLAddr(lladdr=A)
    )
    assert told(written(tmp_path / "remote.pcap", [frame])) == set()


def test_a_dhcp_client_says_who_it_is_and_is_told_its_address(tmp_path: Path) -> None:
    client = bytes.fromhex(A.replace(":", ""))
    asks = (
        Ether(src=A, dst="ff:ff:ff:ff:ff:ff")
        / IP(src="0.0.0.0", dst="255.255.255.255")  # noqa: S104
        / UDP(sport=68, dport=67)
        / BOOTP(chaddr=client, xid=7)
        / DHCP(
            options=[
                ("message-type", "request"),
                ("hostname", b"hmi-1"),
                ("vendor_class_id", b"MSFT 5.0"),
                ("requested_addr", "10.0.0.11"),
                ("param_req_list", [1, 3, 6, 15]),
                (90, b"\x01\x01\x00planted-dhcp-secret"),
                "end",
            ]
        )
    )
    gives = (
        Ether(src=B, dst=A)
        / IP(src="10.0.0.2", dst="10.0.0.11")
        / UDP(sport=67, dport=68)
        / BOOTP(op=2, chaddr=client, yiaddr="10.0.0.11", xid=7)
        / DHCP(options=[("message-type", "ack"), ("server_id", "10.0.0.2"), ("router", "10.0.0.254"), "end"])
    )
    path = written(tmp_path / "dhcp.pcap", [asks, gives])
    names = ("dhcp.hw.mac_addr", "dhcp.option.hostname", "dhcp.option.vendor_class_id")
    more = ("dhcp.option.requested_ip_address", "dhcp.option.request_list_item")
    ((mac, host, vendor, wanted, parameters),) = wireshark_fields(path, "dhcp.type == 1", *names, *more)
    answer = wireshark_fields(
        path, "dhcp.type == 2", "dhcp.ip.your", "dhcp.option.dhcp_server_id", "dhcp.option.router"
    )
    ((given, server, router),) = answer
    assert told(path) == {
        ("host_name", "dhcp", mac, "::", host),
        ("vendor_class", "dhcp", mac, "::", vendor),
        ("requested_address", "dhcp", mac, "::", wanted),
        ("dhcp_fingerprint", "dhcp", mac, "::", parameters),
        ("address", "dhcp", mac, given, given),
        ("role", "dhcp", "", server, "dhcp server"),
        ("role", "dhcp", "", router, "router"),
    }


def test_a_switch_says_what_it_is(tmp_path: Path) -> None:
    frame = (
        Ether(src=B, dst="01:80:c2:00:00:0e", type=0x88CC)
        / lldp.LLDPDUChassisID(subtype=4, id=A)
        / lldp.LLDPDUPortID(subtype=5, id=b"ge-0/0/7")
        / lldp.LLDPDUTimeToLive(ttl=120)
        / lldp.LLDPDUSystemName(system_name=b"sw-plant-1")
        / lldp.LLDPDUSystemDescription(description=b"Industrial switch, V5.5.2")
        / lldp.LLDPDUSystemCapabilities(mac_bridge_available=1, mac_bridge_enabled=1)
        / lldp.LLDPDUManagementAddress(
            management_address_subtype=1, management_address=bytes([10, 0, 0, 250]), interface_number=7
        )
        / lldp.LLDPDUGenericOrganisationSpecific(org_code=0x0012BB, subtype=8, data=b"SN-0815")
        / lldp.LLDPDUEndOfLLDPDU()
    )
    path = written(tmp_path / "lldp.pcap", [frame])
    names = (
        "lldp.chassis.id.mac",
        "lldp.port.id",
        "lldp.tlv.system.name",
        "lldp.tlv.system.desc",
        "lldp.mgn.addr.ip4",
    )
    ((mac, port, name, description, ip),) = wireshark_fields(path, "lldp", *names)
    assert told(path) == {
        ("address", "lldp", mac, ip, ip),
        ("port", "lldp", mac, ip, port),
        ("host_name", "lldp", mac, ip, name),
        ("description", "lldp", mac, ip, description),
        ("role", "lldp", mac, ip, "bridge"),
        ("serial_number", "lldp", mac, ip, "SN-0815"),
    }


def test_a_bridge_and_the_root_of_the_tree(tmp_path: Path) -> None:
    frame = (
        Dot3(src=B, dst="01:80:c2:00:00:00")
        / LLC(dsap=0x42, ssap=0x42, ctrl=3)
        / STP(rootid=4096, rootmac=C, bridgeid=32768, bridgemac=A)
    )
    path = written(tmp_path / "stp.pcap", [frame])
    ((root, bridge),) = wireshark_fields(path, "stp", "stp.root.hw", "stp.bridge.hw")
    assert told(path) == {
        ("role", "stp", bridge, "::", "bridge"),
        ("role", "stp", root, "::", "root bridge"),
    }


def test_cdp_names_a_switch(tmp_path: Path) -> None:
    frame = (
        Dot3(src=B, dst="01:00:0c:cc:cc:cc")
        / LLC(dsap=0xAA, ssap=0xAA, ctrl=3)
        / SNAP(OUI=0x00000C, code=0x2000)
        / cdp.CDPv2_HDR(
            msg=[
                cdp.CDPMsgDeviceID(val=b"core-1"),
                cdp.CDPMsgAddr(naddr=1, addr=[cdp.CDPAddrRecordIPv4(addr="10.0.0.253")]),
                cdp.CDPMsgPortID(iface=b"GigabitEthernet0/1"),
                cdp.CDPMsgSoftwareVersion(val=b"Version 15.2(7)E"),
                cdp.CDPMsgPlatform(val=b"IE-4000"),
            ]
        )
    )
    path = written(tmp_path / "cdp.pcap", [frame])
    names = ("cdp.deviceid", "cdp.nrgyz.ip_address", "cdp.portid", "cdp.software_version", "cdp.platform")
    ((device, _, port, software, platform),) = wireshark_fields(path, "cdp", *names)
    ip = "10.0.0.253"
    assert told(path) == {
        ("host_name", "cdp", B, ip, device),
        ("port", "cdp", B, ip, port),
        ("software", "cdp", B, ip, software),
        ("model", "cdp", B, ip, platform),
        ("address", "cdp", B, ip, ip),
    }


def udp(src: str, dst: str, sport: int, dport: int) -> Ether:
    return Ether(src=A, dst=B) / IP(src=src, dst=dst) / UDP(sport=sport, dport=dport)


def test_an_snmp_agent_describes_its_system_and_the_community_stays_where_it_is(tmp_path: Path) -> None:
    system = "1.3.6.1.2.1.1"
    variables = [
        SNMPvarbind(oid=ASN1_OID(f"{system}.1.0"), value=ASN1_STRING(b"RTU 560, firmware 11.2")),
        SNMPvarbind(oid=ASN1_OID(f"{system}.2.0"), value=ASN1_OID("1.3.6.1.4.1.4196.1.1")),
        SNMPvarbind(oid=ASN1_OID(f"{system}.5.0"), value=ASN1_STRING(b"rtu-7")),
        SNMPvarbind(oid=ASN1_OID(f"{system}.6.0"), value=ASN1_STRING(b"a place")),
    ]
    frames = [
        udp("10.0.0.1", "10.0.0.7", 40_000, 161)
        / SNMP(
            version=1,
            community=PLANTED,
            PDU=SNMPget(varbindlist=[SNMPvarbind(oid=ASN1_OID(f"{system}.1.0"))]),
        ),
        udp("10.0.0.7", "10.0.0.1", 161, 40_000)
        / SNMP(version=1, community=PLANTED, PDU=SNMPresponse(varbindlist=variables)),
    ]
    path = written(tmp_path / "snmp.pcap", frames)
    ((community, values, objects),) = wireshark_fields(
        path, "snmp.get_response_element", "snmp.community", "snmp.value.octets", "snmp.value.oid"
    )
    assert community == PLANTED
    description, name, _ = (bytes.fromhex(value).decode() for value in values.split(","))
    assert told(path) == {
        ("role", "snmp", "", "10.0.0.7", "snmp agent"),
        ("service", "snmp", "", "10.0.0.7", "SNMPv2c"),
        ("description", "snmp", "", "10.0.0.7", description),
        ("host_name", "snmp", "", "10.0.0.7", name),
        ("object_id", "snmp", "", "10.0.0.7", objects.lstrip(".")),
    }


def test_a_request_alone_tells_nothing_of_the_agent(tmp_path: Path) -> None:
    asked = SNMPbulk(varbindlist=[SNMPvarbind(oid=ASN1_OID("1.3.6.1.2.1.1.1.0"))])
    frame = udp("10.0.0.1", "10.0.0.7", 40_000, 161) / SNMP(version=1, community=PLANTED, PDU=asked)
    path = written(tmp_path / "asked.pcap", [frame])
    assert told(path) == set()
    assert [row["service"] for row in rows_of(path, "flows")] == ["snmp"]


def test_a_time_server_and_its_stratum(tmp_path: Path) -> None:
    frames = [
        udp("10.0.0.1", "10.0.0.9", 40_000, 123) / NTPHeader(version=4, mode=3),
        udp("10.0.0.9", "10.0.0.1", 123, 40_000) / NTPHeader(version=4, mode=4, stratum=2),
    ]
    path = written(tmp_path / "ntp.pcap", frames)
    ((version, stratum),) = wireshark_fields(path, "ntp.flags.mode == 4", "ntp.flags.vn", "ntp.stratum")
    assert told(path) == {
        ("role", "ntp", "", "10.0.0.9", "ntp server"),
        ("service", "ntp", "", "10.0.0.9", f"NTPv{version}, stratum {stratum}"),
    }


def test_a_windows_host_registers_its_name(tmp_path: Path) -> None:
    frame = (
        udp("10.0.0.5", "10.0.0.255", 137, 137)
        / NBNSHeader(OPCODE=5, NM_FLAGS=0x11, QDCOUNT=1, ARCOUNT=1)
        / NBNSRegistrationRequest(QUESTION_NAME=b"PANEL-5", SUFFIX=0x4141, NB_ADDRESS="10.0.0.5")
    )
    path = written(tmp_path / "nbns.pcap", [frame])
    ((name, ip),) = wireshark_fields(path, "nbns", "nbns.name", "nbns.addr")
    assert name.startswith("PANEL-5<00>")
    assert told(path) == {("host_name", "netbios", "", ip, "PANEL-5")}


def test_a_vlan_and_a_distance_are_told_once(tmp_path: Path) -> None:
    frames = [
        Ether(src=A, dst=B) / Dot1Q(vlan=20) / IP(src="10.0.0.1", dst="10.0.0.2", ttl=ttl) / TCP(sport=port)
        for ttl, port in [(127, 1024), (126, 1025), (127, 1024)]
    ]
    path = written(tmp_path / "vlan.pcap", frames)
    assert told(path) == {("vlan", "frame", A, "::", "20")}
    distances = [row for row in rows_of(path, "observations") if row["source"] == "ttl"]
    assert [(address_text(row["ip"]), row["value"]) for row in distances] == [("10.0.0.1", "1 of 128 hops")]


def test_what_has_no_room_is_in_the_coverage(tmp_path: Path) -> None:
    frames = [is_at(f"10.0.0.{number}", f"02:00:5e:00:53:{number:02x}") for number in range(1, 11)]
    path = written(tmp_path / "many.pcap", frames)
    assert len(told(path, observations=16)) == 2
    assert sum(row["evicted_observations"] for row in rows_of(path, "coverage", observations=16)) == 8
    assert sum(row["evicted_observations"] for row in rows_of(path, "coverage")) == 0


def test_planted_secrets_are_in_no_table(tmp_path: Path) -> None:
    test_an_snmp_agent_describes_its_system_and_the_community_stays_where_it_is(tmp_path)
    test_a_dhcp_client_says_who_it_is_and_is_told_its_address(tmp_path)
    from sensors.engine import decode

    for name, secret in [("snmp.pcap", PLANTED), ("dhcp.pcap", "planted-dhcp-secret")]:
        path = tmp_path / name
        assert secret.encode() in path.read_bytes()
        with decode(path) as run:
            for batches in run:
                for batch in batches.values():
                    assert secret not in str(batch.to_pylist())
