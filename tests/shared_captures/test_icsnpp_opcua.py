"""Field by field: what CISA's ICSNPP parser reads from its own OPC UA capture, and what we read.

Its logs have no header lines: columns are named here by their places in the `.zeek` scripts that write them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import polars as pl
import pytest

from sensors.addresses import address_text
from tests.shared_captures.captures import NAMES, expected, needs_captures, rows, zeek_log

pytestmark = needs_captures

CAPTURE: Final = NAMES[3]

Row = dict[str, Any]

#: Places in opcua_binary.log: one line a request with its response; HEL and ACK have lines of their own.
PORT, TYPE, BOTH_BYTES, CHANNELS, POLICY, ENDPOINT = "3", "6", "8", "17", "19", "16"
REQUEST_BYTES, REQUEST_ID, REQUEST_TYPE, SERVICE, HANDLE = "25", "26", "29", "30", "38"
RESPONSE_BYTES, RESPONSE_ID, RESPONSE_TYPE, RESPONSE_HANDLE = "44", "46", "48", "51"


def log(name: str) -> list[dict[str, str]]:
    """One of its logs; a dash stands for nothing."""
    found = zeek_log(expected(CAPTURE, "analyzer.basic", f"{name}.log"))
    assert found
    return [{key: "" if cell == "-" else cell for key, cell in row.items()} for row in found]


def requests(name: str) -> list[dict[str, str]]:
    """The lines of a service's log that are about requests: its sixth column says where they come from."""
    return [row for row in log(name) if row["6"] == "T"]


def responses(name: str) -> list[dict[str, str]]:
    """The lines that are about responses."""
    return [row for row in log(name) if row["6"] == "F"]


def ours(service: str) -> list[Row]:
    """Our rows of a service, in the order of their requests."""
    return rows(CAPTURE, "opcua").filter(pl.col("service") == service).sort("request_frame").to_dicts()


def calls() -> list[tuple[dict[str, str], Row]]:
    """Each of its numbered lines with our row."""
    by_id = {
        (row["client_port"], row["request_id"]): row
        for row in rows(CAPTURE, "opcua").to_dicts()
        if row["request_id"] is not None
    }
    pairs = [
        (line, by_id.pop((int(line[PORT]), int(line[REQUEST_ID]))))
        for line in log("opcua_binary")
        if line[REQUEST_ID]
    ]
    assert by_id == {}
    assert len(pairs) == 33
    return pairs


def test_message_types_ids_and_services() -> None:
    for theirs, row in calls():
        assert row["message_type"] == theirs[TYPE]
        assert f"{row['service']}Request" == theirs[SERVICE]
        assert row["request_type"] == int(theirs[REQUEST_TYPE])
        assert row["response_type"] == (int(theirs[RESPONSE_TYPE]) if theirs[RESPONSE_TYPE] else None)
        assert (row["request_handle"] or 0) == int(theirs[HANDLE])
        assert theirs[RESPONSE_HANDLE] in ("", theirs[HANDLE])


def test_lengths_and_channels() -> None:
    for theirs, row in calls():
        assert row["request_bytes"] == int(theirs[REQUEST_BYTES])
        assert row["response_bytes"] == int(theirs[RESPONSE_BYTES] or 0)
        # A channel's first request has none yet: ICSNPP writes both numbers.
        assert row["channel_id"] == int(theirs[CHANNELS].rpartition(",")[2])
        assert row["request_bytes"] + row["response_bytes"] == int(theirs[BOTH_BYTES])
        if theirs[POLICY]:
            assert row["security_policy"] == theirs[POLICY].rpartition("#")[2]


def test_greetings() -> None:
    hellos = [line for line in log("opcua_binary") if line[TYPE] == "HEL"]
    answers = [line for line in log("opcua_binary") if line[TYPE] == "ACK"]
    greeted = rows(CAPTURE, "opcua").filter(pl.col("message_type") == "HEL").sort("request_frame").to_dicts()
    for hello, answer, row in zip(hellos, answers, greeted, strict=True):
        assert (row["client_port"], row["endpoint_url"]) == (int(hello[PORT]), hello[ENDPOINT])
        assert (row["request_bytes"], row["response_bytes"]) == (
            int(hello[BOTH_BYTES]),
            int(answer[BOTH_BYTES]),
        )


def test_status_codes_of_services_and_operations() -> None:
    """Column 12 says whose status it is, 18 its name."""
    theirs = Counter(
        (line["12"] == "ResponseHeader", line["18"]) for line in log("opcua_binary_status_code_detail")
    )
    answered = rows(CAPTURE, "opcua").filter(
        pl.col("response_frame").is_not_null() & (pl.col("message_type") != "HEL")
    )
    headers = Counter((True, name) for name in answered["status_name"])
    operations = Counter(
        (False, name)
        for row in answered.to_dicts()
        for name in row["results"]
        if row["service"] in LOGGED_OPERATIONS
    )
    assert headers + operations == theirs


#: Services whose operations' status codes its log holds.
LOGGED_OPERATIONS: Final = ("Browse", "Read", "Write", "CreateMonitoredItems")


