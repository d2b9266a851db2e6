"""RA-01 to RA-06 and RA-08: what each reports, and what it leaves alone. The visit by the book breaks none."""

from __future__ import annotations

import polars as pl
import pytest

from policy.checks import CHECKS
from policy.checks.base import AccessCheck
from tests.policy.access import ACCESS, EWS, GATEWAY, JUMP, OFFICE, PLC, TEXT, VENDOR, Sessions, visits
from tests.policy.factories import HISTORIAN, PORT_HOST, Wire, compiled, only, packed

BY_ID = {check.id: check for check in CHECKS if isinstance(check, AccessCheck)}


def broken(wire: Wire, text: str = TEXT) -> dict[str, int]:
    """How many visits each check reports."""
    site = ACCESS if text is TEXT else compiled(text)
    book = visits(wire, site)
    found = {name: check.found(site, book).height for name, check in BY_ID.items()}
    return {name: count for name, count in found.items() if count}


def violation(name: str, wire: Wire) -> tuple[dict[str, object], str]:
    """The one violation of a check, and why."""
    check = BY_ID[name]
    found = only(check.violations(ACCESS, visits(wire)))
    return found, check.why(ACCESS, found)


def test_the_visit_by_the_book_breaks_nothing_and_has_its_whole_chain() -> None:
    wire = Sessions()
    wire.chain()
    (visit,) = visits(wire).to_dicts()
    assert (visit["rule"], visit["came"], visit["approval"]) == ("ra-1", "jump", "CHG-1")
    assert (visit["jump_client_ip"], visit["origin_ip"]) == (packed(GATEWAY), packed(VENDOR))
    assert broken(wire) == {}


@pytest.mark.parametrize(
    ("client", "came", "more"),
    [
        (GATEWAY, "gateway", {}),
        (VENDOR, "source", {}),
        (OFFICE, "outside", {}),
        ("198.51.100.7", "outside", {}),
    ],
)
def test_ra_01_reports_who_is_not_on_the_jump_host(client: str, came: str, more: dict[str, str]) -> None:
    wire = Sessions()
    wire.session(client, EWS)
    assert visits(wire)["came"].to_list() == [came]
    found, why = violation("RA-01", wire)
    assert found["confirmed"]
    assert "goes through jump1" in why


def test_ra_01_reports_the_vendor_on_a_machine_that_is_no_target() -> None:
    wire = Sessions()
    wire.session(VENDOR, PLC, "ssh", port=22)
    assert broken(wire) == {"RA-01": 1}


def test_ra_01_reports_an_attempt() -> None:
    wire = Sessions()
    wire.session(GATEWAY, EWS, minutes=1, established=False)
    wire.minutes[-1].update(payload_bytes_c2s=0, payload_bytes_s2c=0)
    found, _ = violation("RA-01", wire)
    assert not found["confirmed"]


@pytest.mark.parametrize(
    ("client", "server", "service"),
    [
        (PLC, EWS, "rdp"),  # local engineering
        (PORT_HOST, EWS, "ssh"),  # of another zone of the plant
        (HISTORIAN, PLC, "ssh"),  # from the DMZ to what is no target
        (OFFICE, PLC, "ssh"),  # from the office to what is no target: that is the segmentation's
        (JUMP, PLC, "ssh"),  # the jump host's own work
        (VENDOR, GATEWAY, "https"),
        (GATEWAY, JUMP, "rdp"),
        (VENDOR, EWS, "modbus"),
    ],
)
def test_what_is_no_visit_is_none(client: str, server: str, service: str) -> None:
    wire = Sessions()
    wire.session(client, server, service)
    assert visits(wire).is_empty()


