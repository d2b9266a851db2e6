"""Where findings are: a file of them, or a store. Errors say what to mend."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from analyzers.findings import Finding
from geophone.errors import UsageProblem


def check_source(findings_file: Path | None, store_url: str | None) -> None:
    """Raise UsageProblem unless one of both is named."""
    if (findings_file is None) == (store_url is None):
        raise UsageProblem("say where the findings are: --findings FILE or --store DIR, one of them")


def check_id(text: str) -> None:
    """Raise UsageProblem where it is no id of a finding, nor the beginning of one."""
    if not re.fullmatch(r"[0-9a-f]{8,32}", text):
        raise UsageProblem(
            f"{text}: not the id of a finding; it has 32 digits of 0-9 and a-f, the first 8 will do"
        )


def only_one(found: list[str], text: str, where: Path | str) -> str:
    """The one id that begins so. Raises UsageProblem."""
    if not found:
        raise UsageProblem(f"{where} has no finding {text}")
    if len(found) > 1:
        raise UsageProblem(f"{where} has several findings that begin with {text}: give more digits")
    return found[0]


def findings_of_file(file: Path, beginning: str = "") -> list[Finding]:
    """The findings of a file, each id once; those whose ids begin so. Raises UsageProblem."""
    try:
        lines = file.read_bytes().splitlines()
    except OSError as problem:
        raise UsageProblem(f"--findings {file}: {problem.strerror or problem}") from problem
    # a look at the bytes first: of a long file one finding is wanted
    wanted = f'"id":"{beginning}'.encode()
    try:
        findings = [Finding.model_validate_json(line) for line in lines if wanted in line or not beginning]
    except ValidationError as problem:
        raise UsageProblem(
            f"--findings {file}: not a file of findings; `geophone replay --findings FILE` writes one"
        ) from problem
    unique = {finding.id: finding for finding in findings if finding.id.startswith(beginning)}
    return list(unique.values())
