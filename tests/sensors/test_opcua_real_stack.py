"""What a real OPC UA stack says it asked and got is what the rows say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import polars as pl
import pytest

pytest.importorskip("asyncua", reason="asyncua is of the extra `lab`")

from sensors.engine import decode
from tests.support.opcua_history import CHANGED, ISSUED_TOKEN
from tests.support.opcua_plant import CLIENT_URI, PASSWORD, SERVER_URI, USER, Recorded, record


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    folder = tmp_path_factory.mktemp("opcua")
    return asyncio.run(asyncio.wait_for(record(folder), 120))


def tables(capture: Path) -> dict[str, pl.DataFrame]:
    """All rows of a capture, by table; words as text."""
    parts: dict[str, list[pl.DataFrame]] = {}
    with decode(capture) as run:
        for batches in run:
            for name, table in batches.items():
                parts.setdefault(name, []).append(pl.DataFrame(table))
    return {
        name: pl.concat(frames).with_columns(pl.col(pl.Categorical).cast(pl.String))
        for name, frames in parts.items()
    }


def calls(capture: Path, service: str) -> list[dict[str, Any]]:
    """The rows of one service."""
    rows = tables(capture)["opcua"]
    return rows.filter(pl.col("service") == service, pl.col("message_type") == "MSG").to_dicts()


def test_values_that_were_read_and_written_are_in_the_rows(recorded: dict[str, Recorded]) -> None:
    one = recorded["services"]
    first = calls(one.capture, "Read")[0]
    assert first["nodes"] == ["ns=2;s=Pump1.Speed", "ns=2;s=Pump1.Name"]
    assert first["values_read"] == [str(value) for value in one.facts["read"]]
    written, refused, registered = calls(one.capture, "Write")
    assert (written["nodes"], written["values_written"]) == (["ns=2;s=Pump1.Speed"], ["61.25"])
    assert float(written["values_written"][0]) == one.facts["written"]
    assert (refused["nodes"], refused["results"]) == (["ns=2;s=Pump9"], [one.facts["refused"]])
    assert (refused["operations"], refused["operations_failed"]) == (1, 1)
    assert (registered["operation_class"], registered["values_written"]) == ("write", ["62.5"])


def test_a_call_has_its_method_object_and_arguments(recorded: dict[str, Recorded]) -> None:
    one = recorded["services"]
    (call,) = calls(one.capture, "Call")
    assert (call["objects"], call["nodes"]) == (["ns=2;s=Pump1"], ["ns=2;s=Pump1.Double"])
    assert (call["values_written"], call["values_read"]) == (["[21]"], [f"[{one.facts['called']}]"])
    assert call["operation_class"] == "call"


def test_what_was_browsed_and_looked_up_is_in_the_rows(recorded: dict[str, Recorded]) -> None:
    one = recorded["services"]
    browse = calls(one.capture, "Browse")[0]
    assert [value.split(" ")[1] for value in browse["values_read"]] == one.facts["children"]
    (translate,) = calls(one.capture, "TranslateBrowsePathsToNodeIds")
    assert (translate["attributes"], translate["values_read"]) == (["/2:Pump1"], [one.facts["path"]])
    (history,) = calls(one.capture, "HistoryRead")
    assert history["values_read"] == [str(one.facts["history"])]
    (servers,) = calls(one.capture, "FindServers")
    assert servers["values_read"] == one.facts["servers"]
    (endpoints,) = calls(one.capture, "GetEndpoints")
    assert endpoints["operations"] == one.facts["endpoints"]


def test_a_fault_is_an_exception_with_its_status(recorded: dict[str, Recorded]) -> None:
    one = recorded["services"]
    (added,) = calls(one.capture, "AddNodes")
    assert (added["outcome"], added["status_name"]) == ("exception", one.facts["fault"])
    assert (added["response_type"], added["nodes"]) == (397, ["ns=2;s=Spare"])


def test_nodes_that_were_added_and_deleted_are_in_the_rows(recorded: dict[str, Recorded]) -> None:
    one = recorded["nodes"]
    (added,) = calls(one.capture, "AddNodes")
    assert (added["objects"], added["values_read"]) == (["i=85"], [one.facts["added"]])
    (deleted,) = calls(one.capture, "DeleteNodes")
    assert (deleted["nodes"], deleted["results"]) == ([one.facts["added"]], ["Good"])
    assert deleted["user_name"] == "admin"


def test_who_asks_is_said_and_the_password_is_nowhere(recorded: dict[str, Recorded]) -> None:
    one = recorded["services"]
    (activated,) = calls(one.capture, "ActivateSession")
    assert (activated["user_kind"], activated["user_name"]) == ("user_name", USER)
    assert activated["secret"] == "encrypted"  # noqa: S105
    rows = tables(one.capture)
    after = rows["opcua"].filter(pl.col("service").is_in(["Read", "Write", "Call"]))
    assert after["user_name"].unique().to_list() == [USER]
    assert after["application_uri"].unique().to_list() == [CLIENT_URI]
    assert after["session"].n_unique() == 1
    for table in rows.values():
        assert PASSWORD not in str(table.to_dicts())


def test_the_server_tells_what_it_is(recorded: dict[str, Recorded]) -> None:
    one = recorded["services"]
    seen = tables(one.capture)["observations"]
    told = {(row["kind"], row["value"]) for row in seen.to_dicts()}
    product, maker, version, build = one.facts["build"]
    assert {
        ("product_name", product),
        ("vendor", maker),
        ("firmware", version),
        ("software", f"build {build}"),
        ("application_uri", SERVER_URI),
        ("application_uri", CLIENT_URI),
        ("software", "Pump station"),
    } <= told
    assert one.facts["status"].BuildInfo.ProductName == product


def test_notifications_name_the_nodes_that_they_are_of(recorded: dict[str, Recorded]) -> None:
    one = recorded["watching"]
    (watched,) = calls(one.capture, "CreateMonitoredItems")[:1]
    assert set(watched["nodes"]) <= {"ns=2;s=Pump1.Speed", "ns=2;s=Pump1.Name"}
    told = [
        (node, value)
        for row in calls(one.capture, "Publish")
        for node, value in zip(row["nodes"], row["values_read"], strict=True)
    ]
    assert sorted(value for _, value in told) == sorted(_text(value) for value in one.facts["values"])
    assert {node for node, _ in told} == {"ns=2;s=Pump1.Speed", "ns=2;s=Pump1.Name"}
    answered = [row for row in calls(one.capture, "Publish") if row["outcome"] == "answered"]
    assert {row["subscription_id"] for row in answered} == {watched["subscription_id"]}


def _text(value: object) -> str:
    """A value as rows have it: a whole number without its fraction."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def test_signed_messages_are_read_and_said_to_be_signed(recorded: dict[str, Recorded]) -> None:
    one = recorded["sign"]
    (read,) = calls(one.capture, "Read")
    assert (read["security_policy"], read["security_mode"]) == ("Basic256Sha256", "sign")
    assert read["values_read"] == [_text(one.facts["read"])]
    assert not read["encrypted"]
    rows = tables(one.capture)
    assert "anomalies" not in rows