@pytest.mark.parametrize(
    ("start", "minutes", "reported"),
    [
        (-60, 30, 0),  # 08:00, the first minute of the window
        (-63, 30, 1),  # it begins a minute before
        (100, 60, 0),
        (150, 40, 1),  # it goes on after noon
        (190, 10, 1),
        (24 * 60, 30, 1),  # Tuesday
    ],
)
def test_ra_02_begins_and_ends_within_the_window(start: int, minutes: int, reported: int) -> None:
    wire = Sessions()
    # The session on the machine begins two minutes after the tunnel.
    wire.chain(start=start - 2 if start != -63 else start, minutes=minutes)
    assert broken(wire).get("RA-02", 0) == reported


def test_ra_02_says_when_it_was() -> None:
    wire = Sessions()
    wire.chain(start=150, minutes=50)
    _, why = violation("RA-02", wire)
    assert "mon 08:00 to 12:00 (America/Santiago)" in why
    assert "begins at Mon 23 Nov 2026 11:32 and goes on until Mon 23 Nov 2026 12:19" in why


def test_ra_02_is_silent_without_windows() -> None:
    wire = Sessions()
    wire.chain(start=600)
    text = TEXT.replace('windows: [{days: [mon], start: "08:00", end: "12:00"}], ', "")
    assert "RA-02" not in broken(wire, text)


def test_ra_03_wants_an_approval_for_all_of_it() -> None:
    early = TEXT.replace("11:00:00Z", "12:03:00Z")
    late = TEXT.replace("2026-11-24T00:00:00Z", "2026-11-23T12:20:00Z")
    wire = Sessions()
    wire.chain()
    assert "RA-03" not in broken(wire)
    for text in (early, late):
        assert broken(wire, text) == {"RA-03": 1}
    assert broken(wire, late.replace("approval: required", "approval: none")) == {}


def test_ra_03_names_the_approvals_there_are() -> None:
    wire = Sessions()
    wire.chain(start=24 * 60)
    _, why = violation("RA-03", wire)
    assert "The policy has CHG-1 from Mon 23 Nov 2026 08:00 to Mon 23 Nov 2026 21:00" in why


@pytest.mark.parametrize(("minutes", "reported"), [(121, 0), (125, 1)])
def test_ra_04_reports_a_session_that_is_too_long(minutes: int, reported: int) -> None:
    wire = Sessions()
    wire.chain(minutes=minutes + 2)
    assert broken(wire).get("RA-04", 0) == reported


@pytest.mark.parametrize(("quiet", "reported"), [(14, 0), (16, 1)])
def test_ra_04_reports_silence_of_the_visitor_whatever_the_machine_sends(quiet: int, reported: int) -> None:
    wire = Sessions()
    wire.chain(minutes=60, quiet=range(5, 5 + quiet))
    assert broken(wire).get("RA-04", 0) == reported


def test_ra_04_reports_a_session_that_is_left_open_at_its_end() -> None:
    wire = Sessions()
    wire.chain(minutes=60, quiet=range(20, 60))
    found, why = violation("RA-04", wire)
    assert found["what"] == "idle"
    assert "be idle for 15 min at most" in why


def test_a_session_that_the_flow_table_cut_in_two_is_one() -> None:
    wire = Sessions()
    wire.chain(minutes=80)
    for start, opened in ((3, True), (64, False)):
        wire.session(JUMP, EWS, "ssh", port=22, start=start, minutes=60, client_port=40_000, opened=opened)
    book = visits(wire).filter(pl.col("service") == "ssh")
    assert book.height == 1
    wire.session(JUMP, EWS, "ssh", port=22, start=130, minutes=5, client_port=40_000)
    assert visits(wire).filter(pl.col("service") == "ssh").height == 2


def test_ra_05_reports_the_one_too_many() -> None:
    wire = Sessions()
    wire.chain()
    wire.session(JUMP, EWS, "ssh", port=22, start=10, minutes=5, client_port=40_000)
    found, why = violation("RA-05", wire)
    assert found["server_port"] == 22
    assert "with it there are 2 at once, 1 allowed" in why


def test_ra_05_leaves_one_after_the_other_alone() -> None:
    wire = Sessions()
    wire.chain(minutes=60)
    wire.session(JUMP, EWS, "ssh", port=22, start=62, minutes=5, client_port=40_000)
    assert "RA-05" not in broken(wire)


