"""What stories plant in Modbus is in the decoded rows, as often as it was said, and their twins have none of it."""

from __future__ import annotations

import itertools

import polars as pl
import pytest

from pcaps import sample, samples
from tests.scenarios.decoded import rows, tables

COUNTED = [one.name for one in samples() if "operation" in one.truth and one.truth["modbus_requests"]]
SYNTHETIC = [name for name in COUNTED if sample(name).origin["kind"] == "synthetic"]
READ, DIAGNOSTICS, WRITE_REGISTERS, REPORT_ID, WRITE_FILE, ENCAPSULATED = 3, 8, 16, 17, 21, 43
WRITES = (5, 6, 15, 16)


def modbus(name: str) -> pl.DataFrame:
    """The Modbus rows of a sample, in the order of time."""
    return rows(name, "modbus").sort("ts")


def twins(name: str) -> tuple[str, str]:
    """A sample and its benign twin."""
    return name, sample(name).twin


@pytest.mark.parametrize("name", COUNTED)
def test_operations_are_those_that_the_stations_counted(name: str) -> None:
    counted = [one for one in sample(name).truth["operation"] if one.get("protocol", "modbus") == "modbus"]
    # The plant's stations count by server: who asked is none of their business.
    ends = ["client", "server"] if all("client" in one for one in counted) else ["server"]
    seen = (
        modbus(name)
        .group_by(*(f"{end}_ip" for end in ends), "function")
        .agg(
            asked=pl.col("request_frame").is_not_null().sum(),
            answered=pl.col("response_frame").is_not_null().sum(),
        )
    )
    said: dict[tuple[object, ...], tuple[int, int]] = {}
    for one in counted:
        key = (*(one[end] for end in ends), int(one.get("function") or one["operation"]))
        asked, answered = said.get(key, (0, 0))
        said[key] = (asked + one["asked"], answered + one["answered"])
    assert {row[:-2]: row[-2:] for row in seen.iter_rows()} == said


@pytest.mark.parametrize("name", SYNTHETIC)
def test_exceptions_are_those_that_the_stations_counted(name: str) -> None:
    said = sum(one["exceptions"] for one in sample(name).truth["operation"])
    assert modbus(name).filter(pl.col("outcome") == "exception").height == said


def test_a_write_in_two_segments_is_one_write_whoever_sends_it() -> None:
    for name, writer in zip(twins("split-write"), ("10.240.0.5", "10.225.0.40"), strict=True):
        writes = modbus(name).filter(pl.col("function") == WRITE_REGISTERS)
        assert writes["client_ip"].unique().to_list() == [writer]
        assert writes["outcome"].to_list() == ["answered"] * 5
        first = writes.row(0, named=True)
        assert (first["write_address"], first["values_written"]) == (100, [1480, 1500, 640, 90])
        # The frame that completed the request is not the one that it began in.
        assert (writes["request_frame"].diff().drop_nulls() > 2).all()


def test_a_survey_asks_for_identities_units_functions_and_registers() -> None:
    visitor = pl.col("client_ip") == "10.225.0.99"
    intruder = modbus("modbus-survey").filter(visitor)
    assert intruder.filter(pl.col("function").is_in([REPORT_ID, ENCAPSULATED]))["server_ip"].n_unique() == 4
    assert intruder.filter(pl.col("server_ip") == "10.220.0.31")["unit"].n_unique() == 48
    assert intruder.filter(pl.col("server_ip") == "10.220.0.13")["function"].n_unique() >= 17
    sweep = intruder.filter(pl.col("server_ip") == "10.220.0.12", pl.col("function") == READ)
    assert sweep["address"].to_list() == list(range(0, 4_000, 100))
    assert sweep["exception_code"].drop_nulls().to_list() == [2] * 20


def test_who_may_look_over_controllers_meets_no_exception() -> None:
    benign = modbus("modbus-survey-benign")
    assert benign["exception_code"].null_count() == benign.height
    identities = benign.filter(pl.col("function").is_in([REPORT_ID, ENCAPSULATED]))
    assert identities["client_ip"].unique().to_list() == ["10.225.0.60"]


def test_diagnostics_restart_and_silence_one_controller_and_check_the_line_of_the_other() -> None:
    planted, benign = (
        modbus(name).filter(pl.col("function") == DIAGNOSTICS) for name in twins("modbus-diagnostics")
    )
    assert planted["sub_function"].to_list() == [1, 1, 4, 1]
    assert planted["outcome"].to_list() == ["answered", "answered", "unanswered", "unanswered"]
    assert benign["sub_function"].to_list() == [0, 0, 0, 11, 17]
    assert set(benign["outcome"]) == {"answered"}


