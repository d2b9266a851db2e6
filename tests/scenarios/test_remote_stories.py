"""Remote access: the sessions that the sensor sees are those that were held, and only the planted ones break a rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pcaps import sample
from tests.scenarios.decoded import rows

BENIGN, BYPASS, HOURS, PIVOT = "remote-session-benign", "remote-bypass", "remote-hours", "remote-pivot"
STORIES = (BENIGN, BYPASS, HOURS, PIVOT)
VENDOR, GATEWAY, JUMP = "203.0.113.", "10.36.0.10", "10.35.0.20"
EWS, SCADA, HMI = "10.25.0.40", "10.25.0.20", "10.25.0.21"
TARGETS = {EWS: "rdp", SCADA: "ssh", HMI: "vnc"}
DESKTOPS = {"rdp", "ssh", "vnc"}
ZONE = ZoneInfo("America/Santiago")
#: The policy's approvals.
APPROVED = (
    (datetime(2026, 11, 17, 11, tzinfo=UTC), datetime(2026, 11, 17, 15, tzinfo=UTC)),
    (datetime(2026, 11, 18, 11, tzinfo=UTC), datetime(2026, 11, 18, 21, tzinfo=UTC)),
)


@dataclass(frozen=True)
class Session:
    """A flow of a remote access service, from its first packet to its last, with its longest silence."""

    client: str
    server: str
    service: str
    first: datetime
    last: datetime
    silence: timedelta

    @property
    def broken(self) -> set[str]:
        """What of the policy's rule for Acme it breaks by itself."""
        start, end = self.first.astimezone(ZONE), self.last.astimezone(ZONE)
        in_hours = start.hour >= 8 and (end.hour, end.minute) < (12, 0) and start.date() == end.date()
        approved = any(begin <= self.first and self.last < finish for begin, finish in APPROVED)
        found = {
            "RA-02": not in_hours,
            "RA-03": not approved,
            "RA-04": self.last - self.first > timedelta(hours=2) or self.silence > timedelta(minutes=15),
            "RA-01": self.client != JUMP,
        }
        return {check for check, is_broken in found.items() if is_broken}


def sessions(name: str) -> list[Session]:
    """Of desktops, shells and screens, by when they begin."""
    flows = rows(name, "flows").filter(pl.col("service").is_in(sorted(DESKTOPS)))
    minutes = rows(name, "flow_minutes").filter(pl.col("payload_bytes_c2s") > 0)
    made = []
    for flow in flows.sort("ts").to_dicts():
        busy = minutes.filter(pl.col("flow_id") == flow["flow_id"]).sort("first_ts")
        gaps = busy["first_ts"].shift(-1) - busy["last_ts"]
        longest = gaps.max()
        made.append(
            Session(
                flow["client_ip"],
                flow["server_ip"],
                flow["service"],
                flow["ts"],
                flow["last_ts"],
                longest if isinstance(longest, timedelta) else timedelta(),
            )
        )
    return made


def to_targets(name: str) -> list[Session]:
    """Those that end on a machine that the vendor may reach, whoever opened them."""
    return [one for one in sessions(name) if TARGETS.get(one.server) == one.service]


def let_in(name: str) -> set[tuple[str, str, str]]:
    """Client, server and service where the login did not fail."""
    seen = rows(name, "services").filter(~pl.col("login").is_in(["no", "guessed_no"]))
    return set(zip(seen["client_ip"], seen["server_ip"], seen["service"], strict=True))


@pytest.mark.parametrize("name", STORIES)
def test_every_session_that_was_held_is_a_flow_of_its_service(name: str) -> None:
    truth = sample(name).truth["remote_session"]
    flows = rows(name, "flows").to_dicts()
    for one in truth:
        near = [
            flow
            for flow in flows
            if (flow["client_ip"], flow["server_ip"], flow["service"])
            == (one["client"], one["server"], one["service"])
            and abs(flow["ts"] - one["first"]) < timedelta(seconds=1)
            # Wrong passwords take their time after the last line that has one.
            and timedelta() <= flow["last_ts"] - one["last"] < timedelta(seconds=20)
        ]
        assert len(near) == 1, one
    held = Counter(one["service"] for one in truth if one["service"] in DESKTOPS)
    assert Counter(one.service for one in sessions(name)) == held


def test_the_visit_by_the_book_breaks_nothing() -> None:
    visits = to_targets(BENIGN)
    assert [one.server for one in visits] == [EWS, SCADA, HMI]
    assert [one.broken for one in visits] == [set()] * 3
    for one, following in pairwise(visits):
        assert one.last < following.first
    to_jump = [one for one in sessions(BENIGN) if (one.client, one.server) == (GATEWAY, JUMP)]
    assert all(any(leg.first < one.first and one.last < leg.last for leg in to_jump) for one in visits)
    tunnel = rows(BENIGN, "flows").filter(pl.col("client_ip").str.starts_with(VENDOR))
    assert set(zip(tunnel["server_ip"], tunnel["service"], strict=True)) == {(GATEWAY, "https")}


