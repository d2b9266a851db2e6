"""Mine to port: drawing and policy are of the same site, and the vendor's visit is as the policy wants it."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address

import pytest

from pcaps import POLICIES, sample
from pcaps.lab.notes import moment
from pcaps.lab.scenarios.base import planted
from pcaps.lab.site import Plan, Site, Station, Zone
from pcaps.lab.value_chain.day import MIDNIGHT_NS
from pcaps.lab.value_chain.plan import PLAN
from policy.loader import load

SITE = load(POLICIES / "value-chain.yaml").site
#: Brought along by somebody: no drawing of the site's own has it.
UNDECLARED = {"port-lap7"}


def test_every_station_is_an_asset_with_the_same_addresses() -> None:
    assets = {asset.id: (asset.zone, str(asset.ip), asset.mac or "") for asset in SITE.assets}
    hosts = {station.name: PLAN.host(station, seed=1) for station in PLAN.stations}
    # A vendor's hardware address never crosses a router: the policy cannot know it.
    assert assets.pop("acme-ws1") == ("vendor", hosts.pop("acme-ws1").ip, "")
    assert hosts.keys() - assets.keys() == UNDECLARED
    for name, asset in assets.items():
        assert asset == (hosts[name].zone, hosts[name].ip, hosts[name].mac)


def test_every_zones_addresses_are_in_its_prefix() -> None:
    prefixes = {zone.id: zone.cidrs[0] for zone in SITE.zones}
    assert prefixes.keys() == {zone.name for zone in PLAN.zones}
    for station in PLAN.stations:
        assert ip_address(PLAN.address(station.name)) in prefixes[station.zone]


def test_every_conduit_is_carried_by_the_routers_ports_of_its_two_zones() -> None:
    ports = {zone.name: zone.router_mac for zone in PLAN.zones}
    for conduit in SITE.conduits:
        assert conduit.eap is not None
        assert set(conduit.eap.macs) == {ports[conduit.from_zone], ports[conduit.to_zone]}


def test_no_two_stations_share_an_address() -> None:
    hosts = [PLAN.host(station, seed=1) for station in PLAN.stations]
    assert len({host.ip for host in hosts}) == len({host.mac for host in hosts}) == len(hosts)
    assert not {host.mac for host in hosts} & {zone.router_mac for zone in PLAN.zones}


def test_the_planted_visit_is_outside_window_and_approval() -> None:
    visit = next(one for one in sample("shift").planted if one.id == "RA-02")
    (approval,) = SITE.approvals
    (window,) = SITE.remote_access[0].windows
    local = visit.first - timedelta(hours=3)
    assert visit.first > approval.end
    assert 60 * local.hour + local.minute > window.end
    assert moment(MIDNIGHT_NS).strftime("%H:%M %a") == "03:00 Tue"


def _small_site(**changes: int) -> Site:
    plan = Plan(
        zones=(Zone("near", "192.0.2", 10, 100), Zone("far", "198.51.100", 20, 100)),
        stations=(Station("asker", "near", 5, 0x05), Station("plc", "far", 6, 0x06)),
        controllers={"plc": 5},
        clock_and_names="asker",
        **changes,
    )
    return Site(plan, 1, 1)


def test_a_station_without_ports_left_is_named() -> None:
    site = _small_site(ports_a_client=10_000)
    site.client("asker", "plc")
    with pytest.raises(ValueError, match="asker has no 10000 local ports left"):
        site.client("asker", "plc")


def test_what_never_happened_cannot_be_planted() -> None:
    site = _small_site()
    site.run()
    with pytest.raises(ValueError, match="M1: asker and plc say nothing to each other"):
        planted(site, site.network.captured, "M1", "asker", "plc", service="modbus", count=1, because="")
