"""What the kernel says of an interface, and which ones are refused."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from sensors.interface import InterfaceUnusable, NetworkInterface, find_interface, refuse_unusable
from tests.support.wire import TAP, wire

QUIET = NetworkInterface(name="span0", is_up=True, is_loopback=False, addresses=(), joins_frames_by=())


def test_loopback_is_known_with_its_address() -> None:
    found = find_interface("lo")
    assert (found.name, found.is_loopback) == ("lo", True)
    assert "127.0.0.1" in found.addresses


@pytest.mark.parametrize("name", ["nowhere0", "a-name-longer-than-any-interface-has", ""])
def test_an_unknown_interface_is_answered_with_those_there_are(name: str) -> None:
    with pytest.raises(InterfaceUnusable, match=r"no such interface; there are .*\blo\b"):
        find_interface(name)


def test_an_interface_that_is_up_and_has_no_address_is_fine() -> None:
    refuse_unusable(QUIET, allow_address=False, wait=False)


def test_an_address_is_refused_with_the_way_out() -> None:
    ours = dataclasses.replace(QUIET, addresses=("10.0.0.5", "fe80::1"))
    with pytest.raises(InterfaceUnusable) as refused:
        refuse_unusable(ours, allow_address=False, wait=False)
    assert str(refused.value) == (
        "span0: has the address 10.0.0.5, fe80::1, so this machine itself may send on it; take it away "
        "(sysctl -w net.ipv6.conf.span0.disable_ipv6=1; ip address flush dev span0) "
        "or accept it with --allow-address"
    )
    refuse_unusable(ours, allow_address=True, wait=False)


def test_loopback_may_have_an_address() -> None:
    loopback = dataclasses.replace(QUIET, is_loopback=True, addresses=("127.0.0.1",))
    refuse_unusable(loopback, allow_address=False, wait=False)


def test_an_interface_that_is_down_is_refused_unless_it_is_waited_for() -> None:
    down = dataclasses.replace(QUIET, is_up=False)
    with pytest.raises(InterfaceUnusable, match="is down; bring it up"):
        refuse_unusable(down, allow_address=False, wait=False)
    refuse_unusable(down, allow_address=False, wait=True)


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_addresses_of_both_families_and_offloads_are_seen() -> None:
    script = f"from sensors.interface import find_interface as f; i = f({TAP!r}); print(i.addresses, i.joins_frames_by)"
    with wire("interface") as made:
        assert made.run(sys.executable, "-c", script) == "() ()\n"
        made.run("ip", "address", "add", "192.0.2.7/24", "dev", TAP)
        made.run("sysctl", "-qw", f"net.ipv6.conf.{TAP}.disable_ipv6=0")
        made.run("ip", "address", "add", "2001:db8::7/64", "dev", TAP, "nodad")
        made.run("ethtool", "-K", TAP, "gro", "on")
        said = made.run(sys.executable, "-c", script)
        assert "192.0.2.7" in said
        assert "2001:db8::7" in said
        assert said.endswith("('gro',)\n")
        refused = subprocess.run(
            made.command(sys.executable, "-m", "geophone", "sensor", "-i", TAP),
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 2
        assert refused.stderr.startswith(f"{TAP}: has the address 192.0.2.7")