def test_sessions_past_the_jump_host_and_without_their_first_leg_are_seen() -> None:
    visits = to_targets(BYPASS)
    broken = {(one.client, one.server): one.broken for one in visits}
    assert broken == {
        ("203.0.113.5", EWS): {"RA-01", "RA-03"},
        (GATEWAY, HMI): {"RA-01", "RA-03"},
        (JUMP, EWS): {"RA-03"},
    }
    planted = {(one.id, one.src_ip, one.dst_ip) for one in sample(BYPASS).planted}
    assert {(check, *ends) for ends, checks in broken.items() for check in checks} <= planted
    # The chain is broken: nobody is on the jump host by the gateway.
    assert ("RA-06", JUMP, EWS) in planted
    assert not [one for one in sessions(BYPASS) if one.server == JUMP]


def test_tools_that_need_no_gateway_are_named_and_what_looks_like_them_is_not() -> None:
    named = rows(BYPASS, "services").filter(pl.col("service").is_in(["teamviewer", "wireguard"]))
    seen = set(zip(named["client_ip"], named["server_ip"], named["service"], strict=True))
    assert seen == {(EWS, "198.51.100.20", "teamviewer"), ("10.35.0.10", "198.51.100.21", "wireguard")}
    assert {("RA-07", *ends[:2]) for ends in seen} == {
        (one.id, one.src_ip, one.dst_ip) for one in sample(BYPASS).planted if one.id == "RA-07"
    }
    for name in (BENIGN, BYPASS):
        outside = rows(name, "flows").filter(pl.col("server_ip") == "192.0.2.10")
        assert set(outside["ip_proto"]) == {6, 17}
        # The datagrams are of no known protocol: their port says https, nothing else does.
        assert set(outside["service"]) == {"https"}


def test_sessions_at_the_wrong_time_are_the_planted_ones() -> None:
    visits = to_targets(HOURS)
    seen = [(check, one.client, one.server) for one in visits for check in sorted(one.broken)]
    planted = [one for one in sample(HOURS).planted if one.id in ("RA-02", "RA-03", "RA-04")]
    assert sorted(seen) == sorted((one.id, one.src_ip, one.dst_ip) for one in planted)
    for one in planted:
        (visit,) = [visit for visit in visits if visit.server == one.dst_ip and one.id in visit.broken]
        assert (visit.first, visit.last) == pytest.approx(
            (one.first, one.last), abs=timedelta(milliseconds=1)
        )


def test_two_at_once_are_two_sessions_that_overlap() -> None:
    visits = to_targets(HOURS)
    overlapping = [
        (one, other)
        for number, one in enumerate(visits)
        for other in visits[number + 1 :]
        if other.first < one.last
    ]
    (planted,) = [one for one in sample(HOURS).planted if one.id == "RA-05"]
    assert [(one.server, other.server) for one, other in overlapping] == [(SCADA, EWS)]
    assert abs(overlapping[0][1].first - planted.first) < timedelta(milliseconds=1)


def test_the_first_visit_on_wednesday_is_allowed() -> None:
    assert to_targets(HOURS)[0].broken == set()


def test_the_visit_s_target_opens_doors_of_its_own() -> None:
    visit = next(one for one in to_targets(PIVOT) if one.server == EWS)
    onward = [one for one in sessions(PIVOT) if one.client == EWS]
    planted = {(one.src_ip, one.dst_ip, one.service) for one in sample(PIVOT).planted if one.id == "RA-08"}
    assert {(one.client, one.server, one.service) for one in onward} == planted
    assert all(visit.first < one.first < visit.last for one in onward)
    assert not [one for one in sessions(BENIGN) if one.client == EWS]


def test_tried_passwords_are_counted_and_a_mistyped_one_is_no_attack() -> None:
    (planted,) = [one for one in sample(PIVOT).planted if one.id == "RA-09"]
    tried = rows(PIVOT, "services").filter((pl.col("service") == "ssh") & (pl.col("server_ip") == SCADA))
    assert set(tried["login"]) == {"guessed_no"}
    assert tried["refused_logins"].sum() == planted.count
    mistyped = rows(BENIGN, "services").filter(pl.col("service") == "ssh")
    assert (mistyped["login"].to_list(), mistyped["refused_logins"].to_list()) == (["guessed_yes"], [1])


@pytest.mark.parametrize("name", [BENIGN, BYPASS, PIVOT])
def test_the_target_writes_to_the_plant_while_the_visit_lasts(name: str) -> None:
    visit = next(one for one in to_targets(name) if one.server == EWS)
    modbus = rows(name, "modbus").filter((pl.col("client_ip") == EWS) & pl.col("function").is_in([6, 16]))
    opcua = rows(name, "opcua").filter(pl.col("service") == "Write")
    assert (modbus.height, opcua.height) == (2, 1)
    for at in (*modbus["ts"], *opcua["ts"]):
        assert visit.first < at < visit.last
    # By the book and in the pivot it is what the rule and the change allow.
    written = "RakeSpeed" if name == BYPASS else "TorqueLimit"
    assert opcua["nodes"].to_list() == [[f"ns=2;s=Thickener.{written}"]]
    assert modbus["address"].to_list() == ([150, 151] if name == BYPASS else [100, 110])


def test_the_users_names_are_told_where_they_cross_in_clear() -> None:
    names = rows(BENIGN, "services").filter(pl.col("service") == "rdp")["user"]
    # The client cuts its cookie at nine letters.
    assert set(names) == {"acme-tech", ""}
    assert (JUMP, EWS, "rdp") in let_in(BENIGN)
