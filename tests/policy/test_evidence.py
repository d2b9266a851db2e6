"""Imported approvals and logins, held against visits."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from policy.checks.ra_03 import Unapproved
from policy.evidence import Evidence
from policy.loader import LoadedPolicy, PolicyError, load
from policy.zoning import CompiledSite, compile_site
from tests.policy.access import TEXT, VENDOR, Sessions, visits
from tests.policy.factories import only

#: The session of `chain` begins at 12:02 UTC on 23 November 2026; its tunnel at 12:00.
COVERING = {
    "ref": "CHG-9",
    "rule": "ra-1",
    "start": "2026-11-23T12:00:00Z",
    "end": "2026-11-23T13:00:00Z",
    "approver": "ops",
}
LOGIN = {"at": "2026-11-23T11:58:00Z", "source": VENDOR, "second_factor": True, "user": "j"}
#: The same site without an approval of its own.
UNAPPROVED = TEXT.partition("approvals:")[0]


def policy(
    folder: Path, text: str, approvals: list[object], logins: list[object] | None = None
) -> LoadedPolicy:
    (folder / "site.yaml").write_text(text)
    files = []
    for name, rows in (("approvals.jsonl", approvals), ("gateway.jsonl", logins)):
        file = folder / name
        if rows is not None:
            file.write_text("".join(json.dumps(row) + "\n" for row in rows))
        files.append(file if rows is not None else None)
    return load(folder / "site.yaml", *files)


def site(loaded: LoadedPolicy) -> CompiledSite:
    return compile_site(loaded.site, loaded.evidence)


def wire() -> Sessions:
    sessions = Sessions()
    sessions.chain()
    return sessions


def test_an_imported_approval_counts(tmp_path: Path) -> None:
    (alone,) = visits(wire(), site(policy(tmp_path, UNAPPROVED, []))).to_dicts()
    assert alone["approval"] == ""
    (visit,) = visits(wire(), site(policy(tmp_path, UNAPPROVED, [COVERING]))).to_dicts()
    assert visit["approval"] == "CHG-9"


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": "ra-2"},
        {"end": "2026-11-23T12:10:00Z"},
        {"start": "2026-11-23T12:05:00Z"},
        {"start": "2026-11-22T12:00:00Z", "end": "2026-11-22T13:00:00Z"},
    ],
)
def test_one_that_does_not_cover_all_of_it_does_not(tmp_path: Path, changed: dict[str, str]) -> None:
    (visit,) = visits(wire(), site(policy(tmp_path, UNAPPROVED, [COVERING | changed]))).to_dicts()
    assert visit["approval"] == ""


def test_a_long_approval_is_found_behind_short_ones() -> None:
    rows = [("ra-1", 0, 1_000, "LONG", "")] + [("ra-1", n, n + 2, f"S{n}", "") for n in range(1, 500)]
    approvals = pl.DataFrame(rows, schema=["rule", "start_ns", "end_ns", "ref", "approver"], orient="row")
    evidence = Evidence(approvals=approvals)
    assert evidence.approval("ra-1", 700, 999) == "LONG"
    assert evidence.approval("ra-1", 700, 1_000) == ""
    assert evidence.approval("ra-1", 400, 401) in {"LONG", "S399", "S400"}
    assert evidence.approval("ra-2", 400, 401) == ""
    assert evidence.count_of("ra-1") == 500


@pytest.mark.parametrize(
    ("logins", "known"),
    [
        ([LOGIN], "evidenced"),
        ([LOGIN | {"second_factor": False}], "missing"),
        ([LOGIN | {"second_factor": False}, LOGIN | {"at": "2026-11-23T11:59:00Z"}], "evidenced"),
        ([LOGIN | {"source": "203.0.113.6"}], "inferred"),
        ([LOGIN | {"at": "2026-11-23T11:50:00Z"}], "inferred"),
        ([LOGIN | {"at": "2026-11-23T12:30:00Z"}], "inferred"),
        (None, "inferred"),
    ],
)
def test_a_second_factor_is_evidenced_by_the_log_alone(
    tmp_path: Path, logins: list[object] | None, known: str
) -> None:
    asked = TEXT.replace("gateway: vpn1,", "gateway: vpn1, mfa_evidence: gateway_log,")
    (visit,) = visits(wire(), site(policy(tmp_path, asked, [], logins))).to_dicts()
    assert visit["second_factor"] == known


def test_nothing_is_inferred_where_the_policy_says_nothing(tmp_path: Path) -> None:
    (visit,) = visits(wire(), site(policy(tmp_path, TEXT, []))).to_dicts()
    assert visit["second_factor"] == ""


def test_findings_say_what_is_known(tmp_path: Path) -> None:
    loaded = site(policy(tmp_path, UNAPPROVED, [COVERING | {"end": "2026-11-23T12:01:00Z"}], [LOGIN]))
    found = only(Unapproved().violations(loaded, visits(wire(), loaded)))
    why = Unapproved().why(loaded, found)
    assert "multi-factor authentication is evidenced by the gateway's log" in why
    assert "and 1 imported ones do not cover it" in why


def test_the_policy_names_the_files_beside_it(tmp_path: Path) -> None:
    named = TEXT + "evidence: {approvals: approvals.jsonl}\n"
    policy(tmp_path, named, [COVERING, COVERING | {"rule": "ra-2"}])
    loaded = load(tmp_path / "site.yaml")
    assert loaded.evidence.count_of("ra-1") == 1
    assert loaded.evidence.of_other_rules == 1


def test_the_hash_is_of_the_files_bytes(tmp_path: Path) -> None:
    one = policy(tmp_path, TEXT, [COVERING]).evidence.sha256
    assert policy(tmp_path, TEXT, [COVERING]).evidence.sha256 == one
    assert policy(tmp_path, TEXT, [COVERING, COVERING | {"ref": "CHG-10"}]).evidence.sha256 != one
    assert policy(tmp_path, TEXT, [COVERING], []).evidence.sha256 != one
    (tmp_path / "site.yaml").write_text(TEXT)
    assert load(tmp_path / "site.yaml").evidence.sha256 == ""


@pytest.mark.parametrize(
    "content",
    ["ref;rule\n", '{"ref": "CHG-1"}\n', "[1]\n", json.dumps(COVERING | {"end": "tomorrow"}) + "\n", "\0\n"],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "site.yaml").write_text(TEXT)
    (tmp_path / "approvals.jsonl").write_text(content)
    with pytest.raises(PolicyError, match="not what `geophone approvals import` writes; import it"):
        load(tmp_path / "site.yaml", tmp_path / "approvals.jsonl")


def test_a_log_with_another_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        PolicyError, match=r"gateway\.jsonl: this is not what `geophone gateway import` writes"
    ):
        policy(tmp_path, TEXT, [], [LOGIN | {"source": "nobody"}])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(TEXT + "evidence: {gateway_log: away.jsonl}\n")
    with pytest.raises(PolicyError, match=r"away\.jsonl: cannot be read: No such file"):
        load(tmp_path / "site.yaml")
