"""What is wrong with a rule is told with its place and a repair, and stops no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzers.rules.loading import load_rules
from analyzers.rules.manual import PAGE, page
from analyzers.rules.rule import Rule
from analyzers.rules.sigma_file import read_rule
from analyzers.techniques import TECHNIQUES
from tests.analyzers.rules.writing import SAMPLES, selecting, written, wrong

GOOD = written("  s:\n    function: 6\n  condition: s")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("function: 6", "functoin: 6", "wrong.yml:6 detection.s.functoin: modbus has no field 'functoin'"),
        ("function: 6", "functoin: 6", "did you mean 'function'?"),
        (
            "function: 6",
            "function|contians: 6",
            "wrong.yml:6 .*no modifier 'contians'; did you mean 'contains'",
        ),
        (
            "function: 6",
            "function: six",
            "wrong.yml:6 detection.s.function: function holds number, .* write a number",
        ),
        (
            "function: 6",
            "client_ip: plc",
            "wrong.yml:6 detection.s.client_ip: 'plc' is not an IPv4 or IPv6 address",
        ),
        ("function: 6", "client_ip: 10.0.0.0/8", r"for a network write \|cidr"),
        ("function: 6", "unit|cidr: 10.0.0.0/8", "unit holds number"),
        ("function: 6", "after_gap: 1", "write true or false, without quotes"),
        ("function: 6", "ts: 2026-11-23", r"compare a part of it: \|hour"),
        (
            "function: 6",
            "detail|re: '(?=a)b'",
            "wrong.yml:6 detection.s.detail|re: .*look-around.*write it without",
        ),
        ("function: 6", "detail|re: '(a{1000}){1000}'", "exceeds size limit"),
        ("function: 6", "detail|re: '['", "wrong.yml:6 .*unterminated character set"),
        ("function: 6", "outcome|gt: word", "wrong.yml:6 detection.s.outcome"),
        ("function: 6", "detail|expand: '%x%'", "placeholders"),
        ("function: 6", "detail|fieldref: nothing", "|fieldref names the field 'nothing'"),
        ("function: 6", "detail|fieldref: unit", "detail holds text, unit number"),
        ("function: 6", "'|contains': word", "name the field before the '|'"),
        ("condition: s", "condition: t", "wrong.yml:7 detection.condition: .*'t' not defined"),
        ("condition: s", "condition: s and", "wrong.yml:7 detection.condition"),
        ("condition: s", "condition: s | count() > 3", "wrong.yml:7 detection.condition"),
        ("condition: s", "condition: " + "not " * 5_000 + "s", "wrong.yml:7 .*nested too deeply"),
        ("service: modbus", "service: modbuss", "wrong.yml:3 logsource.service: .*did you mean 'modbus'"),
        ("product: geophone", "product: windows", "wrong.yml:3 logsource.product: .*write product: geophone"),
        ("name: looked-for", "level: hihg", "wrong.yml:2 level: 'hihg' is no level.*did you mean 'high'"),
        ("name: looked-for", "author: me", "wrong.yml:1 id: .*write name: what-is-looked-for"),
        ("name: looked-for", "id: 12", "wrong.yml:2 id: '12' is not a UUID"),
        ("name: looked-for", "name: a b", "wrong.yml:2 name: a name has"),
        ("name: looked-for", "name: a\ntags: [attack.t0854]", r"wrong.yml:3 tags\[0\]: T0854 was withdrawn"),
        (
            "name: looked-for",
            "name: a\ntags: [attack.t9855]",
            "T9855 is not in ATT&CK for ICS; did you mean 'T0855'",
        ),
        ("name: looked-for", "name: a\ntags: [attack.t1059]", "T1059 is not in ATT&CK for ICS"),
        ("name: looked-for", "name: a\ntags: [attack.impct]", "did you mean 'impact'"),
        ("name: looked-for", "name: a\nfields: [unitt]", r"wrong.yml:3 fields\[0\]: .*did you mean 'unit'"),
        ("title: ", "correlation: {type: event_count}\ntitle: ", "wrong.yml:1 correlation: .*not supported"),
        ("title: ", "filter: {}\ntitle: ", "filter: .*not supported"),
        ("title: ", "- title: ", "not YAML"),
        ("title: ", "---\n---\ntitle: ", "write one rule a file"),
        ("name: looked-for", "name: [", "not YAML"),
        ("title: what is looked for\n", "", "title"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_a_repair(old: str, new: str, message: str) -> None:
    assert old in GOOD
    told = "\n".join(wrong(GOOD.replace(old, new, 1)))
    assert re.search(message, told) or message in told, told


def test_a_right_rule_has_nothing_wrong() -> None:
    assert isinstance(read_rule(GOOD, "good.yml"), Rule)


def test_all_mistakes_of_a_rule_are_told_at_once() -> None:
    text = GOOD.replace("name: looked-for", "level: 7\ntags: [attack.t9999]").replace("function", "funktion")
    assert [line.split()[1] for line in sorted(wrong(text))] == [
        "id:",
        "level:",
        "tags[0]:",
        "detection.s.funktion:",
    ]


def test_a_wrong_rule_stops_no_other(tmp_path: Path) -> None:
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "good.yml").write_text(GOOD)
    (tmp_path / "bad.yaml").write_text(GOOD.replace("function", "funktion"))
    (tmp_path / "bytes.yml").write_bytes(b"title: \xff")
    (tmp_path / "same.yml").write_text(GOOD)
    (tmp_path / "empty.yml").touch()
    (tmp_path / "notes.txt").write_text("no rule")
    loaded = load_rules(tmp_path)
    assert [(rule.id, rule.file) for rule in loaded.rules.rules] == [("rule:looked-for", "deeper/good.yml")]
    names = [Path(problem.split(":")[0]).name for problem in loaded.problems]
    assert names == ["bad.yaml", "bytes.yml", "empty.yml", "same.yml"]
    assert "deeper/good.yml already" in loaded.problems[-1]


def test_the_hash_is_that_of_what_the_rules_say(tmp_path: Path) -> None:
    (tmp_path / "one.yml").write_text(GOOD)
    first = load_rules(tmp_path).rules.sha256
    (tmp_path / "one.yml").rename(tmp_path / "moved.yml")
    assert load_rules(tmp_path).rules.sha256 == first
    (tmp_path / "moved.yml").write_text(GOOD.replace("function: 6", "function: 5"))
    assert load_rules(tmp_path).rules.sha256 != first


def test_level_and_tags_become_severity_and_techniques() -> None:
    rule = selecting(
        "function: 6", more="level: critical\ntags: [attack.T0855, attack.impact, cve.2020-1, tlp.red]\n"
    )
    assert (rule.base_severity, rule.techniques) == (5, ("T0855",))
    assert selecting("function: 6").base_severity == 3


def test_the_sample_rules_are_right() -> None:
    loaded = load_rules(SAMPLES)
    assert loaded.problems == ()
    assert len(loaded.rules.rules) == len(list(SAMPLES.glob("*.yml"))) > 3
    assert {one for rule in loaded.rules.rules for one in rule.techniques} <= TECHNIQUES.keys()


def test_the_page_of_fields_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m analyzers.rules.manual"
