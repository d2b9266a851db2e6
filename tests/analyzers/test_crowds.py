"""More subjects than findings tell apart: the findings are those of all rows, though few of them were kept."""

from __future__ import annotations

import polars as pl
import pytest

from analyzers import gathered as gathered_module
from analyzers.findings import Finding, canonical_line, canonical_order
from analyzers.gathered import Gathered
from analyzers.reporting import Reporter
from policy.checks.seg_01 import UndeclaredConversation
from policy.violations import MINUTE_NS, VIOLATION
from policy.zoning import CompiledSite
from tests.policy.factories import NOON, compiled, packed

CAPTURE = "c" * 64
#: More than the limits of `analyzers.floods` and their margin, for one client and for many.
SUBJECTS = 6_000
BATCHES = 12


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Crowds from a few hundred rows on."""
    monkeypatch.setattr(gathered_module, "TOLD_APART", 500)
    monkeypatch.setattr(gathered_module, "_PENDING_LIMIT", 100)


def _violations(clients: int, *, minute: int = 0) -> pl.DataFrame:
    """SUBJECTS conversations of so many clients, each a violation of its own, one after the other."""
    number = pl.int_range(SUBJECTS, eager=True)
    at = (NOON + minute * MINUTE_NS + number * 1_000_000).to_list()
    client = [packed(f"10.40.{one % clients // 250}.{one % clients % 250 + 1}") for one in number]
    rows = {
        "client_ip": client,
        "server_ip": [packed("10.20.0.11")] * SUBJECTS,
        "ip_proto": [6] * SUBJECTS,
        "server_port": (number + 1_000).to_list(),
        "what": [""] * SUBJECTS,
        "minute": [one // MINUTE_NS * MINUTE_NS for one in at],
        "client_zone": ["office"] * SUBJECTS,
        "server_zone": ["control"] * SUBJECTS,
        "conduit": [""] * SUBJECTS,
        "reverse_conduit": [""] * SUBJECTS,
        "operation": [""] * SUBJECTS,
        "count": [1] * SUBJECTS,
        "first_ns": at,
        "last_ns": at,
        "confirmed": [False] * SUBJECTS,
        "confidence_rank": [3] * SUBJECTS,
        "decoded_service": [""] * SUBJECTS,
        "hinted_service": [""] * SUBJECTS,
        "examples": [
            [{"confirmed": False, "ts_ns": one, "frame": place + 1, "text": f"{place}", "nearest": ""}]
            for place, one in enumerate(at)
        ],
    }
    return pl.DataFrame(rows, schema=VIOLATION)


def _found(site: CompiledSite, gathered: Gathered) -> list[bytes]:
    reporter = Reporter(site, "p" * 64, "0.1.0")
    found: list[Finding] = reporter.findings(UndeclaredConversation(), gathered.told(), CAPTURE)
    return [canonical_line(one) for one in sorted(found, key=canonical_order)]


def _gathered(site: CompiledSite | None, *minutes: pl.DataFrame) -> Gathered:
    gathered = Gathered(site)
    for rows in minutes:
        for part in rows.iter_slices(SUBJECTS // BATCHES):
            gathered.add(part)
    return gathered


@pytest.mark.parametrize("clients", [1, 3, 2_000])
def test_findings_are_those_of_all_rows(small: None, clients: int) -> None:
    site = compiled()
    rows = _violations(clients)
    folded, whole = _gathered(site, rows), _gathered(None, rows)
    assert folded.all().height < SUBJECTS
    assert whole.all().height == SUBJECTS
    assert _found(site, folded) == _found(site, whole)


def test_who_comes_again_in_another_minute_is_counted_once(small: None) -> None:
    site = compiled()
    minutes = [_violations(1), _violations(1, minute=3)]
    folded, whole = _gathered(site, *minutes), _gathered(None, *minutes)
    assert _found(site, folded) == _found(site, whole)
    assert any(f"stands for {SUBJECTS - 64:,} alike".encode() in line for line in _found(site, folded))


def test_of_a_million_in_minutes_few_rows_stay(small: None) -> None:
    gathered = _gathered(compiled(), _violations(1))
    assert gathered.all().height < 1_000
    crowds = gathered.told().crowds
    assert gathered.all().height + int(crowds["subjects"].list.len().sum()) == SUBJECTS
    assert int(gathered.all()["count"].sum()) + int(crowds["count"].sum()) == SUBJECTS


def test_few_subjects_are_in_no_crowd(small: None) -> None:
    gathered = _gathered(compiled(), _violations(1).head(100))
    assert gathered.told().crowds.is_empty()


def test_what_is_long_over_is_forgotten_of_crowds_too(small: None) -> None:
    gathered = _gathered(compiled(), _violations(1))
    gathered.settle(NOON + 10 * MINUTE_NS)
    assert gathered.told().apart.is_empty()
    assert gathered.told().crowds.is_empty()
