"""The SLA report as a user asks for it: forms, periods, refusals; the same from captures and from a store."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from analyzers.sla_report_form import METHOD, SlaReport
from api.sla_forms import csv_columns
from geophone.cli import main
from geophone.runner import replay
from pcaps import sample
from policy.loader import load
from sensors.capture import open_capture
from store.client import open_store
from tests.geophone.conftest import Geophone

SAMPLE = sample("gap-and-duplicates")
FORMS = ("text", "json", "csv", "html")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the sample, replayed."""
    folder = tmp_path_factory.mktemp("sla") / "store"
    with open_store(folder) as opened:
        replay(open_capture(SAMPLE.capture), load(SAMPLE.policy), store=opened)
    return folder


@pytest.mark.parametrize("form", FORMS)
def test_a_capture_and_its_store_give_the_same_report_byte_for_byte(
    geophone: Geophone, store: Path, tmp_path: Path, form: str
) -> None:
    one, other = tmp_path / "capture", tmp_path / "store"
    first = geophone("sla", SAMPLE.capture, "--policy", SAMPLE.policy, "--format", form, "-o", one)
    second = geophone("sla", "--store", store, "--format", form, "-o", other)
    assert (first.returncode, second.returncode) == (0, 0), (first, second)
    assert one.read_bytes() == other.read_bytes()
    assert len(one.read_bytes()) > 1000


def test_json_is_what_its_schema_says_and_has_what_the_capture_holds(geophone: Geophone) -> None:
    outcome = geophone("sla", SAMPLE.capture, "--policy", SAMPLE.policy, "--format", "json")
    assert outcome.returncode == 0, outcome
    report = SlaReport.model_validate_json(outcome.stdout)
    assert report.method == METHOD
    assert report.policy_sha256 == load(SAMPLE.policy).sha256
    assert [capture.name for capture in report.captures] == [SAMPLE.capture.name]
    site = load(SAMPLE.policy).site
    assert [scope.id for scope in report.scopes] == [
        *(z.id for z in site.zones),
        *(c.id for c in site.conduits),
    ]
    # every zone without traffic is no data; none is met
    unseen = [scope for scope in report.scopes if not scope.minutes.seen]
    assert unseen
    assert {scope.status.value for scope in unseen} == {"no data"}


def test_csv_is_one_row_a_scope_with_stable_columns(geophone: Geophone) -> None:
    outcome = geophone("sla", SAMPLE.capture, "--policy", SAMPLE.policy, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(outcome.stdout)))
    site = load(SAMPLE.policy).site
    assert len(rows) == len(site.zones) + len(site.conduits)
    assert tuple(rows[0]) == csv_columns()
    assert len(set(csv_columns())) == len(csv_columns())
    for name in (
        "status", "availability_achieved_percent", "availability_left_minutes", "availability_burn_rate",
        "outcomes_unanswered", "transaction_p99_ms", "rtt_p95_ms", "server_time_p99_ms", "loss_before_tap_segments",
        "minutes_invalid", "exclusions", "worst_conversation", "target_transaction_p99_ms", "policy_sha256", "method",
    ):  # fmt: skip
        assert name in rows[0], name