def test_of_encrypted_messages_nothing_is_made_up(recorded: dict[str, Recorded]) -> None:
    one = recorded["encrypt"]
    rows = tables(one.capture)["opcua"].filter(pl.col("security_policy") == "Basic256Sha256")
    messages = rows.filter(pl.col("message_type") == "MSG")
    assert messages["security_mode"].unique().to_list() == ["sign_and_encrypt"]
    assert messages["outcome"].unique().to_list() == ["encrypted"]
    assert messages["service"].unique().to_list() == [""]
    assert messages["encrypted"].all()
    assert messages.select(pl.col("nodes", "values_read", "values_written").list.len().sum()).row(0) == (
        0,
        0,
        0,
    )
    requests, responses = messages["request_frame"].count(), messages["response_frame"].count()
    assert requests == responses == messages.height / 2


@pytest.mark.parametrize("name", ["sign", "encrypt"])
def test_certificates_are_named_by_subject_and_thumbprint(recorded: dict[str, Recorded], name: str) -> None:
    one = recorded[name]
    rows = tables(one.capture)["opcua"]
    opening = rows.filter(pl.col("message_type") == "OPN", pl.col("encrypted")).to_dicts()[0]
    for side in ("client", "server"):
        assert opening[f"{side}_certificate_thumbprint"] == one.facts[side].thumbprint
        assert f"CN={one.facts[side].certificate.stem}" in opening[f"{side}_certificate_subject"]
    assert opening["application_uri"] == CLIENT_URI


