"""A network interface's name in; what listening to it needs to know out. Nothing of the interface is changed.

Asked of the kernel by netdevice(7) requests and rtnetlink(7), through sockets that cannot reach a network.
"""

from __future__ import annotations

import array
import errno
import fcntl
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

# netdevice(7), linux/sockios.h, linux/ethtool.h
_SIOCGIFFLAGS: Final = 0x8913
_SIOCETHTOOL: Final = 0x8946
_ETHTOOL_GET_FLAGS: Final = 0x25
_ETHTOOL_GET_GRO: Final = 0x2B
_LARGE_RECEIVE_OFFLOAD: Final = 1 << 15
_IS_UP: Final = 0x1
_IS_LOOPBACK: Final = 0x8
_REQUEST_BYTES: Final = 40

# linux/rtnetlink.h: a dump of all addresses
_GET_ADDRESSES: Final = 22
_DUMP_REQUEST: Final = 0x301
_DONE: Final = 3
_FAILED: Final = 2
_ADDRESS: Final = 1
_LOCAL_ADDRESS: Final = 2


class InterfaceUnusable(Exception):
    """An interface that cannot, or must not, be listened to. Its text is one line, made for the user."""

    def __init__(self, interface: str, problem: str, repair: str) -> None:
        super().__init__(f"{interface}: {problem}; {repair}")
        self.interface = interface
        self.problem = problem
        self.repair = repair


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """An interface as the kernel describes it."""

    name: str
    is_up: bool
    is_loopback: bool
    #: IP addresses of this machine on it, as text: with one, the machine itself answers and asks on that network.
    addresses: tuple[str, ...]
    #: Receive offloads that join frames before anybody sees them ("gro", "lro").
    joins_frames_by: tuple[str, ...]


def find_interface(name: str) -> NetworkInterface:
    """The interface of that name; raises InterfaceUnusable where there is none, naming those there are."""
    try:
        index = socket.if_nametoindex(name)
    except OSError as error:
        there = ", ".join(name for _, name in socket.if_nameindex()) or "none"
        raise InterfaceUnusable(name, "no such interface", f"there are {there}") from error
    flags = _flags(name)
    return NetworkInterface(
        name=name,
        is_up=bool(flags & _IS_UP),
        is_loopback=bool(flags & _IS_LOOPBACK),
        addresses=tuple(sorted(address for at, address in _all_addresses() if at == index)),
        joins_frames_by=tuple(_joining_offloads(name)),
    )


def refuse_unusable(interface: NetworkInterface, *, allow_address: bool, wait: bool) -> None:
    """Raise InterfaceUnusable for an interface that is down, or on which this machine has an address.

    Geophone sends nothing; but a machine with an address on a network answers there, and IPv6 announces itself. A
    loopback interface reaches nobody.
    """
    if interface.addresses and not interface.is_loopback and not allow_address:
        name = interface.name
        raise InterfaceUnusable(
            name,
            f"has the address {', '.join(interface.addresses)}, so this machine itself may send on it",
            f"take it away (sysctl -w net.ipv6.conf.{name}.disable_ipv6=1; ip address flush dev {name}) "
            "or accept it with --allow-address",
        )
    if not interface.is_up and not wait:
        raise InterfaceUnusable(
            interface.name,
            "is down",
            f"bring it up (ip link set {interface.name} up) or wait for it with --wait",
        )


def _flags(name: str) -> int:
    with _asking() as asked:
        answer = fcntl.ioctl(asked, _SIOCGIFFLAGS, _request(name))
    return int(struct.unpack_from("=H", answer, 16)[0])


def _joining_offloads(name: str) -> Iterator[str]:
    """Names of the offloads that are on; none where the driver does not say."""
    for offload, command, mask in (
        ("gro", _ETHTOOL_GET_GRO, 1),
        ("lro", _ETHTOOL_GET_FLAGS, _LARGE_RECEIVE_OFFLOAD),
    ):
        value = array.array("I", [command, 0])
        try:
            with _asking() as asked:
                fcntl.ioctl(asked, _SIOCETHTOOL, _request(name, struct.pack("P", value.buffer_info()[0])))
        except OSError:
            continue
        if value[1] & mask:
            yield offload


def _asking() -> socket.socket:
    """A socket to ask the kernel with: of a family that knows no network."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def _request(name: str, rest: bytes = b"") -> bytes:
    encoded = name.encode()
    if len(encoded) > 15:
        raise OSError(errno.ENODEV, "an interface's name has 15 bytes at most")
    return (encoded.ljust(16, b"\0") + rest).ljust(_REQUEST_BYTES, b"\0")


def _all_addresses() -> Iterator[tuple[int, str]]:
    """(interface number, address) of every IP address of this machine."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as kernel:
        kernel.send(
            struct.pack("=IHHIIBBBBI", 24, _GET_ADDRESSES, _DUMP_REQUEST, 1, 0, socket.AF_UNSPEC, 0, 0, 0, 0)
        )
        while True:
            answer = kernel.recv(1 << 16)
            while len(answer) >= 16:
                length, kind = struct.unpack_from("=IH", answer)
                if kind in (_DONE, _FAILED):
                    return
                yield from _addresses_of(answer[16:length])
                answer = answer[(max(length, 16) + 3) & ~3 :]


def _addresses_of(message: bytes) -> Iterator[tuple[int, str]]:
    """The address of one ifaddrmsg: IFA_LOCAL where there is one, since IFA_ADDRESS may be the peer's."""
    (index,) = struct.unpack_from("=I", message, 4)
    found: dict[int, str] = {}
    rest = message[8:]
    while len(rest) >= 4:
        length, kind = struct.unpack_from("=HH", rest)
        if kind in (_ADDRESS, _LOCAL_ADDRESS) and length - 4 in (4, 16):
            found[kind] = str(ip_address(rest[4:length]))
        rest = rest[(max(length, 4) + 3) & ~3 :]
    address = found.get(_LOCAL_ADDRESS, found.get(_ADDRESS))
    if address is not None:
        yield index, address
