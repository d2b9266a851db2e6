"""Every check is registered, documented and told apart from the others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import policy.checks
from policy.checks import CHECKS
from policy.checks.base import Check

SECTIONS = ("Reports", "Why it matters", "Example", "Do not be fooled by")


def test_ids_and_titles_are_unique() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    assert len({check.title for check in CHECKS}) == len(CHECKS)


def test_every_file_of_a_check_is_registered() -> None:
    folder = Path(policy.checks.__file__).parent
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "base"}
    assert files == {type(check).__module__.rpartition(".")[2] for check in CHECKS}
    assert files == {check.id.lower().replace("-", "_") for check in CHECKS}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_docstring_is_a_whole_manual_page(check: Check) -> None:
    page = type(check).__doc__ or ""
    headings = re.findall(r"^    (\S.*)\n        \S", page, flags=re.MULTILINE)
    assert tuple(headings) == SECTIONS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_title_finishes_the_network_shows(check: Check) -> None:
    assert check.title.startswith(("a ", "an "))
    assert not check.title.endswith(".")


#: The table of the design: base severity, references, ATT&CK for ICS technique ids.
TABLE = {
    "SEG-01": (3, ("SR 5.1", "SR 5.2", "CIP-005 R1.3"), ("T0886",)),
    "SEG-02": (4, ("SR 5.2",), ("T0886",)),
    "SEG-03": (3, ("SR 5.2",), ()),
    "SEG-04": (3, ("SR 7.7", "CIP-007 R1"), ()),
    "SEG-05": (3, ("SR 2.1",), ("T0855",)),
    "SEG-06": (4, ("SR 5.2",), ("T0822", "T0883")),
    "SEG-07": (3, ("SR 5.1",), ("T0884",)),
    "SEG-08": (4, ("CIP-005 R1.2",), ()),
    "SEG-09": (2, ("SR 7.8", "CM-8"), ("T0864",)),
    "SEG-10": (3, ("SR 3.1",), ("T0830",)),
    "SEG-11": (1, ("SR 5.2 RE1",), ()),
    "SEG-12": (2, ("CIP-005 R1.3",), ()),
    "SEG-13": (3, ("SR 4.1",), ("T0842",)),
    "SEG-14": (2, ("SR 5.3",), ()),
    "RA-01": (4, ("SR 1.13", "CIP-005 R2.1"), ("T0822", "T0886")),
    "RA-02": (4, ("SR 2.1",), ()),
    "RA-03": (4, ("SR 1.13 RE1", "CIP-005 R2.4"), ()),
    "RA-04": (3, ("SR 2.5", "SR 2.6"), ()),
    "RA-05": (3, ("SR 2.7",), ()),
    "RA-06": (4, ("CIP-005 R2.1",), ()),
    "RA-07": (4, ("CIP-005 R2.4",), ("T0822", "T0884")),
    "RA-08": (4, ("SR 5.1",), ("T0867", "T0886")),
    "RA-09": (3, ("SR 1.11",), ("T0812", "T0859")),
    "CHG-01": (4, ("CM-3", "CIP-010"), ("T0843", "T0836")),
    "CHG-02": (3, ("CM-3",), ()),
    "CHG-03": (3, ("CIP-010",), ()),
    "COV-02": (2, ("SR 2.11",), ()),
    "COV-01": (3, ("SR 6.2", "CIP-015 R1"), ()),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_severity_and_references_are_those_of_the_table(check: Check) -> None:
    assert (check.base_severity, check.references, check.techniques) == TABLE[check.id]