def test_long_messages_are_put_together_from_their_chunks(recorded: dict[str, Recorded]) -> None:
    one = recorded["long"]
    (read,) = calls(one.capture, "Read")
    assert read["response_chunks"] > 10
    assert read["values_read"][0].endswith(f"… {one.facts['count']} values]")
    (written,) = calls(one.capture, "Write")
    assert written["values_written"][0].startswith(f"[{one.facts['last']}, ")
    assert written["results"] == ["Good"]


def test_nothing_is_wrong_with_what_a_real_stack_sends(recorded: dict[str, Recorded]) -> None:
    for name, one in recorded.items():
        rows = tables(one.capture)
        assert "anomalies" not in rows, name
        rest = rows["opcua"].filter(pl.col("service") != "Publish")
        assert set(rest["outcome"]) <= {"answered", "exception", "one_way", "encrypted"}, name


def test_history_that_is_read_has_its_kind_period_and_values(recorded: dict[str, Recorded]) -> None:
    one = recorded["history"]
    rows = calls(one.capture, "HistoryRead")
    assert [row["detail"].split(" from ")[0].split(";")[0] for row in rows] == list(one.facts["read"])
    for row, results in zip(rows, one.facts["read"].values(), strict=True):
        assert row["operation_class"] == "read"
        assert row["nodes"] == ["ns=2;s=Pump1.Speed"] * 2
        assert row["results"] == [status for status, _ in results]
        assert row["operations_failed"] == len([status for status, _ in results if status != "Good"])
        assert row["values_read"] == [
            f"[{', '.join(map(_text, values))}]" if values else "" for _, values in results
        ]
    assert "from 2026-11-21T06:00:00Z to " in rows[0]["detail"]


def test_history_that_is_changed_is_a_write_with_what_is_done(recorded: dict[str, Recorded]) -> None:
    one = recorded["history"]
    (row,) = calls(one.capture, "HistoryUpdate")
    assert (row["operation_class"], row["user_name"]) == ("write", "admin")
    assert row["nodes"] == ["ns=2;s=Pump1.Speed"] * one.facts["changed"]["count"]
    assert row["attributes"] == [
        "insert data",
        "replace data",
        "update structure",
        "delete raw",
        "delete at times",
        "delete events",
    ]
    assert row["values_written"] == ["[1.25, 2.5]", "[1.25, 2.5]", "[1.25]", "", "", ""]
    assert "deletes raw from 2026-11-22T06:00:00Z to 2026-11-22T06:01:00Z" in row["detail"]
    # The service takes all of them; the worst of each one's own results is its result.
    assert one.facts["changed"]["results"] == ["Good"] * one.facts["changed"]["count"]
    assert (row["results"], row["operations_failed"]) == (list(CHANGED), 2)


def test_browsing_that_goes_on_is_in_the_rows(recorded: dict[str, Recorded]) -> None:
    one = recorded["history"]
    rows = calls(one.capture, "BrowseNext")
    facts = one.facts["browsed"]
    assert [row["results"] for row in rows] == [facts["results"], facts["release"]]
    assert {row["operation_class"] for row in rows} == {"discover"}
    assert [value.split(":")[-1] for value in rows[0]["values_read"]] == facts["names"]
    assert [row["detail"].startswith("release") for row in rows] == [False, True]


def test_a_user_with_a_certificate_is_called_by_its_subject(recorded: dict[str, Recorded]) -> None:
    one = recorded["by certificate"]
    (activated,) = calls(one.capture, "ActivateSession")
    assert (activated["user_kind"], activated["outcome"]) == ("certificate", "answered")
    assert f"CN={one.facts['user'].certificate.stem}" in activated["user_name"]
    assert activated["secret"] == "none"  # noqa: S105
    (written,) = calls(one.capture, "Write")
    assert (written["user_kind"], written["user_name"]) == ("certificate", activated["user_name"])


def test_a_user_with_an_issued_token_is_known_by_its_kind_and_the_token_is_nowhere(
    recorded: dict[str, Recorded],
) -> None:
    one = recorded["by token"]
    assert ISSUED_TOKEN in one.capture.read_bytes()
    (activated,) = calls(one.capture, "ActivateSession")
    assert (activated["user_kind"], activated["user_name"]) == ("issued", "")
    assert (activated["secret"], activated["outcome"]) == ("clear", "answered")
    parts = [ISSUED_TOKEN.decode(), *ISSUED_TOKEN.decode().split("."), ISSUED_TOKEN.hex()]
    for table in tables(one.capture).values():
        assert not [part for part in parts if part in str(table.to_dicts())]
