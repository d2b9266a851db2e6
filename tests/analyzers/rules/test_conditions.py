"""The meaning of comparisons: the Sigma specification's (rules, modifiers appendix), on fields as we hold them."""

from __future__ import annotations

import time
from typing import Any

import polars as pl
import pytest

from analyzers.frames import frame_of
from analyzers.rules.fields import SERVICES_OF_RULES
from analyzers.rules.rule import Rule
from analyzers.rules.sigma_file import read_rule
from sensors.records import DNS, MODBUS
from tests.analyzers.rules.writing import selecting, written
from tests.policy.factories import NOON, batch, packed, row

HOUR = 3_600_000_000_000
#: Three transactions: at noon, at 23:00, at noon without an answer.
ROWS: list[dict[str, Any]] = [
    {
        "ts": NOON, "client_ip": packed("10.20.0.77"), "server_ip": packed("10.20.0.11"), "function": 6,
        "outcome": "answered", "write_address": 300, "values_written": [7, 500], "detail": "Valve 50% *open*",
        "after_gap": False, "address": None, "request_bytes": 12, "response_bytes": 12,
    },
    {
        "ts": NOON + 11 * HOUR, "client_ip": packed("2001:db8::7"), "server_ip": packed("2001:db8::8"), "function": 3,
        "outcome": "exception", "exception_code": 2, "address": 40, "detail": "", "after_gap": True,
        "request_bytes": 12, "response_bytes": 9,
    },
    {
        "ts": NOON, "client_ip": packed("10.35.0.10"), "server_ip": packed("10.20.0.11"), "function": 90,
        "outcome": "unanswered", "address": None, "detail": "file\\a", "after_gap": False, "request_bytes": 20,
        "response_bytes": 0,
    },
]  # fmt: skip


def matched(rule: Rule) -> list[int]:
    """The numbers of the rows that a rule matches."""
    frame = frame_of({"modbus": batch(MODBUS, [row(MODBUS, **values) for values in ROWS])}, MODBUS)
    marks = frame.select(rule.matches.alias("match"))["match"]
    assert not marks.null_count()
    return [number for number, match in enumerate(marks) if match]


@pytest.mark.parametrize(
    ("comparison", "rows"),
    [
        ("function: 6", [0]),
        ("function: [3, 6]", [0, 1]),
        ("function|gte: 6", [0, 2]),
        ("function|lt: 6", [1]),
        ("function|neq: 6", [1, 2]),
        # Text: case does not matter but with |cased, * and ? stand for any text and any character.
        ("outcome: ANSWERED", [0]),
        ("outcome|cased: ANSWERED", []),
        ("outcome|cased: answered", [0]),
        ("outcome: '*answered'", [0, 2]),
        ("outcome: 'an*'", [0]),
        ("outcome: '*swer*'", [0, 2]),
        ("outcome: 'a?s*ed'", [0]),
        ("outcome|startswith: [un, ex]", [1, 2]),
        ("outcome|endswith: ED", [0, 2]),
        ("detail|contains: 'VALVE'", [0]),
        ("detail|contains|all: [valve, open]", [0]),
        ("detail|contains|all: [valve, shut]", []),
        # A pattern's own letters are only letters: % . \* \\
        ("detail|contains: '0%'", [0]),
        ("detail|contains: '5.%'", []),
        (r"detail|contains: '\*open\*'", [0]),
        (r"detail: 'file\\a'", [2]),
        ("detail: '*'", [0, 2]),
        # Regular expressions are searched for anywhere, by case.
        ("detail|re: 'V.*[0-9]{2}%'", [0]),
        ("detail|re: '^v.*[0-9]{2}%'", []),
        ("detail|re|i: '^v.*[0-9]{2}%'", [0]),
        # Addresses.
        ("client_ip: 10.20.0.77", [0]),
        ("client_ip: '2001:DB8:0::7'", [1]),
        ("client_ip: '10.20.*'", [0]),
        ("client_ip|cidr: 10.20.0.0/24", [0]),
        ("client_ip|cidr: [10.20.0.0/24, '2001:db8::/32']", [0, 1]),
        ("client_ip|cidr: '::/0'", [1]),
        ("client_ip|cidr: 0.0.0.0/0", [0, 2]),
        # Lists: one of the values fits.
        ("values_written: 500", [0]),
        ("values_written|gt: 7", [0]),
        ("values_written: 8", []),
        # Fields without a value: null; nothing compares with them.
        ("address: null", [0, 2]),
        ("address|exists: true", [1]),
        ("detail: null", [1]),
        ("values_written|exists: false", [1, 2]),
        ("exception_code|lt: 3", [1]),
        ("after_gap: true", [1]),
        # Parts of a time, UTC.
        ("ts|hour: 12", [0, 2]),
        ("ts|hour|gte: 22", [1]),
        ("ts|day: 23", [0, 1, 2]),
        ("request_bytes|fieldref: response_bytes", [0]),
    ],
)
def test_a_comparison_matches_what_the_specification_says(comparison: str, rows: list[int]) -> None:
    assert matched(selecting(comparison)) == rows


@pytest.mark.parametrize(
    ("detection", "rows"),
    [
        ("  a: {function: 6}\n  b: {outcome: answered}\n  condition: a and b", [0]),
        ("  a: {function: 6}\n  b: {function: 3}\n  condition: a or b", [0, 1]),
        ("  a: {outcome: '*'}\n  b: {function: 3}\n  condition: a and not b", [0, 2]),
        # What has no value is not equal to 2: the row without an exception stays.
        ("  a: {outcome: '*'}\n  b: {exception_code: 2}\n  condition: a and not b", [0, 2]),
        ("  a1: {function: 6}\n  a2: {outcome: answered}\n  condition: all of a*", [0]),
        ("  a1: {function: 6}\n  a2: {function: 90}\n  condition: 1 of them", [0, 2]),
        ("  a:\n  - function: 6\n    outcome: exception\n  - function: 90\n  condition: a", [2]),
        ("  a: {function: 6}\n  b: {function: 3}\n  condition: [a, b]", [0, 1]),
    ],
)
def test_a_condition_joins_its_comparisons(detection: str, rows: list[int]) -> None:
    rule = read_rule(written(detection), "r.yml")
    assert isinstance(rule, Rule), rule
    assert matched(rule) == rows


def test_a_list_of_texts_is_searched_text_by_text() -> None:
    answers = [["192.0.2.1", "Mail.Example"], ["192.0.2.2"], []]
    frame = frame_of({"dns": batch(DNS, [row(DNS, answers=one) for one in answers])}, DNS)
    rule = selecting("answers|endswith: .example", "dns")
    assert frame.select(rule.matches)["answers"].to_list() == [True, False, False]


def test_a_pattern_that_backtracks_for_ever_elsewhere_takes_no_time() -> None:
    # Python's re needs 2^40 steps for this; nobody waits for them.
    frame = frame_of({"modbus": batch(MODBUS, [row(MODBUS, ts=NOON, detail="a" * 20_000 + "!")])}, MODBUS)
    rule = selecting("detail|re: '^(a+)+$'")
    begun = time.process_time()
    assert frame.select(rule.matches)["detail"].to_list() == [False]
    assert time.process_time() - begun < 1


def test_every_service_has_the_columns_of_its_table() -> None:
    for service in SERVICES_OF_RULES.values():
        assert service.table.stored
        assert {column.name for column in service.table.columns} - {"flow_id"} <= service.fields.keys()
        assert isinstance(frame_of({}, service.table), pl.DataFrame)
