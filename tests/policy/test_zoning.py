"""A compiled site: zones of addresses, conduits of pairs, assets."""

from __future__ import annotations

import polars as pl
import pytest

from tests.policy.factories import HISTORIAN, PLC, PUBLIC, SITE, compiled, packed

MINE = compiled()


def test_zones_of_a_column() -> None:
    column = pl.Series(
        "ip", [packed(a) for a in (PLC, HISTORIAN, PUBLIC, "2001:db8:20::5", PLC)], dtype=pl.Binary
    )
    assert MINE.zones_of(column).to_list() == ["plant", "dmz", "", "plant", "plant"]


def test_zones_of_no_rows() -> None:
    assert MINE.zones_of(pl.Series("ip", [], dtype=pl.Binary)).dtype == pl.String


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("10.20.0.0", "plant"),
        ("10.20.0.255", "plant"),
        ("10.19.255.255", ""),
        ("10.20.1.0", ""),
        ("10.20.0.40", "cell"),
    ],
)
def test_edges_and_the_longest_prefix(address: str, zone: str) -> None:
    nested = compiled(SITE.replace("zones:\n", "zones:\n- {id: cell, purdue: 1, cidrs: [10.20.0.40/32]}\n"))
    assert nested.zone_of(packed(address)) == zone


def test_a_conduit_has_one_direction() -> None:
    assert MINE.conduit_of("dmz", "plant") == "c-hist"
    assert MINE.conduit_of("plant", "dmz") == ""
    assert MINE.conduit_of("plant", "plant") == ""
    assert MINE.conduit_of("", "plant") == ""


def test_assets_and_criticality() -> None:
    asset = MINE.asset_of(packed(PLC))
    assert asset is not None and asset.id == "plc1"
    assert MINE.criticality_of(packed(PLC)) == "C1"
    assert MINE.criticality_of(packed("10.20.0.77")) == "C2"
    assert MINE.criticality_of(packed(PUBLIC)) is None
    assert MINE.asset_of(packed(PUBLIC)) is None


def test_levels() -> None:
    assert MINE.purdue("dmz") == 3.5
    assert MINE.purdue("") is None


def test_what_stays_on_its_link() -> None:
    column = pl.Series(
        [packed(a) for a in ("224.0.0.1", "10.20.0.255", "fe80::1", "10.20.0.254", "2001:db8:20::1")]
    )
    assert MINE.local_of(column).to_list() == [True, True, True, False, False]
