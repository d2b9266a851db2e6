"""Every detection is registered, documented, tested in pairs, and cites techniques that there are."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest

import analyzers.detections
from analyzers.baseline.memory import Memory
from analyzers.detections import DETECTIONS
from analyzers.detections.base import Detection
from analyzers.detections.learned import LearnedDetection
from analyzers.manual import PAGE, page
from analyzers.techniques import TECHNIQUES, WITHDRAWN
from pcaps import samples
from policy.checks import CHECKS
from policy.detection_settings import DETECTION_IDS, DetectionSettings
from policy.traffic import TRAFFIC_TABLES, Traffic
from tests.analyzers.detections.looking import MINE
from tests.policy.factories import HISTORIAN, NOON, PLC, Wire

SECTIONS = ("Reports", "Why it matters", "Benign causes", "Evidence", "How to tune")
#: Modules that are shared, not a detection.
SHARED = {
    "base",
    "bursts",
    "declared",
    "flow_rows",
    "in_order",
    "learned",
    "modbus_rows",
    "mqtt_rows",
    "poll_numbers",
    "stretches",
    "opcua_rows",
    "rows",
    "seen",
    "sparkplug_order",
    "totals",
}

#: The table of the design: severity, techniques, possible ones.
TABLE = {
    "M1": (4, ("T0855",), ()),
    "M2": (3, ("T0848",), ()),
    "M3": (4, ("T0836",), ()),
    "M4": (4, ("T0806",), ()),
    "M5": (4, ("T0816",), ()),
    "M6": (5, ("T0814",), ()),
    "M7": (2, ("T0888",), ()),
    "M8": (3, ("T0846",), ()),
    "M9": (3, ("T0861",), ()),
    "M10": (2, (), ("T0814",)),
    "M11": (4, (), ("T0866",)),
    "M12": (4, (), ("T0843",)),
    "M13": (4, ("T0856", "T0830"), ()),
    "M14": (3, (), ("T0804",)),
    "M15": (2, (), ("T0832",)),
    "O1": (3, ("T0842",), ()),
    "O2": (4, ("T0859",), ()),
    "O3": (2, (), ("T0886",)),
    "O4": (4, ("T0859",), ()),
    "O5": (2, ("T0846",), ()),
    "O6": (3, ("T0861",), ()),
    "O7": (4, ("T0855", "T0836"), ()),
    "O8": (4, ("T0871",), ()),
    "O9": (4, ("T0838", "T0878"), ()),
    "O10": (4, (), ("T0809",)),
    "O11": (4, ("T0830",), ()),
    "Q1": (4, ("T0859",), ()),
    "Q2": (3, ("T0802",), ()),
    "Q3": (4, ("T0855",), ()),
    "Q4": (3, (), ("T0856",)),
    "Q5": (3, ("T0849",), ()),
    "Q6": (4, ("T0812",), ()),
    "Q7": (3, (), ("T0856",)),
    "G1": (4, ("T0846",), ()),
    "G2": (4, ("T0830",), ()),
    "G3": (4, ("T0814",), ()),
    "G4": (4, ("T0867",), ()),
    "G5": (3, ("T0869",), ()),
    "G6": (4, ("T0830",), ()),
    "G7": (3, (), ("T0857",)),
}


def ids(kind: type[Detection]) -> str:
    return kind.id


def test_ids_and_titles_are_unique() -> None:
    assert len({kind.id for kind in DETECTIONS}) == len(DETECTIONS)
    assert len({kind.title for kind in DETECTIONS}) == len(DETECTIONS)


def test_every_file_of_a_detection_is_registered() -> None:
    folder = Path(analyzers.detections.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"} - SHARED
    assert files == {kind.id.lower() for kind in DETECTIONS}
    assert files == {kind.__module__.rpartition(".")[2] for kind in DETECTIONS}


def test_none_knows_another() -> None:
    contracts = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (held,) = [one["modules"] for one in contracts if one["name"] == "detections do not know each other"]
    assert held == [kind.__module__ for kind in DETECTIONS]


def test_policies_know_the_detections_there_are() -> None:
    assert tuple(kind.id for kind in DETECTIONS) == DETECTION_IDS
    assert set(DetectionSettings.model_fields) - {"switched_off", "kept"} <= set(DETECTION_IDS)


@pytest.mark.parametrize("kind", DETECTIONS, ids=ids)
def test_the_docstring_is_a_whole_manual_page(kind: type[Detection]) -> None:
    headings = re.findall(r"^    (\S.*)\n        \S", kind.__doc__ or "", flags=re.MULTILINE)
    assert tuple(headings) == SECTIONS


@pytest.mark.parametrize("kind", DETECTIONS, ids=ids)
def test_thresholds_are_named_where_they_are_tuned(kind: type[Detection]) -> None:
    setting = DetectionSettings.model_fields.get(kind.id)
    names = set(re.findall(rf"`detections\.{kind.id}\.(\w+)`", kind.__doc__ or ""))
    assert names == (set(type(setting.default).model_fields) if setting else set())


@pytest.mark.parametrize("kind", DETECTIONS, ids=ids)
def test_severity_and_techniques_are_those_of_the_table(kind: type[Detection]) -> None:
    assert (kind.base_severity, kind.techniques, kind.possible_techniques) == TABLE[kind.id]


def test_every_cited_technique_is_one_and_is_not_withdrawn() -> None:
    cited = {one for kind in DETECTIONS for one in (*kind.techniques, *kind.possible_techniques)}
    cited |= {one for check in CHECKS for one in (*check.techniques, *check.possible_techniques)}
    assert cited
    assert cited <= TECHNIQUES.keys()
    assert not WITHDRAWN & TECHNIQUES.keys()


@pytest.mark.parametrize("kind", DETECTIONS, ids=ids)
def test_a_technique_is_not_asserted_and_possible_at_once(kind: type[Detection]) -> None:
    assert not set(kind.techniques) & set(kind.possible_techniques)


@pytest.mark.parametrize("kind", DETECTIONS, ids=ids)
def test_each_is_planted_in_a_capture(kind: type[Detection]) -> None:
    assert any(planted.id == kind.id for one in samples() for planted in one.planted)


def test_the_manual_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: python -m analyzers.manual"


class Watched:
    """Traffic that remembers which of its tables were looked at."""

    def __init__(self, traffic: Traffic) -> None:
        self._traffic = traffic
        self.looked_at: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name in TRAFFIC_TABLES:
            self.looked_at.add(name)
        return getattr(self._traffic, name)

    def once(self, what: str, work: Callable[[], pl.DataFrame]) -> pl.DataFrame:
        """Nothing is remembered: each has to look itself."""
        return work()


@pytest.mark.parametrize("kind", DETECTIONS, ids=lambda kind: kind.id)
def test_a_detection_looks_at_the_tables_that_it_names_and_at_no_others(kind: type[Detection]) -> None:
    detection = kind(MINE, Memory(MINE, "", "", None)) if issubclass(kind, LearnedDetection) else kind(MINE)
    wire = Wire()
    flow = wire.flow(HISTORIAN, PLC)
    wire.modbus(flow, 3, at=NOON)
    watched = Watched(wire.traffic(MINE))
    detection.feed(cast("Traffic", watched))
    assert watched.looked_at == set(kind.reads)
