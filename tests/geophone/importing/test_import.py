"""Exports of other systems become files that replays read; broken rows cost themselves and nothing else."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.measure import measure
from geophone.errors import UsageProblem
from geophone.importing.run import Imported, import_file, rejected_file

ROOT = Path(__file__).resolve().parents[3]

APPROVALS = """\
format: csv
delimiter: ";"
columns: {ref: ticket, rule: access, start: from, end: to, approver: who}
where: {state: [approved]}
values: {rule: {"ACME VPN": ra-1}}
times: {format: "%d.%m.%Y %H:%M", zone: America/Santiago}
"""
EXPORT = """\
ticket;access;from;to;who;state
CHG-7;ACME VPN;23.11.2026 08:00;23.11.2026 12:00;"Soto; shift boss";approved
CHG-8;ACME VPN;23.11.2026 13:00;23.11.2026 12:00;Soto;approved
CHG-9;ACME VPN;23.11.2026 08:00;23.11.2026 12:00;Soto;refused
CHG-10;ACME VPN;31.02.2026 08:00;23.11.2026 12:00;Soto;approved
CHG-11;other vendor;23.11.2026 08:00;23.11.2026 12:00;Soto;approved
CHG-12;ACME VPN
CHG-13;ACME VPN;24.11.2026 08:00;24.11.2026 12:00;"Soto;approved
CHG-14;ra-1;24.11.2026 08:00;24.11.2026 12:00;"Soto
on call";approved
"""
GATEWAY = """\
format: jsonl
columns: {at: time, source: client.ip, second_factor: auth.method, user: auth.user}
values: {second_factor: {otp: "yes", push: "yes", password: "no"}}
"""


def run(folder: Path, export: str | bytes, mapping: str = APPROVALS, kind: str = "approvals") -> Imported:
    (folder / "export").write_bytes(export.encode() if isinstance(export, str) else export)
    (folder / "mapping.yaml").write_text(mapping)
    return import_file(kind, folder / "export", folder / "mapping.yaml", folder / "out.jsonl")


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "out.jsonl").read_text().splitlines()]


def test_takes_what_is_whole_and_lists_the_rest_with_line_and_reason(tmp_path: Path) -> None:
    done = run(tmp_path, EXPORT)
    assert (done.taken, done.new, done.passed_over, done.rejected, done.total) == (2, 2, 1, 5, 2)
    # Santiago is three hours behind UTC in November.
    by_ref = {line["ref"]: line for line in lines(tmp_path)}
    assert by_ref["CHG-14"] == {
        "approver": "Soto\non call",
        "end": "2026-11-24T15:00:00Z",
        "ref": "CHG-14",
        "rule": "ra-1",
        "start": "2026-11-24T11:00:00Z",
    }
    assert by_ref["CHG-7"]["approver"] == "Soto; shift boss"
    assert rejected_file(tmp_path / "out.jsonl").read_text().splitlines() == [
        "3: ends before it starts",
        "5: start: '31.02.2026 08:00' is not a time",
        "6: rule: 'other vendor' is not an id; translate it in `values`",
        "7: 2 columns where the header has 6",
        "8: a quote is never closed",
    ]


def test_the_same_export_again_changes_no_byte(tmp_path: Path) -> None:
    run(tmp_path, EXPORT)
    before = (tmp_path / "out.jsonl").read_bytes()
    again = run(tmp_path, EXPORT)
    assert (again.taken, again.new, again.total) == (2, 0, 2)
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_a_later_export_adds_to_what_is_there(tmp_path: Path) -> None:
    run(tmp_path, EXPORT)
    header = EXPORT.splitlines()[0]
    later = f"{header}\nCHG-20;ra-1;25.11.2026 08:00;25.11.2026 12:00;Soto;approved\n"
    assert run(tmp_path, later).total == 3
    assert {line["ref"] for line in lines(tmp_path)} == {"CHG-14", "CHG-20", "CHG-7"}
    assert not rejected_file(tmp_path / "out.jsonl").exists()


def test_a_gateway_s_log_becomes_logins(tmp_path: Path) -> None:
    rows: list[object] = [
        {
            "time": "2026-11-23T08:58:00-03:00",
            "client": {"ip": "203.0.113.5"},
            "auth": {"method": "otp", "user": "j"},
        },
        {
            "time": "2026-11-23T11:59:00",
            "client": {"ip": "203.0.113.5"},
            "auth": {"method": "password", "user": ""},
        },
        {
            "time": "2026-11-23T11:59:00",
            "client": {"ip": "203.0.113.500"},
            "auth": {"method": "otp", "user": "j"},
        },
        {
            "time": "2026-11-23T11:59:00",
            "client": {"ip": "203.0.113.5"},
            "auth": {"method": "sms", "user": "j"},
        },
        ["no", "object"],
    ]
    export = "\n".join([*map(json.dumps, rows), '{"time": ', ""])
    done = run(tmp_path, export, GATEWAY, "gateway")
    assert lines(tmp_path) == [
        {"at": "2026-11-23T11:58:00Z", "second_factor": True, "source": "203.0.113.5", "user": "j"},
        {"at": "2026-11-23T11:59:00Z", "second_factor": False, "source": "203.0.113.5", "user": ""},
    ]
    assert done.first_rejected == (
        "3: source: '203.0.113.500' is not an address",
        "4: second_factor: 'sms' is neither yes nor no; translate it in `values`",
        "5: not a JSON object",
        "6: not a JSON object",
    )


def test_bytes_that_are_no_text_and_lines_without_end_cost_themselves(tmp_path: Path) -> None:
    good = (
        b'{"time":"2026-11-23T11:59:00Z","client":{"ip":"203.0.113.5"},"auth":{"method":"otp","user":"j"}}\n'
    )
    export = b"\xff\xfe\xfa\n" + b"x" * 1_000_000 + b"\n" + b"[" * 200_000 + b"\n" + good
    done = run(tmp_path, export, GATEWAY, "gateway")
    assert (done.taken, done.first_rejected) == (
        1,
        ("1: not UTF-8 text", "2: longer than 256 KiB", "3: not a JSON object"),
    )


def peak_kib(folder: Path, number: int, broken: int) -> int:
    """Import so many rows in a process of its own; the most memory that it had."""
    folder.mkdir()
    with (folder / "export").open("w") as out:
        for row in range(number):
            ip = "nobody" if row % broken == 0 else f"203.0.113.{row % 250}"
            at = f"2026-11-{row // 5000 % 28 + 1:02}T{row % 24:02}:{row % 60:02}:{row // 60 % 60:02}Z"
            login = {"time": at, "client": {"ip": ip}, "auth": {"method": "otp", "user": f"user {row}"}}
            out.write(json.dumps(login) + "\n")
    (folder / "mapping.yaml").write_text(GATEWAY)
    command = ["gateway", "import", "export", "--mapping", "mapping.yaml", "-o", "out.jsonl"]
    # 1: rows were rejected.
    cost, _ = measure(
        [sys.executable, "-m", "geophone", *command], {"PYTHONPATH": str(ROOT)}, folder=folder, statuses=(1,)
    )
    return cost.peak_rss_bytes >> 10


def test_a_long_file_with_broken_rows_streams(tmp_path: Path) -> None:
    number, broken = 100_000, 997
    short_kib = peak_kib(tmp_path / "short", 1_000, broken)
    long_kib = peak_kib(tmp_path / "long", number, broken)
    rejected = list(range(1, number + 1, broken))
    with (tmp_path / "long" / "out.jsonl").open() as out:
        assert sum(1 for _ in out) == number - len(rejected)
    listed = (tmp_path / "long" / "out.jsonl.rejected").read_text().splitlines()
    assert [int(line.partition(":")[0]) for line in listed] == rejected
    # A hundred times the rows: what is held is a batch of them and the database's 16 MiB of pages.
    assert long_kib - short_kib < 32 * 1024


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("ref: ticket, ", "", "columns: ref is missing; say which column has it"),
        (
            "rule: access",
            "role: access, rule: access",
            "columns: there is no field role; the fields are ref, rule",
        ),
        ("format: csv", "format: xml", "mapping.yaml:1 format: "),
        ("zone: America/Santiago", "zone: Amerika/Santiago", "times.zone"),
        ("where:", "were:", "mapping.yaml:4 were: "),
    ],
)
def test_mistakes_of_a_mapping_are_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(UsageProblem, match=r"mapping\.yaml") as told:
        run(tmp_path, EXPORT, APPROVALS.replace(old, new))
    assert words in str(told.value)