def test_html_stands_alone(geophone: Geophone, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    outcome = geophone("sla", SAMPLE.capture, "--policy", SAMPLE.policy, "--format", "html", "-o", file)
    assert outcome.returncode == 0, outcome
    page = file.read_text()
    assert page.startswith("<!doctype html>")
    assert not re.search(r"<(script|link|img|iframe|object)\b|https?://|@import|url\(", page)
    assert "prefers-color-scheme" in page or "color-scheme: light dark" in page
    assert "@media print" in page
    for scope in load(SAMPLE.policy).site.zones:
        assert f'id="zone-{scope.id}"' in page


def test_only_the_scopes_asked_for(geophone: Geophone) -> None:
    zone = load(SAMPLE.policy).site.zones[0].id
    outcome = geophone("sla", SAMPLE.capture, "--policy", SAMPLE.policy, "--zone", zone, "--format", "json")
    assert [scope["id"] for scope in json.loads(outcome.stdout)["scopes"]] == [zone]


def test_a_month_by_the_sites_calendar_is_not_met_by_minutes_of_it(geophone: Geophone, store: Path) -> None:
    whole = json.loads(geophone("sla", "--store", store, "--format", "json").stdout)
    month = whole["period"]["start_local"][:7]
    found = json.loads(geophone("sla", "--store", store, "--month", month, "--format", "json").stdout)
    assert found["period_name"] == month
    assert found["budget_minutes"] == found["period"]["minutes"] > 28 * 24 * 60 - 60
    assert "met" not in {scope["status"] for scope in found["scopes"]}
    figures = [scope["outcomes"] for scope in whole["scopes"]]
    assert [scope["outcomes"] for scope in found["scopes"]] == figures


def test_from_and_to_cut_capture_and_store_alike(geophone: Geophone, store: Path) -> None:
    start = json.loads(geophone("sla", "--store", store, "--format", "json").stdout)["period"]["start"]
    cut = ("--to", start[:14] + f"{int(start[14:16]) + 2:02d}:30Z", "--format", "json")
    one = geophone("sla", SAMPLE.capture, "--policy", SAMPLE.policy, *cut)
    other = geophone("sla", "--store", store, *cut)
    assert one.stdout == other.stdout, (one, other)
    report = json.loads(one.stdout)
    assert report["period"]["minutes"] == 3
    assert 0 < report["watched"]["minutes"] <= 3


@pytest.mark.parametrize(
    ("arguments", "repair"),
    [
        ([], "name captures and a --policy, or a --store"),
        (["CAPTURE"], "--policy is missing"),
        (["CAPTURE", "--store", "STORE"], "captures beside --store"),
        (["--store", "STORE", "--policy", "POLICY"], "--policy goes without --store"),
        (["CAPTURE", "--policy", "POLICY", "--zone", "attic"], "--zone attic: the policy's are"),
        (["CAPTURE", "--policy", "POLICY", "--conduit", "attic"], "--conduit attic: the policy's are"),
        (["CAPTURE", "--policy", "POLICY", "--month", "2026-13"], "write it like 2026-11"),
        (["CAPTURE", "--policy", "POLICY", "--from", "noon"], "write it like 2026-11-01T00:00Z"),
        (["CAPTURE", "--policy", "POLICY", "--from", "2100-01-01"], "before it starts"),
        (["CAPTURE", "--policy", "POLICY", "--month", "2026-11", "--to", "2026-11-02"], "a month beside"),
        (["CAPTURE", "--policy", "POLICY", "-o", "/no/such/folder/x"], "does not exist; make it first"),
        (["CAPTURE", "--policy", "POLICY", "--site", "x"], "--site goes with --store"),
        (["--store", "STORE", "--site", "x"], "--site x: the store's sites are"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_repair(
    store: Path, arguments: list[str], repair: str
) -> None:
    names = {"CAPTURE": str(SAMPLE.capture), "POLICY": str(SAMPLE.policy), "STORE": str(store)}
    outcome = CliRunner().invoke(main, ["sla", *(names.get(argument, argument) for argument in arguments)])
    assert outcome.exit_code == 2, outcome
    assert repair in outcome.stderr
    assert outcome.stdout == ""


def test_a_capture_without_a_packet_has_no_period(geophone: Geophone, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pcap"
    empty.write_bytes(bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
    outcome = geophone("sla", empty, "--policy", SAMPLE.policy)
    assert outcome.returncode == 2
    assert "nothing was measured, so there is no period" in outcome.stderr
    month = geophone("sla", empty, "--policy", SAMPLE.policy, "--month", "2026-11", "--format", "json")
    assert {scope["status"] for scope in json.loads(month.stdout)["scopes"]} == {"no data"}