def test_datagrams_of_remote_desktop_are_no_second_session() -> None:
    wire = Sessions()
    wire.chain()
    wire.session(JUMP, EWS, start=3, minutes=20, client_port=40_001, ip_proto=17)
    assert visits(wire).height == 1
    alone = Sessions()
    alone.session(JUMP, EWS, start=3, minutes=20, client_port=40_001, ip_proto=17)
    assert visits(alone).height == 1


def test_ra_06_reports_a_session_from_the_jump_host_that_nobody_is_on() -> None:
    wire = Sessions()
    wire.session(JUMP, EWS)
    assert broken(wire) == {"RA-06": 1}
    other = Sessions()
    other.session(HISTORIAN, JUMP, start=-5, minutes=40, client_port=40_000)
    other.session(JUMP, EWS)
    assert broken(other) == {"RA-06": 1}
    over = Sessions()
    over.session(GATEWAY, JUMP, start=-20, minutes=10, client_port=40_000)
    over.session(JUMP, EWS)
    assert broken(over) == {"RA-06": 1}


def test_ra_06_gives_a_desktop_that_nobody_moves_two_minutes() -> None:
    wire = Sessions()
    wire.session(GATEWAY, JUMP, start=-20, minutes=19, client_port=40_000)
    wire.session(JUMP, EWS)
    assert broken(wire) == {}


def test_ra_06_is_silent_where_the_beginning_was_not_seen() -> None:
    wire = Sessions()
    wire.session(JUMP, EWS, opened=False)
    assert "RA-06" not in broken(wire)


def test_ra_06_without_a_gateway_wants_the_vendor_on_the_jump_host() -> None:
    text = TEXT.replace("gateway: vpn1, ", "")
    wire = Sessions()
    wire.session(VENDOR, JUMP, "ssh", port=22, start=-5, minutes=40)
    wire.session(JUMP, EWS)
    assert broken(wire, text) == {}
    alone = Sessions()
    alone.session(JUMP, EWS)
    assert broken(alone, text) == {"RA-06": 1}


@pytest.mark.parametrize(("service", "port"), [("ssh", 22), ("smb", 445), ("rdp", 3389)])
def test_ra_08_reports_what_the_visited_machine_opens(service: str, port: int) -> None:
    wire = Sessions()
    wire.chain()
    wire.session(EWS, PLC, service, port=port, start=10, minutes=3)
    assert broken(wire) == {"RA-08": 1}
    _, why = violation("RA-08", wire)
    assert f"{service.upper()} from {EWS} to {PLC}" in why
    assert "from 10.35.0.20, since Mon 23 Nov 2026 09:02" in why


@pytest.mark.parametrize(
    ("start", "server", "service"),
    [(-20, PLC, "ssh"), (50, PLC, "ssh"), (10, PLC, "modbus"), (10, JUMP, "smb")],
    ids=["before", "after", "its work", "back to the jump host"],
)
def test_ra_08_leaves_other_sessions_alone(start: int, server: str, service: str) -> None:
    wire = Sessions()
    wire.chain()
    wire.session(EWS, server, service, port=445, start=start, minutes=3)
    assert broken(wire) == {}


def test_ra_08_leaves_what_a_rule_allows_alone() -> None:
    rule = (
        "- id: c-files\n  from: plant\n  to: port\n  allow:\n"
        "  - {id: r9, src: [ews1], service: smb, reason: updates, owner: ot, expires: 2027-06-30}\n- id: c-office"
    )
    wire = Sessions()
    wire.chain()
    wire.session(EWS, PORT_HOST, "smb", port=445, start=10, minutes=3)
    assert broken(wire) == {"RA-08": 1}
    assert broken(wire, TEXT.replace("- id: c-office", rule)) == {}


def test_a_site_without_remote_access_has_no_visits() -> None:
    wire = Sessions()
    wire.chain()
    assert visits(wire, compiled()).is_empty()
