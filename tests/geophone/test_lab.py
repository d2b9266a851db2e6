"""`geophone lab` as a user runs it: what it says, and what the sensor measures against what the link did."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from geophone.lab.compare import Comparison, Row, Verdict
from geophone.lab.tables import as_json, as_markdown
from tests.geophone.conftest import Geophone
from tests.support.lab import lab_name, namespaces_of, needs_lab

SCENARIOS = ("clean", "delay-20ms", "loss-2", "asymmetric", "capture-loss-1", "duplicates")
SECONDS = "5"


def test_an_unknown_scenario_is_one_line_with_the_known_ones(geophone: Geophone) -> None:
    for command in ("run", "truth"):
        refused = geophone("lab", command, "flood")
        assert refused.returncode == 2
        assert refused.stderr.startswith("there is no scenario 'flood'; there are: clean, ")
        assert refused.stderr.count("\n") == 1


def test_what_is_not_measured_is_refused_with_what_is(geophone: Geophone) -> None:
    refused = geophone("lab", "truth", "ssh-jump")
    assert refused.returncode == 2
    assert refused.stderr.startswith("nothing of ssh-jump is measured against the truth; these are: clean, ")


def test_a_folder_without_a_recording_is_refused(geophone: Geophone, tmp_path: Path) -> None:
    refused = geophone("lab", "truth", "--recording", tmp_path)
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"{tmp_path}: not a recording of the lab")


def test_the_list_names_every_scenario(geophone: Geophone) -> None:
    from pcaps.lab.plant.plays import SCENARIOS as KNOWN

    listed = geophone("lab", "list")
    assert listed.returncode == 0
    assert all(f"\n{one.name} " in listed.stdout for one in KNOWN)


def test_without_the_extra_one_line_says_what_to_install() -> None:
    script = (
        "import importlib.util as u, sys; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'asyncua' else real(name, *a)\n"
        "sys.argv = ['geophone', 'lab', 'list']; import geophone.cli; geophone.cli.run()"
    )
    refused = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert refused.stderr == "the lab needs asyncua: install the `lab` extra: pip install 'geophone[lab]'\n"


@pytest.mark.parametrize(
    ("measured", "floor", "verdict"),
    [
        (10.2, False, Verdict.RIGHT),
        (10.31, False, Verdict.MISSED),
        (9.69, False, Verdict.MISSED),
        (5.0, True, Verdict.RIGHT),
        (10.31, True, Verdict.MISSED),
        (None, False, Verdict.NOT_MEASURABLE),
    ],
)
def test_a_figure_is_right_missed_or_not_measurable(
    measured: float | None, floor: bool, verdict: Verdict
) -> None:
    assert Row("x", "router", "ms", 10.0, measured, 0.3, floor=floor).verdict is verdict


def test_tables_say_not_measurable_and_never_a_figure_instead() -> None:
    rows = (
        Row("delay", "any one", "ms", 5.0, None, 0, note="one tap"),
        Row("loss", "router", "%", 2.0, 1.5, 0.1),
    )
    through = (Row("availability", "router", "%", 100.0, 99.0, 0.001),)
    one = Comparison("odd", "an odd link", rows, 0.25, through)
    assert [row.what for row in one.missed] == ["loss", "availability"]
    text = as_markdown([one])
    assert "| ○ | delay | any one | 5.00 ms | not measurable | – | – | one tap |" in text
    assert "| ✗ | loss | router | 2.000 % | 1.500 % | -0.500 | 0.100 |  |" in text
    assert "Through the SLA report, conduit c-room-control:\n\n|  | figure |" in text
    assert "| ✗ | availability | router | 100.000 % | 99.000 % | -1.000 | 0.001 |  |" in text
    assert "2 missed, 1 not measurable; the link was at most 0.25 ms late in 99 % of the frames" in text
    (said,) = as_json([one])
    assert [(row["verdict"], row["measured"]) for row in said["rows"]] == [
        ("not measurable", None),
        ("missed", 1.5),
    ]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Scenario -> its comparison, by the command that a user runs."""
    name, markdown = lab_name("g"), tmp_path_factory.mktemp("lab") / "truth.md"
    command = [
        *(sys.executable, "-m", "geophone", "lab", "truth", *SCENARIOS, "--name", name),
        *("--seconds", SECONDS, "--json", "--markdown", str(markdown)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode in (0, 1), done.stderr
    said = {one["scenario"]: one for one in json.loads(done.stdout)}
    missed = [
        (name, row)
        for name, one in said.items()
        for row in (*one["rows"], *one["reported"])
        if row["verdict"] == "missed"
    ]
    assert done.returncode == bool(missed)
    assert namespaces_of(name) == []
    assert all(f"## {scenario}: " in markdown.read_text() for scenario in SCENARIOS)
    return said


class TestTruth:
    """The product's own measurements of real stacks over a link whose faults are known."""

    pytestmark = needs_lab

    @pytest.mark.parametrize("scenario", SCENARIOS)
    def test_every_aim_is_met(self, compared: dict[str, dict[str, Any]], scenario: str) -> None:
        rows = compared[scenario]["rows"]
        assert [row for row in rows if row["verdict"] == "missed"] == []
        assert sum(row["verdict"] == "right" for row in rows) >= 3

    @pytest.mark.parametrize("scenario", SCENARIOS)
    def test_the_sla_report_says_what_is_true(
        self, compared: dict[str, dict[str, Any]], scenario: str
    ) -> None:
        rows = compared[scenario]["reported"]
        assert [row for row in rows if row["verdict"] != "right"] == []
        figures = {row["what"] for row in rows}
        assert {"coverage: minutes fit to be judged", "coverage: segments never seen"} <= figures
        if scenario != "capture-loss-1":
            # of a capture that misses frames the report has no figure, and so none that is wrong
            assert {
                "RTT, median",
                "request to answer, median",
                "server time, median",
                "requests",
                "availability",
                "loss, both ways",
            } <= figures
        assert ("SPAN copies left out" in figures) == (scenario == "duplicates")

    def test_delay_and_loss_were_really_there(self, compared: dict[str, dict[str, Any]]) -> None:
        def true(scenario: str, what: str) -> list[float]:
            return [row["true"] for row in compared[scenario]["rows"] if row["what"] == what]

        assert all(40 <= value < 60 for value in true("delay-20ms", "handshake RTT, median"))
        assert all(45 <= value < 65 for value in true("asymmetric", "handshake RTT, median"))
        assert all(0.8 < value < 3.5 for value in true("loss-2", "loss after the tap, all TCP"))
        assert all(0.4 < value < 2.5 for value in true("capture-loss-1", "capture loss"))
        assert true("duplicates", "copies removed")[0] > 1_000

    def test_what_one_tap_cannot_know_is_not_guessed(self, compared: dict[str, dict[str, Any]]) -> None:
        halves = [row for row in compared["asymmetric"]["rows"] if row["what"].startswith("one-way delay")]
        assert [row["measured"] for row in halves] == [None, None]
        there, back = (row["true"] for row in halves)
        assert back - there > 30
