"""Addresses of the wire tables as text: the one form of them in files, findings and pages."""

from __future__ import annotations

from ipaddress import IPv6Address


def address_text(address: bytes) -> str:
    """16 bytes as text: IPv4 where they are IPv4-mapped (RFC 4291, 2.5.5.2), else IPv6 as in RFC 5952."""
    ipv6 = IPv6Address(address)
    return str(ipv6.ipv4_mapped or ipv6)


def mac_text(mac: int) -> str:
    """48 bits as six octets; empty for 0, which stands for none."""
    return mac.to_bytes(6, "big").hex(":") if mac else ""
