"""Imported files in; the evidence that a policy's visits are held against out, or one clear line.

The files are those that `geophone approvals import` and `geophone gateway import` write: JSON lines.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from policy.evidence import Evidence
from policy.model import Site
from policy.named_files import NamedFile, Role
from policy.problems import PolicyError, Problem

_CHUNK_BYTES: Final = 1024 * 1024
_ROLES: Final[tuple[Role, ...]] = ("approvals", "gateway_log")


def load_evidence(
    site: Site, folder: Path, approvals: Path | None = None, gateway_log: Path | None = None
) -> Evidence:
    """Read what is named, else what the policy names beside itself. Raises PolicyError."""
    named = site.evidence
    approvals = approvals or (folder / named.approvals if named.approvals else None)
    gateway_log = gateway_log or (folder / named.gateway_log if named.gateway_log else None)
    if approvals is None and gateway_log is None:
        return Evidence()
    # A policy without imported files is checked without the column engine.
    from policy.evidence_rows import UnreadableError, read_approvals, read_logins

    hashes = [_sha256(file) if file else "" for file in (approvals, gateway_log)]
    try:
        rows = read_approvals(approvals) if approvals else None
        logins = read_logins(gateway_log) if gateway_log else None
    except UnreadableError as error:
        repair = f"this is not what `geophone {error.command} import` writes; import it with a mapping"
        raise _refused(error.file, repair) from None
    known = [rule.id for rule in site.remote_access]
    ours = rows.filter(rows["rule"].is_in(known)) if rows is not None else None
    return Evidence(
        sha256=hashlib.sha256(json.dumps(hashes).encode()).hexdigest(),
        approvals=ours,
        logins=logins,
        files=tuple(
            NamedFile(role, str(file), digest)
            for role, file, digest in zip(_ROLES, (approvals, gateway_log), hashes, strict=True)
            if file
        ),
        of_other_rules=rows.height - ours.height if rows is not None and ours is not None else 0,
    )


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    try:
        with file.open("rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise _refused(file, f"cannot be read: {error.strerror or error}") from None
    return digest.hexdigest()


def _refused(file: Path, message: str) -> PolicyError:
    return PolicyError(str(file), [Problem(0, "", message)])
