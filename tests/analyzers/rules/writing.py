"""Rules as users write them: the text of a detection in, the rule or what is wrong with it out."""

from __future__ import annotations

from pathlib import Path

from analyzers.rules.rule import Rule, RuleSet
from analyzers.rules.sigma_file import read_rule

SAMPLES = Path(__file__).resolve().parents[3] / "docs" / "samples" / "rules"


def written(detection: str, service: str = "modbus", more: str = "") -> str:
    """The text of a rule; `detection` is indented YAML with its condition."""
    head = (
        f"title: what is looked for\nname: looked-for\nlogsource: {{product: geophone, service: {service}}}\n"
    )
    return f"{head}detection:\n{detection}\n{more}"


def selecting(comparison: str, service: str = "modbus", more: str = "") -> Rule:
    """The rule that selects by one comparison."""
    rule = read_rule(written(f"  s:\n    {comparison}\n  condition: s", service, more), "looked-for.yml")
    assert isinstance(rule, Rule), rule
    return rule


def wrong(text: str) -> list[str]:
    """What is wrong with a rule, a line each."""
    problems = read_rule(text, "wrong.yml")
    assert not isinstance(problems, Rule)
    return [problem.located("wrong.yml") for problem in problems]


def set_of(*rules: Rule) -> RuleSet:
    """A set of these rules."""
    return RuleSet(rules, "s" * 64)
