"""Findings: frozen, with stable ids and canonical bytes."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pydantic
import pytest

from analyzers.findings import (
    EXAMPLES_LIMIT,
    Confidence,
    Evidence,
    Finding,
    Operation,
    Severity,
    canonical_line,
    canonical_order,
    finding_id,
)
from policy import violations


def _finding(**changes: Any) -> Finding:
    values: dict[str, Any] = {
        "id": "0" * 32,
        "kind": "SEG-01",
        "title": "a conversation",
        "why": "Zóna → zone.",
        "severity": Severity.HIGH,
        "confidence": Confidence.LOW,
        "site": "mine-a",
        "src_zone": "dmz",
        "dst_zone": "plant",
        "src_ip": "10.35.0.10",
        "dst_ip": "10.20.0.11",
        "dst_port": 502,
        "service": "modbus",
        "count": 2,
        "first_ns": 10,
        "last_ns": 20,
        "policy_sha256": "a" * 64,
        "version": "0.1.0",
        "evidence": Evidence(
            capture_sha256="b" * 64,
            first_ns=10,
            last_ns=20,
            operations=(Operation(frame=1, ts_ns=10, text="x"),),
        ),
    }
    return Finding(**{**values, **changes})


def test_a_finding_never_changes() -> None:
    with pytest.raises(pydantic.ValidationError):
        _finding().severity = Severity.INFO  # type: ignore[misc]


@pytest.mark.parametrize("change", [{"id": "short"}, {"count": 0}, {"colour": "red"}, {"severity": 6}])
def test_what_is_no_finding_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(pydantic.ValidationError):
        _finding(**change)


def test_evidence_is_bounded() -> None:
    operations = tuple(Operation(frame=n + 1, ts_ns=n, text="x") for n in range(EXAMPLES_LIMIT + 1))
    with pytest.raises(pydantic.ValidationError):
        Evidence(capture_sha256="b" * 64, first_ns=0, last_ns=1, operations=operations)


def test_checks_keep_no_more_examples_than_evidence_holds() -> None:
    assert violations.EXAMPLES_LIMIT <= EXAMPLES_LIMIT


def test_the_canonical_line_is_sorted_compact_json_in_utf_8() -> None:
    line = canonical_line(_finding())
    assert line.endswith(b"}\n") and line.count(b"\n") == 1
    assert "Zóna → zone.".encode() in line
    values = json.loads(line)
    assert list(values) == sorted(values)
    assert (
        line == json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    )
    assert (values["severity"], values["confidence"]) == (4, "low")


def test_the_canonical_line_reads_back() -> None:
    assert Finding.model_validate_json(canonical_line(_finding())) == _finding()


def test_the_id_is_128_bits_of_sha_256_over_compact_json() -> None:
    # Written out, so that a change of the recipe cannot pass unseen: ids are in stores and in audit files.
    key = b'["mine-a","SEG-01",["a","b"],10,"p"]'
    assert finding_id("mine-a", "SEG-01", ("a", "b"), 10, "p") == hashlib.sha256(key).hexdigest()[:32]


def test_ids_tell_subjects_apart_that_join_to_the_same_text() -> None:
    assert finding_id("s", "k", ("a", "bc"), 1, "p") != finding_id("s", "k", ("ab", "c"), 1, "p")


def test_the_order_is_time_kind_id() -> None:
    findings = [
        _finding(first_ns=2),
        _finding(first_ns=1, kind="SEG-02"),
        _finding(first_ns=1, id="1" * 32),
        _finding(first_ns=1),
    ]
    ordered = sorted(findings, key=canonical_order)
    assert [(f.first_ns, f.kind, f.id[0]) for f in ordered] == [
        (1, "SEG-01", "0"),
        (1, "SEG-01", "1"),
        (1, "SEG-02", "0"),
        (2, "SEG-01", "0"),
    ]