def test_nodes_that_are_read() -> None:
    (theirs,) = log("opcua_binary_read_nodes_to_read")
    (row,) = ours("Read")
    assert row["nodes"] == [f"ns={theirs['12']};s={theirs['14']}"] == ["ns=1;s=the.answer"]
    assert row["attributes"] == [theirs["18"]] == ["Value"]
    (result,) = log("opcua_binary_read_results")
    # Encoding mask 2 of a DataValue: a status and no value (OPC 10000-6, 5.2.2.17).
    assert result["12"] == "0x02"
    assert row["values_read"] == [""]


def test_nodes_that_are_written() -> None:
    for theirs, row in zip(requests("opcua_binary_write"), ours("Write"), strict=True):
        assert row["nodes"] == [f"ns={theirs['12']};s={theirs['14']}"]
        assert row["attributes"] == [theirs["18"]]
        assert len(row["values_written"]) == 1


def test_nodes_that_are_browsed_and_their_references() -> None:
    browsed = [line["13"] for line in requests("opcua_binary_browse_description")]
    assert [row["nodes"] for row in ours("Browse")] == [[f"i={number}"] for number in browsed]
    theirs = []
    for line in log("opcua_binary_browse_response_references"):
        node = f"i={line['20']}" if line["19"] in ("", "0") else f"ns={line['19']};i={line['20']}"
        theirs.append(f"{node} {line['26'] + ':' if line['26'] not in ('', '0') else ''}{line['27']}")
    assert [reference for row in ours("Browse") for reference in row["values_read"]] == theirs


def test_sessions() -> None:
    (create,) = requests("opcua_binary_create_session")
    (row,) = ours("CreateSession")
    assert row["application_uri"] == create["11"]
    assert row["endpoint_url"] == create["20"]
    assert f"timeout {create['25']} ms" in row["detail"]
    (answer,) = responses("opcua_binary_create_session")
    assert f"-> timeout {answer['39']} ms" in row["detail"]
    # ICSNPP writes a Guid's bytes as they come; its first three parts are little-endian (OPC 10000-6, 5.1.3).
    wire = bytes.fromhex(answer["31"].replace("-", ""))
    parts = (wire[3::-1], wire[5:3:-1], wire[7:5:-1], wire[8:10], wire[10:])
    assert row["session"] == f"ns={answer['28']};g={'-'.join(part.hex() for part in parts)}"


def test_users_are_named_and_their_passwords_are_not_kept() -> None:
    (theirs,) = requests("opcua_binary_activate_session")
    (row,) = ours("ActivateSession")
    assert theirs["19"] == "UserNameIdentityToken"
    assert (row["user_kind"], row["user_name"]) == ("user_name", theirs["22"])
    assert row["secret"] == "clear"  # noqa: S105 (the kind of secret, no secret)
    assert theirs["23"] not in [text for value in row.values() for text in str(value).split()]


def test_subscriptions_and_what_they_watch() -> None:
    (asked,) = requests("opcua_binary_create_subscription")
    (given,) = responses("opcua_binary_create_subscription")
    (row,) = ours("CreateSubscription")
    assert row["subscription_id"] == int(given["17"])
    wanted, _, got = row["detail"].partition(" -> ")
    assert wanted == f"interval {asked['11']} ms, lifetime {asked['12']}, keep-alive {asked['13']}"
    assert got == f"interval {given['18']} ms, lifetime {given['19']}, keep-alive {given['20']}"
    (items,) = requests("opcua_binary_create_monitored_items")
    (item,) = requests("opcua_binary_create_monitored_items_create_item")
    (watched,) = ours("CreateMonitoredItems")
    assert watched["subscription_id"] == int(items["11"])
    assert watched["nodes"] == [f"ns={item['12']};s={item['14']}"]
    assert watched["attributes"] == [item["17"]]


def test_endpoints() -> None:
    asked = [line["11"] for line in requests("opcua_binary_get_endpoints")]
    told = log("opcua_binary_get_endpoints_description")
    for url, endpoint, row in zip(asked, told, ours("GetEndpoints"), strict=True):
        assert row["endpoint_url"] == url
        # Mode 1 is None (OPC 10000-4, 7.20).
        assert endpoint["23"] == "1"
        policy = endpoint["24"].rpartition("#")[2]
        assert row["values_read"] == [f"{endpoint['11']} {policy} none"]


@pytest.mark.parametrize("place", [0, 1])
def test_connections(place: int) -> None:
    theirs = zeek_log(expected(CAPTURE, "analyzer.basic", "conn.log"))
    theirs = sorted((line for line in theirs if line["proto"] == "tcp"), key=lambda line: line["id.orig_p"])
    flows = rows(CAPTURE, "flows").filter(pl.col("ip_proto") == 6).sort("client_port").to_dicts()
    line, flow = theirs[place], flows[place]
    assert len(theirs) == len(flows) == 2
    assert (address_text(flow["client_ip"]), flow["client_port"]) == (
        line["id.orig_h"],
        int(line["id.orig_p"]),
    )
    assert (address_text(flow["server_ip"]), flow["server_port"]) == (
        line["id.resp_h"],
        int(line["id.resp_p"]),
    )
    assert line["service"] == "opcua-binary"
    assert flow["service"] == "opcua"
    assert (flow["packets_c2s"], flow["packets_s2c"]) == (int(line["orig_pkts"]), int(line["resp_pkts"]))
    assert (flow["payload_bytes_c2s"], flow["payload_bytes_s2c"]) == (
        int(line["orig_bytes"]),
        int(line["resp_bytes"]),
    )
    assert flow["end_reason"] == "fin"
