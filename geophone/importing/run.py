"""`geophone approvals import` and `geophone gateway import`: an export and a mapping in; one sorted file out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from geophone.errors import UsageProblem
from geophone.importing.mapping import APPROVAL_FIELDS, LOGIN_FIELDS, load_mapping
from geophone.importing.merging import Merged
from geophone.importing.records import Convert, approval_line, login_line
from geophone.importing.rows import Unreadable, read_rows
from sensors.whole_file import whole_file

#: What is imported -> its fields, and what a row becomes.
KINDS: Final[dict[str, tuple[dict[str, bool], Convert]]] = {
    "approvals": (APPROVAL_FIELDS, approval_line),
    "gateway": (LOGIN_FIELDS, login_line),
}
#: Rejected rows that are shown; the file beside the output lists them all.
SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of an export."""

    taken: int  #: rows that became a line, known before or not
    new: int  #: lines that the file did not have
    passed_over: int  #: rows that `where` does not want
    rejected: int
    first_rejected: tuple[str, ...]
    total: int  #: lines of the file now


def rejected_file(output: Path) -> Path:
    """Where rejected rows are listed, line and reason."""
    return output.with_name(output.name + ".rejected")


def import_file(kind: str, export: Path, mapping_file: Path, output: Path) -> Imported:
    """Import an export into a file, which keeps what it had. Raises UsageProblem."""
    fields, convert = KINDS[kind]
    mapping = load_mapping(mapping_file, fields)
    if not output.parent.is_dir() or output.is_dir():
        raise UsageProblem(f"-o {output}: name a file in a folder that exists")
    taken = passed_over = rejected = 0
    shown: list[str] = []
    with Merged() as merged, _opened(export) as source:
        if output.exists():
            merged.add_file(output)
        before = len(merged)
        with whole_file(rejected_file(output)) as reasons:
            for number, row in read_rows(source, mapping):
                try:
                    if isinstance(row, Unreadable):
                        raise row
                    line = convert(row, mapping)
                except Unreadable as reason:
                    rejected += 1
                    text = f"{number}: {reason}"
                    reasons.write(text.encode("utf-8", "replace") + b"\n")
                    if len(shown) < SHOWN:
                        shown.append(text)
                    continue
                if line is None:
                    passed_over += 1
                    continue
                taken += 1
                merged.add(line)
        if not rejected:
            rejected_file(output).unlink()
        total = len(merged)
        merged.write(output)
    return Imported(taken, total - before, passed_over, rejected, tuple(shown), total)


def _opened(export: Path) -> BinaryIO:
    try:
        return export.open("rb")
    except OSError as error:
        raise UsageProblem(f"{export}: {error.strerror or error}") from None
