"""What Suricata's own test expects of its Modbus capture (test.yaml), counted in our transactions."""

from __future__ import annotations

from typing import Any, Final

import polars as pl
import pytest
import yaml

from tests.shared_captures.captures import NAMES, expected, needs_captures, rows

pytestmark = needs_captures

CAPTURE: Final = NAMES[1]


def signature(number: int) -> int:
    """How many alerts of a signature Suricata's test expects, by that signature alone."""
    checks: list[dict[str, Any]] = yaml.safe_load(expected(CAPTURE, "tests__modbus__test.yaml").read_text())[
        "checks"
    ]
    (count,) = {
        check["filter"]["count"]
        for check in checks
        if check["filter"]["match"].get("alert.signature_id") == number
        and not {"modbus.request.function_code"} & set(check["filter"]["match"])
    }
    return int(count)


def requests() -> pl.DataFrame:
    return rows(CAPTURE, "modbus").filter(pl.col("request_frame").is_not_null())


# The rules behind the numbers are Suricata's tests/modbus/test.rules. It numbers coils from 1, as the data model does;
# on the wire they count from 0 (MODBUS Application Protocol V1.1b3, 4.4).
@pytest.mark.parametrize(
    ("number", "rule"),
    [
        (1, pl.col("function") == 1),
        (2, pl.col("function").is_in([*range(1, 9), 11, 12, 15, 16, 17, 20, 21, 22, 23, 24, 43])),
        (3, pl.col("function").is_in([1, 2, 3, 4, 20, 23, 24])),
        (4, pl.col("unit") == 10),
        (
            5,
            (pl.col("unit") > 9)
            & (pl.col("function") == 1)
            & (pl.col("address") + 1).is_between(0, 2, closed="none"),
        ),
    ],
    ids=["function 1", "assigned functions", "access read", "unit 10", "read coils near address 1"],
)
def test_requests_that_a_rule_picks(number: int, rule: pl.Expr) -> None:
    assert requests().filter(rule).height == signature(number)


def test_read_coils_and_device_identification_are_told_apart() -> None:
    functions = requests()["function"].to_list()
    assert functions.count(1) == 2
    assert functions.count(43) == 2


def test_exceptions_sent_from_the_side_that_sent_the_syn_are_orphans_not_requests() -> None:
    """One flow's SYN comes from port 502, then five exceptions nobody asked for (PROVENANCE.tsv)."""
    orphans = rows(CAPTURE, "modbus").filter(pl.col("outcome") == "orphan")
    assert orphans["exception_code"].to_list() == [6] * 5
    assert orphans["response_frame"].to_list() == [91, 93, 95, 97, 99]


def test_requests_that_got_no_answer_are_kept() -> None:
    silent = rows(CAPTURE, "modbus").filter(pl.col("outcome").is_in(["unanswered", "pending"]))
    assert silent.select("function", "request_frame").rows() == [(43, 32), (43, 34)]
