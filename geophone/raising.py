"""Findings of what is stored in; a record of their own beside the replay, and their alerts, out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from analyzers.findings import Finding
from geophone import __version__
from geophone.runner import canonical_bytes
from policy.loader import LoadedPolicy
from policy.named_files import NamedFile, short_names
from store.client import Store
from store.queries.history import JudgedReplay
from store.writer import ReplayOutcome, ReplayStart, ReplayWriter

if TYPE_CHECKING:
    from analyzers.given import Given


def raise_found(
    store: Store, replay: JudgedReplay, policy: LoadedPolicy, given: Given, findings: Sequence[Finding]
) -> bool:
    """Keep the findings and raise their alerts; False where the same were raised before. Raises StoreError.

    The replay that they are of stays as it is, and so does the hash of its own findings. A finding that the queue
    knows already is no second alert.
    """
    found_sha256 = hashlib.sha256(canonical_bytes(findings)).hexdigest()
    key = json.dumps(["history", replay.id, found_sha256], separators=(",", ":"))
    writer = ReplayWriter(
        store,
        ReplayStart(
            site=policy.site.id,
            capture_name=f"{replay.capture_name}, as stored",
            # No file has these findings: what was stored of a replay has them.
            capture_sha256=hashlib.sha256(key.encode()).hexdigest(),
            # A length of 0 would say that an interface is still listened to: nothing is added to this any more.
            capture_bytes=replay.capture_bytes or 1,
            policy_name=replay.policy_name,
            policy_sha256=replay.policy_sha256,
            policy_text=replay.policy_text,
            version=__version__,
            given_sha256=given.sha256,
            inputs=(NamedFile("replay", replay.id, replay.capture_sha256), *short_names(given.files)),
        ),
    )
    if writer.already_stored:
        return False
    with writer:
        writer.finish(
            findings,
            ReplayOutcome(
                first_ns=replay.first_ns,
                last_ns=replay.last_ns,
                packets=0,
                malformed_packets=0,
                flows=0,
                transactions=0,
                findings_sha256=found_sha256,
                coverage=None,
            ),
        )
    return True
