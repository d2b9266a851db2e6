"""Folders of rules and files of indicators in; what is looked for out, and what is wrong with the rest."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from geophone.errors import UsageProblem
from policy.named_files import NamedFile

if TYPE_CHECKING:
    from analyzers.given import Given
    from analyzers.indicators.loading import Loaded as LoadedIndicators
    from analyzers.rules.loading import Loaded as LoadedRules

#: What `--rules` and `--indicators` need beside the rest.
_PACKAGES = frozenset({"sigma", "stix2patterns"})


def load_given(rules: Path | None, indicators: Sequence[Path]) -> Given | None:
    """Rules and indicators; None without either. What is wrong with some of them is told and stops no other.

    Raises UsageProblem where a file or folder is not there.
    """
    if rules is None and not indicators:
        return None
    try:
        from analyzers.given import Given
        from analyzers.indicators.indicator import IndicatorSet
        from analyzers.rules.rule import RuleSet
    except ModuleNotFoundError as missing:
        raise _without(missing) from None

    files: list[NamedFile] = []
    rule_set = RuleSet((), "")
    if rules is not None:
        loaded = read_rules(rules)
        _tell(loaded.problems)
        rule_set = loaded.rules
        files += [NamedFile("rules", str(rules), rule_set.sha256)]
        files += [NamedFile("rule", rule.file, rule.sha256) for rule in rule_set.rules]
    indicator_set = IndicatorSet((), "")
    if indicators:
        taken = read_indicators(indicators)
        _tell(taken.not_taken)
        indicator_set = taken.indicators
        files += taken.files
    return Given(rule_set, indicator_set, tuple(files))


def read_rules(path: Path) -> LoadedRules:
    """The rules of a folder, or of one file. Raises UsageProblem."""
    try:
        from analyzers.rules.loading import load_rules

        return load_rules(path)
    except ModuleNotFoundError as missing:
        raise _without(missing) from None
    except OSError as problem:
        raise UsageProblem(f"--rules {path}: {problem.strerror or problem}") from problem


def read_indicators(files: Sequence[Path]) -> LoadedIndicators:
    """The indicators of files. Raises UsageProblem."""
    try:
        from analyzers.indicators.loading import load_indicators

        return load_indicators(files)
    except ModuleNotFoundError as missing:
        raise _without(missing) from None
    except OSError as problem:
        where = problem.filename or ", ".join(map(str, files))
        raise UsageProblem(f"--indicators {where}: {problem.strerror or problem}") from problem


def _without(missing: ModuleNotFoundError) -> Exception:
    if (missing.name or "").partition(".")[0] not in _PACKAGES:
        return missing
    return UsageProblem(
        "rules and indicators need packages that are not installed: pip install 'geophone[rules]', or from a folder of "
        "wheels where there is no network"
    )


def _tell(problems: Sequence[str]) -> None:
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201
