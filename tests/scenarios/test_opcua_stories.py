"""OPC UA's stories: what was planted is in the rows, what their twin does is not taken for it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import polars as pl
import pytest

from pcaps import Planted, sample
from tests.scenarios.decoded import rows

EXPOSED, CERTIFICATE, PROTECTED = "opcua-exposed", "opcua-certificate", "opcua-protected-benign"
NEW_WORK = "opcua-new-work"
STORIES = (EXPOSED, CERTIFICATE, NEW_WORK, PROTECTED)
SCADA, EWS, STRANGER = "10.25.0.20", "10.25.0.40", "10.40.0.77"
THICKENER, REAGENTS = "10.20.0.31", "10.20.0.32"


def planted(name: str, check: str, src: str, dst: str = THICKENER) -> list[Planted]:
    return [one for one in sample(name).planted if (one.id, one.src_ip, one.dst_ip) == (check, src, dst)]


def within(name: str, one: Planted) -> pl.DataFrame:
    """The rows of what was planted: of its two stations, in its time."""
    first: datetime = one.first
    return rows(name, "opcua").filter(
        (pl.col("client_ip") == one.src_ip)
        & (pl.col("server_ip") == one.dst_ip)
        & (pl.col("ts") >= first)
        & (pl.col("ts") <= one.last)
    )


def only(name: str, check: str, src: str, dst: str = THICKENER) -> tuple[Planted, pl.DataFrame]:
    (one,) = planted(name, check, src, dst)
    return one, within(name, one)


@pytest.mark.parametrize("name", STORIES)
def test_every_service_that_can_be_read_is_counted_as_it_was_asked(name: str) -> None:
    asked = rows(name, "opcua").filter(
        (pl.col("message_type") == "MSG") & (pl.col("service") != "") & (pl.col("request_chunks") > 0)
    )
    seen = Counter(zip(asked["client_ip"], asked["server_ip"], asked["service"], strict=True))
    truth = sample(name).truth["opcua_service"]
    said = {(one["client"], one["server"], one["service"]): one["asked"] for one in truth if one["service"]}
    assert seen == said


@pytest.mark.parametrize("name", STORIES)
def test_of_what_is_encrypted_the_number_is_known_and_nothing_else(name: str) -> None:
    sealed = rows(name, "opcua").filter((pl.col("message_type") == "MSG") & pl.col("encrypted"))
    asked = sealed.filter(pl.col("request_chunks") > 0)
    seen = Counter(zip(asked["client_ip"], asked["server_ip"], strict=True))
    truth = sample(name).truth["opcua_service"]
    assert seen == {(one["client"], one["server"]): one["asked"] for one in truth if not one["service"]}
    for column in ("service", "user_name", "status_name"):
        assert set(sealed[column]) == {""}
    assert sealed["nodes"].list.len().sum() == sealed["values_read"].list.len().sum() == 0


def test_a_channel_without_security_and_nobody_in_particular_are_told() -> None:
    for check in ("O1", "O3", "O11"):
        _, seen = only(EXPOSED, check, SCADA)
        calls = seen.filter((pl.col("message_type") == "MSG") & (pl.col("service") == "Read"))
        assert set(calls["security_mode"]) == {"none"}
        assert set(calls["user_kind"]) == {"anonymous"}
    before = rows(EXPOSED, "opcua").filter(
        (pl.col("client_ip") == SCADA) & (pl.col("ts") < planted(EXPOSED, "O11", SCADA)[0].first)
    )
    assert "sign_and_encrypt" in set(before["security_mode"])


def test_a_password_in_clear_is_told_and_an_encrypted_one_is_not() -> None:
    one, seen = only(EXPOSED, "O2", EWS)
    login = seen.filter(pl.col("secret") == "clear")
    assert (login.height, set(login["user_name"])) == (one.count, {"maintenance"})
    assert set(rows(PROTECTED, "opcua")["secret"]) == {"none"}


def test_refused_logins_are_told_one_by_one() -> None:
    one, seen = only(EXPOSED, "O4", STRANGER)
    refused = seen.filter((pl.col("service") == "ActivateSession") & (pl.col("outcome") == "exception"))
    assert refused.height == one.count
    assert set(refused["status_name"]) == {"BadUserAccessDenied"}
    assert (one.last - one.first).total_seconds() < 60


@pytest.mark.parametrize("server", [THICKENER, REAGENTS])
def test_a_stranger_that_asks_for_servers_and_endpoints_is_seen(server: str) -> None:
    _, seen = only(EXPOSED, "O5", STRANGER, server)
    assert set(seen["service"]) >= {"FindServers", "GetEndpoints"}


def test_a_walk_through_the_address_space_is_many_browses_and_a_look_is_one() -> None:
    one, seen = only(EXPOSED, "O6", STRANGER)
    walked = seen.filter(pl.col("service") == "Browse")
    assert walked.height == one.count > 10
    assert walked["nodes"].list.explode().n_unique() == one.count
    looked = rows(PROTECTED, "opcua").filter(pl.col("service").is_in(["Browse", "BrowseNext"]))
    assert looked.height == 1


def test_what_the_stranger_wrote_called_and_added_is_in_the_rows() -> None:
    one, seen = only(EXPOSED, "O7", STRANGER)
    writes = seen.filter(pl.col("service") == "Write")
    assert writes.height == one.count
    assert writes["nodes"].to_list() == [["ns=2;s=Thickener.TorqueLimit"], ["ns=2;s=Thickener.RakeSpeed"]]
    assert writes["values_written"].to_list() == [["140"], ["0"]]
    one, seen = only(EXPOSED, "O8", STRANGER)
    calls = seen.filter(pl.col("service") == "Call")
    assert calls.height == one.count
    assert calls["nodes"].to_list() == [["i=9028"], ["ns=2;s=Thickener.StopRake"]]
    _, seen = only(EXPOSED, "O9", STRANGER)
    assert seen.filter(pl.col("service") == "Call")["objects"].to_list() == [
        ["ns=2;s=Thickener.Alarms.HighTorque"]
    ]
    _, seen = only(EXPOSED, "O10", STRANGER)
    assert seen.filter(pl.col("service") == "AddNodes")["nodes"].to_list() == [["ns=2;s=Backdoor"]]


def test_the_twin_writes_and_calls_only_what_its_rule_allows() -> None:
    done = rows(PROTECTED, "opcua").filter(pl.col("service").is_in(["Write", "Call", "AddNodes"]))
    assert done["client_ip"].to_list() == [EWS, EWS]
    assert done["nodes"].to_list() == [["ns=2;s=Thickener.TorqueLimit"], ["ns=2;s=Thickener.RaiseRake"]]
    assert set(done["user_kind"]) == {"certificate"}
    assert set(done["security_mode"]) == {"sign"}


def test_new_work_is_one_node_and_one_method_more_than_the_twin_knows() -> None:
    done = rows(NEW_WORK, "opcua").filter(pl.col("service").is_in(["Write", "Call"]))
    known = rows(PROTECTED, "opcua").filter(pl.col("service").is_in(["Write", "Call"]))
    for check, service, node in (
        ("O7", "Write", "ns=2;s=Thickener.RakeSpeed"),
        ("O8", "Call", "ns=2;s=Thickener.StopRake"),
    ):
        one, _ = only(NEW_WORK, check, EWS)
        new = done.filter(~pl.col("nodes").is_in(known["nodes"].to_list()) & (pl.col("service") == service))
        assert new["nodes"].to_list() == [[node]] * one.count
        assert one.first <= new["ts"][0] <= one.last
    assert set(done["client_ip"]) == {EWS}


def thumbprints(name: str, server: str) -> list[str]:
    """Of a server's channels, in the order of time."""
    opened = rows(name, "opcua").filter(
        (pl.col("message_type") == "OPN")
        & (pl.col("server_ip") == server)
        & (pl.col("server_certificate_thumbprint") != "")
    )
    return opened.sort("ts")["server_certificate_thumbprint"].to_list()


