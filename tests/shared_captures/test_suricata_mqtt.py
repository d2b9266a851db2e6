"""Field by field: what Suricata's own tests expect of its MQTT captures (test.yaml), and what our rows say.

What we do not keep on purpose (passwords, payloads, values of user properties) is held against what we keep of it:
that it was there, its length, its key. A name that is in none of the tables below fails the test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pytest
import yaml

from tests.shared_captures.captures import NAMES, expected, needs_captures, rows

pytestmark = needs_captures

Row = dict[str, Any]

TESTS: Final = [
    (name, file.name) for name in NAMES[6:9] for file in sorted(expected(name).glob("tests__mqtt*"))
]

#: Which of our rows holds a message, and the column with its frame.
MESSAGES: Final = {
    "connect": ("connect", "request_frame"),
    "connack": ("connect", "response_frame"),
    "publish": ("publish", "request_frame"),
    "puback": ("publish", "response_frame"),
    "pubrec": ("publish", "response_frame"),
    "pubrel": ("publish", "pubrel_frame"),
    "pubcomp": ("publish", "pubcomp_frame"),
    "disconnect": ("disconnect", "request_frame"),
}

VERSIONS: Final = {3: "3.1", 4: "3.1.1", 5: "5"}


def listed(row: Row, name: str) -> str | None:
    """A property that has no column of its own."""
    for one in row["properties"]:
        key, equals, value = one.partition("=")
        if equals and key == name:
            return str(value)
    return None


def kept(row: Row, secret: str) -> bool:
    """Whether a row holds a text, alone or as a property's value."""
    texts = [text for value in row.values() for text in (value if isinstance(value, list) else [value])]
    return any(str(text) == secret or str(text).endswith(f"={secret}") for text in texts)


Check = Callable[[Row, Any], bool]

#: Suricata's name -> whether our row says the same.
SAID: Final[dict[str, Check]] = {
    # The assigned identifier takes the place of an empty one; what the client sent is "" then.
    "connect.client_id": lambda row, value: (
        row["client_id"] == (value or listed(row, "connack.assigned_client_identifier"))
    ),
    "connect.protocol_string": lambda row, value: value == "MQTT" and row["version"] in ("3.1.1", "5"),
    "connect.protocol_version": lambda row, value: row["version"] == VERSIONS[value],
    "connect.flags.username": lambda row, value: row["has_user_name"] is value,
    "connect.flags.password": lambda row, value: row["has_password"] is value,
    "connect.flags.will": lambda row, value: (row["will_bytes"] is not None) is value,
    "connect.flags.will_retain": lambda row, value: row["will_retain"] is value,
    "connect.flags.clean_session": lambda row, value: row["clean_start"] is value,
    "connect.username": lambda row, value: row["user_name"] == value,
    "connect.password": lambda row, value: row["has_password"] and not kept(row, value),
    "connect.will.topic": lambda row, value: row["will_topic"] == value,
    "connect.will.message": lambda row, value: row["will_bytes"] == len(value) and not kept(row, value),
    "connect.properties.session_expiry_interval": lambda row, value: row["session_expiry_s"] == value,
    "disconnect.properties.session_expiry_interval": lambda row, value: row["session_expiry_s"] == value,
    "connack.session_present": lambda row, value: row["session_present"] is value,
    "connack.return_code": lambda row, value: (row["reason_code"] or 0) == value,
    "puback.reason_code": lambda row, value: (row["reason_code"] or 0) == value,
    "disconnect.reason_code": lambda row, value: (row["reason_code"] or 0) == value,
    "publish.topic": lambda row, value: row["topic"] == value,
    "publish.message": lambda row, value: row["payload_bytes"] == len(value) and not kept(row, value),
    "publish.qos": lambda row, value: (row["qos"] or 0) == value,
    "publish.retain": lambda row, value: row["retain"] is value,
    "publish.dup": lambda row, value: row["dup"] is value,
    "publish.properties.content_type": lambda row, value: row["content_type"] == value,
    "publish.properties.correlation_data": lambda row, value: row["has_correlation"],
    "publish.properties.message_expiry_interval": lambda row, value: row["message_expiry_s"] == value,
    "publish.properties.response_topic": lambda row, value: row["response_topic"] == value,
    "publish.properties.topic_alias": lambda row, value: row["topic_alias"] == value,
}

#: Flags of a fixed header that the standard fixes for these packets (MQTT 5.0, 2.1.3): nothing to keep.
FIXED: Final = {("qos", 0), ("qos", 1), ("retain", False), ("dup", False)}


def says(message: str, row: Row, name: str, value: Any) -> bool:
    """Whether our row says what Suricata expects of one field."""
    if (check := SAID.get(f"{message}.{name}")) is not None:
        return check(row, value)
    if name == "message_id":
        return bool(row["packet_id"] == value)
    if name in ("qos", "retain", "dup"):
        return (name, value) in FIXED
    place, _, prop = name.rpartition("properties.")
    assert prop != name, f"{message}.{name} is compared with nothing"
    prefix = "will." if place else "connack." if message == "connack" else ""
    if prop.startswith("userprop"):
        return f"{prefix}{prop}" in row["user_property_keys"] and not kept(row, value)
    if prop == "correlation_data":
        return f"{prefix}{prop}: {len(value)} bytes" in row["properties"]
    return listed(row, f"{prefix}{prop}") == str(value)


def checks(name: str, file: str) -> list[tuple[int, dict[str, dict[str, Any]]]]:
    """(how often, message -> field -> value) of every expected record of MQTT."""
    found = []
    for check in yaml.safe_load(expected(name, file).read_text())["checks"]:
        match = check["filter"]["match"]
        if match.get("event_type") != "mqtt":
            continue
        messages: dict[str, dict[str, Any]] = {}
        for key, value in match.items():
            if key.startswith("mqtt."):
                _, message, field = key.split(".", 2)
                messages.setdefault(message, {})[field] = value
        found.append((check["filter"]["count"], messages))
    return found


@pytest.mark.parametrize(("name", "file"), TESTS, ids=[file for _, file in TESTS])
def test_every_record_that_suricata_expects_is_in_our_rows(name: str, file: str) -> None:
    ours = rows(name, "mqtt").to_dicts()
    wanted = checks(name, file)
    assert wanted
    for count, messages in wanted:
        found = [
            row
            for row in ours
            if all(
                row["packet_type"] == MESSAGES[message][0]
                and row[MESSAGES[message][1]] is not None
                and all(says(message, row, field, value) for field, value in fields.items())
                for message, fields in messages.items()
            )
        ]
        assert len(found) == count, messages


@pytest.mark.parametrize("name", NAMES[6:9])
def test_there_is_no_message_that_suricata_does_not_expect(name: str) -> None:
    expected_messages = {
        message
        for test, file in TESTS
        if test == name
        for _, found in checks(name, file)
        for message in found
    }
    ours = rows(name, "mqtt").to_dicts()
    assert {row["packet_type"] for row in ours} <= {MESSAGES[message][0] for message in expected_messages}
    seen = sum(
        row[column] is not None
        for row in ours
        for column in ("request_frame", "response_frame", "pubrel_frame", "pubcomp_frame")
    )
    assert seen == len(expected_messages)


def test_the_large_publication_is_read_over_its_segments() -> None:
    """PROVENANCE.tsv: a picture of 36 KB, split over two segments."""
    (publication,) = [row for row in rows(NAMES[8], "mqtt").to_dicts() if row["packet_type"] == "publish"]
    assert publication["payload_bytes"] > 35_000
    assert publication["payload_kind"] == "binary"
