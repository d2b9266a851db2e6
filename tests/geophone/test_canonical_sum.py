"""The SHA-256 of all findings, in whatever order and however often what is old is hashed and gone."""

from __future__ import annotations

import hashlib
from itertools import permutations

import pytest

from analyzers.findings import Finding
from geophone.live.canonical import CanonicalSum
from geophone.runner import canonical_bytes
from tests.store.samples import finding

FINDINGS = [finding(number, first_ns=number * 100) for number in (1, 2, 3, 4)]
EXPECTED = hashlib.sha256(canonical_bytes(FINDINGS)).hexdigest()


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize("settled_ns", [0, 150, 250, 1_000])
def test_it_is_that_of_the_canonical_file(order: tuple[int, ...], settled_ns: int) -> None:
    stored: list[Finding] = []
    total = CanonicalSum(lambda: stored)
    for number in order:
        total.add([FINDINGS[number]])
        stored.append(FINDINGS[number])
        total.settle(settled_ns)
    assert total.hexdigest() == EXPECTED
    assert total.kept == sum(one.first_ns >= settled_ns for one in FINDINGS)


def test_without_findings_it_is_that_of_an_empty_file() -> None:
    assert CanonicalSum(list).hexdigest() == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize("asked_every", [1, 7, 33])
def test_lines_among_many_others_are_in_it(asked_every: int) -> None:
    many = [finding(number, first_ns=number % 50 * 100 + number) for number in range(1, 150)]
    total = CanonicalSum(list)
    for number, one in enumerate(many, start=1):
        total.add([one])
        if number % asked_every == 0:
            assert total.hexdigest() == hashlib.sha256(canonical_bytes(many[:number])).hexdigest()
    assert total.hexdigest() == hashlib.sha256(canonical_bytes(many)).hexdigest()