def test_the_certificate_of_the_thickener_changes_and_the_others_do_not() -> None:
    truth = sample(CERTIFICATE).truth
    seen = thumbprints(CERTIFICATE, THICKENER)
    before, after = truth["certificate_before_sha1"], truth["certificate_after_sha1"]
    # Two connections each, and each renews its keys once.
    assert seen == [before] * 4 + [after] * 4
    assert len(set(thumbprints(CERTIFICATE, REAGENTS))) == 1
    assert set(thumbprints(PROTECTED, THICKENER)) == {before}


def test_long_messages_come_in_chunks_and_are_read_whole() -> None:
    long_answer = rows(PROTECTED, "opcua").filter(
        (pl.col("response_chunks") > 1) & (pl.col("outcome") == "answered")
    )
    assert long_answer["nodes"].to_list() == [["ns=2;s=Thickener.Log"]]
    assert long_answer["values_read"].to_list()[0][0].startswith("torque within limits; ")
    long_question = rows(EXPOSED, "opcua").filter(pl.col("request_chunks") > 1)
    assert long_question["operations"].to_list() == [240]
    assert long_question["operations_failed"].to_list() == [0]


def test_an_answer_given_up_is_aborted_and_a_wrong_address_an_error() -> None:
    aborted = rows(PROTECTED, "opcua").filter(pl.col("outcome") == "aborted")
    assert aborted["status_name"].to_list() == ["BadResponseTooLarge"]
    refused = rows(PROTECTED, "opcua").filter(pl.col("status_name") == "BadTcpEndpointUrlInvalid")
    assert refused["client_ip"].to_list() == [SCADA]


def test_a_server_that_opens_the_connection_is_still_the_server() -> None:
    turned = rows(PROTECTED, "opcua").filter(pl.col("reversed"))
    assert turned["message_type"].to_list()[0] == "RHE"
    assert set(zip(turned["client_ip"], turned["server_ip"], strict=True)) == {(SCADA, REAGENTS)}
    flows = rows(PROTECTED, "flows").filter(pl.col("client_ip") == REAGENTS)
    assert flows["server_ip"].to_list() == [SCADA]