def test_a_controller_that_only_listens_leaves_readings_unanswered() -> None:
    silent = next(one for one in sample("modbus-diagnostics").planted if one.id == "M14")
    readings = modbus("modbus-diagnostics").filter(
        pl.col("server_ip") == silent.dst_ip, pl.col("function") == READ
    )
    unanswered = readings.filter(pl.col("outcome") == "unanswered")
    assert unanswered.height == silent.count
    assert all(silent.first <= at <= silent.last for at in unanswered["ts"])


def test_exceptions_by_their_codes() -> None:
    storm, few = (
        dict(modbus(name)["exception_code"].drop_nulls().value_counts().iter_rows())
        for name in twins("modbus-exceptions")
    )
    assert storm == {6: 10, 4: 90}
    assert few == {2: 3}


def test_what_breaks_modbus_is_an_anomaly_and_what_is_at_its_limits_is_none() -> None:
    planted, benign = twins("modbus-malformed")
    anomalies = rows(planted, "anomalies")
    assert set(anomalies["layer"]) == {"modbus"}
    kinds = {"illegal_quantity", "byte_count", "illegal_length", "protocol_id"}
    assert set(anomalies["kind"]) == kinds
    whens = [(one.first, one.last) for one in sample(planted).planted if one.id == "M11"]
    for at in anomalies["ts"]:
        assert any(first <= at <= last for first, last in whens), at
    assert "anomalies" not in tables(benign)
    sizes = {*modbus(benign)["request_bytes"], *modbus(benign)["response_bytes"]}
    assert max(sizes) == sample(benign).truth["largest_message_bytes"]
    assert modbus(benign)["function"].to_list().count(WRITE_FILE) == 1


def test_setpoints_leave_their_usual_bounds_and_outputs_are_toggled() -> None:
    planted, benign = (
        modbus(name).filter(pl.col("function").is_in(WRITES)) for name in twins("modbus-setpoints")
    )
    speeds = {
        name: [value for (value,) in writes.filter(pl.col("function") == 6)["values_written"]]
        for name, writes in (("planted", planted), ("benign", benign))
    }
    assert speeds["planted"][-2:] == [5_000, 100]
    assert all(880 <= value <= 925 for value in (*speeds["planted"][:-2], *speeds["benign"]))
    toggles = [
        writes.filter(pl.col("function") == 5)["values_written"].to_list() for writes in (planted, benign)
    ]
    assert toggles == [[[1], [0]] * 20, [[1], [0]]]
    assert planted.filter(pl.col("function") == 15)["write_quantity"].to_list() == [64]
    # All of it was said by who may.
    assert planted["client_ip"].unique().to_list() == ["10.225.0.40"]


def test_readings_stand_still_and_limits_always_did() -> None:
    for name, still in zip(twins("frozen-readings"), (80, 0), strict=True):
        readings = modbus(name).filter(pl.col("server_ip") == "10.220.0.13")["values_read"].to_list()
        repeated = sum(one[:4] == other[:4] for one, other in itertools.pairwise(readings))
        # The first of the readings that stand still is a new one.
        assert repeated == max(0, still - 1)
        assert {tuple(one[4:]) for one in readings} == {(0, 4_095)}


def test_a_program_is_loaded_by_a_makers_function_and_by_files_that_a_twin_only_reads() -> None:
    planted, benign = (modbus(name) for name in twins("modbus-program"))
    counts = [
        [list(rows["function"]).count(code) for code in (90, WRITE_FILE, 20)] for rows in (planted, benign)
    ]
    assert counts == [[12, 3, 0], [0, 0, 15]]


def test_answers_without_a_request_are_orphans_and_answers_in_another_order_are_not() -> None:
    planted, benign = twins("modbus-answers")
    kinds = rows(planted, "anomalies")["kind"].to_list()
    assert sorted(kinds) == ["duplicate_response"] * 2 + ["orphan_response"] * 3
    # 40,000 is far from any identifier that a request had.
    assert sum(number > 40_000 for number in modbus(planted)["transaction_id"]) == 3
    assert "anomalies" not in tables(benign)
    swapped = modbus(benign).filter(pl.col("server_ip") == "10.220.0.13").sort("transaction_id")
    assert swapped["values_read"].to_list() == [[400 + number % 9, 87] for number in range(100)]


def test_a_controller_tells_of_another_firmware() -> None:
    for name, versions in zip(twins("firmware-changed"), ({"2.4", "2.9-rc1"}, {"2.4"}), strict=True):
        said = rows(name, "observations").filter(pl.col("kind") == "firmware")
        assert set(said["value"]) == versions
