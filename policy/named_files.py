"""A file that a judgement rests on beside capture and policy: what it is for, where it lies, and its hash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: `rules` is a folder of rules as a whole, `rule` one file of it; `replay` stands for what was stored of one: its id.
Role = Literal["baseline", "approvals", "gateway_log", "rules", "rule", "indicators", "replay"]


@dataclass(frozen=True, slots=True)
class NamedFile:
    """One file, or one folder of rules."""

    role: Role
    #: As it was given, or as it is shown: see `short_names`. A rule's is the one within its folder.
    name: str
    #: Of its bytes; of `rules` that of the set (`geophone rules check` prints it).
    sha256: str


def short_names(files: tuple[NamedFile, ...]) -> tuple[NamedFile, ...]:
    """Names without the folders before them, as far as they still tell files of one role apart.

    Which folders a machine has is nobody else's business, and a file is found by its hash.
    """
    return tuple(
        file if file.role == "rule" else NamedFile(file.role, _short(file, files), file.sha256)
        for file in files
    )


def _short(file: NamedFile, files: tuple[NamedFile, ...]) -> str:
    parts = _parts(file.name)
    others = [_parts(one.name) for one in files if one.role == file.role and one.name != file.name]
    for length in range(1, len(parts) + 1):
        if not any(other[-length:] == parts[-length:] for other in others):
            return "/".join(parts[-length:])
    return "/".join(parts)


def _parts(name: str) -> list[str]:
    return [part for part in name.split("/") if part not in ("", ".", "..")] or [name]
