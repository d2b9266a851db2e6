"""What a replay is judged by beside its capture and its policy: the files, as they are kept with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analyzers.baseline.comparing import Baseline
from policy.loader import LoadedPolicy
from policy.named_files import NamedFile, short_names

if TYPE_CHECKING:
    from analyzers.given import Given


def judged_by(
    policy: LoadedPolicy, given: Given | None, baseline: Baseline | None, baseline_file: Path | None
) -> tuple[NamedFile, ...]:
    """The baseline (of a file, or the store's), imported files, rules and indicators; empty without any."""
    files: list[NamedFile] = []
    if baseline is not None:
        # The store's has no file: its name is the one that it is offered under.
        name = str(baseline_file) if baseline_file is not None else f"{baseline.site}.baseline"
        files.append(NamedFile("baseline", name, baseline.sha256))
    files += policy.evidence.files
    files += given.files if given is not None else ()
    return short_names(tuple(files))
