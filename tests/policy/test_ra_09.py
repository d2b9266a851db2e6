"""RA-09: a row of failed logins."""

from __future__ import annotations

import pytest

from policy.checks.ra_09 import FailedLogins
from sensors.records import SERVICES
from tests.policy.factories import HISTORIAN, NOON, PLC, SECOND, Wire, compiled, only
from tests.policy.watching import watched

CHECK = FailedLogins()


def refused(*refusals: int, service: str = "ssh", pause_s: int = 30, login: str = "guessed_no") -> Wire:
    """Connections, each with so many refusals, so long after each other."""
    wire = Wire()
    for number, count in enumerate(refusals):
        at = NOON + number * pause_s * SECOND
        flow = wire.flow(HISTORIAN, PLC, 22, client_port=50_000 + number, at=at)
        wire.add(
            SERVICES, flow, service=service, login=login, refused_logins=count, ts=at, frame=number + 1,
            confidence="handshake",
        )  # fmt: skip
    return wire


def test_reports_three_refusals_in_each_of_two_connections() -> None:
    site = compiled()
    found = watched(CHECK, site, refused(3, 3))
    assert found["count"].sum() == 6
    assert "6 logins were refused" in CHECK.why(site, {**only(found), "count": 6})


@pytest.mark.parametrize("refusals", [(1,), (4,), (1, 1, 1, 1)])
def test_ignores_a_mistyped_password(refusals: tuple[int, ...]) -> None:
    assert watched(CHECK, compiled(), refused(*refusals)).is_empty()


def test_refusals_far_apart_are_no_row() -> None:
    assert watched(CHECK, compiled(), refused(3, 3, pause_s=301)).is_empty()
    assert not watched(CHECK, compiled(), refused(3, 3, pause_s=300)).is_empty()


def test_a_guess_has_less_confidence_than_what_was_said() -> None:
    ranks = {
        login: watched(CHECK, compiled(), refused(9, login=login))["confidence_rank"].max()
        for login in ("guessed_no", "no")
    }
    assert ranks == {"guessed_no": 2, "no": 3}


def test_other_services_are_not_remote_access() -> None:
    assert watched(CHECK, compiled(), refused(9, service="mqtt")).is_empty()
