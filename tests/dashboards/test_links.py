"""Links that keep what is chosen."""

from __future__ import annotations

from dashboards.links import Link

LINK = Link.of("/security/alerts", [("severity", "high"), ("severity", "low"), ("zone", ""), ("q", "a b&c")])


def test_empty_values_are_left_out_and_the_rest_is_quoted() -> None:
    assert str(LINK) == "/security/alerts?severity=high&severity=low&q=a+b%26c"


def test_toggling_takes_away_what_is_there_and_adds_what_is_not() -> None:
    assert LINK.toggle("severity", "low").values("severity") == ["high"]
    assert LINK.toggle("severity", "info").values("severity") == ["high", "low", "info"]
    assert LINK.toggle("severity", "low").toggle("severity", "low").values("severity") == ["high", "low"]


def test_putting_replaces_and_an_empty_value_takes_away() -> None:
    assert LINK.put("severity", "critical").values("severity") == ["critical"]
    assert LINK.put("q", "").values("q") == []
    assert str(Link("/network")) == "/network"


def test_another_path_keeps_the_parameters() -> None:
    assert str(LINK.drop("q").to("/api/v1/alerts/newer")) == "/api/v1/alerts/newer?severity=high&severity=low"
