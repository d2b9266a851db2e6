"""What stories plant in the network is in the decoded rows, and their benign twins have none."""

from __future__ import annotations

import polars as pl

from pcaps import sample
from tests.scenarios.decoded import rows, tables
from tests.scenarios.pipeline import mapped


def twins(name: str) -> tuple[str, str]:
    """A sample and its benign twin."""
    return name, sample(name).twin


def contacts(name: str, client: str) -> pl.DataFrame:
    """Whom a station opened what with."""
    return rows(name, "flow_starts").filter(pl.col("client_ip") == client)


def test_a_scan_meets_many_addresses_and_ports_and_the_monitoring_few() -> None:
    scan, watch = contacts("network-scan", "10.225.0.99"), contacts("network-scan-benign", "10.225.0.70")
    assert scan["server_ip"].n_unique() == 80
    assert scan.filter(pl.col("ip_proto") == 6)["server_port"].n_unique() == 28
    assert watch["server_ip"].n_unique() == 4
    assert set(watch["server_port"]) == {0, 502}


def test_an_address_flips_in_one_capture_and_keeps_its_owner_in_the_other() -> None:
    planted, benign = twins("arp-flip")
    flips = next(one for one in sample(planted).planted if one.id == "G2")
    kinds = rows(planted, "anomalies")["kind"]
    assert kinds.to_list() == ["ip_conflict"] * flips.count
    assert "anomalies" not in tables(benign)


def told(name: str, kind: str, source: str) -> set[str]:
    """What a source told of devices, of one kind."""
    said = rows(name, "observations")
    return set(said.filter(pl.col("kind") == kind, pl.col("source") == source)["value"])


def macs(name: str) -> set[int]:
    """The MAC addresses of which something was told."""
    return set(rows(name, "observations")["mac"]) - {0}


def test_a_new_device_is_told_of_and_a_known_one_only_again() -> None:
    planted, benign = twins("new-device")
    laptop = 0x00005E005399
    assert laptop in macs(planted)
    assert told(planted, "host_name", "dhcp") == {"toms-laptop"}
    assert laptop not in macs(benign)
    assert told(benign, "host_name", "dhcp") == {"hall-panel"}


def test_a_third_server_gives_addresses_beside_the_pair() -> None:
    planted, benign = twins("second-dhcp-server")
    servers = {
        name: rows(name, "observations").filter(pl.col("value") == "dhcp server")["ip"].to_list()
        for name in (planted, benign)
    }
    pair = {mapped("10.225.0.53"), mapped("10.225.0.54")}
    assert set(servers[benign]) == pair
    assert set(servers[planted]) == pair | {mapped("10.220.0.99")}


def test_a_flood_begins_thousands_of_connections_and_a_retrying_client_few() -> None:
    floods, retries = (
        contacts("connection-flood", "10.225.0.99"),
        contacts("connection-flood-benign", "10.225.0.21"),
    )
    assert floods.height == sample("connection-flood").planted[0].count == 3_600
    times = floods["ts"].to_list()
    assert (max(times) - min(times)).total_seconds() < 60
    assert retries.filter(pl.col("server_ip") == "10.220.0.13").height == 120


def test_a_beacon_goes_outside_and_the_time_is_asked_inside() -> None:
    planted, benign = twins("beacon")
    outside = contacts(planted, "10.220.0.61").sort("ts")
    assert outside["server_ip"].unique().to_list() == ["203.0.113.77"]
    seconds = [gap.total_seconds() for gap in outside["ts"].diff().drop_nulls()]
    assert all(27 <= gap <= 33 for gap in seconds)
    assert outside.height == sample(planted).planted[0].count
    inside = contacts(benign, "10.220.0.61")
    assert set(zip(inside["server_ip"], inside["server_port"], strict=True)) == {("10.225.0.53", 123)}
