"""Findings that suppressions keep out of the open queue, counted: by site and suppression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from store.client import Store


@dataclass(frozen=True, slots=True)
class HeldBack:
    """The alerts that one suppression keeps out of the queue, and what its findings say of it."""

    site: str
    suppression: str
    alerts: int
    owner: str
    reason: str
    #: First day on which it no longer holds, ISO 8601.
    until: str


_HELD: Final = """
SELECT site, JSONExtractString(finding, 'suppression', 'id') AS suppression, uniqExact(id) AS alerts,
    any(JSONExtractString(finding, 'suppression', 'owner')) AS owner,
    any(JSONExtractString(finding, 'suppression', 'reason')) AS reason,
    any(JSONExtractString(finding, 'suppression', 'until')) AS until
FROM findings
WHERE id IN (SELECT id FROM alerts FINAL WHERE state = 'suppressed')
    AND replay IN (SELECT id FROM replays FINAL WHERE state IN ('judged', 'done'))
GROUP BY site, suppression HAVING suppression != ''
ORDER BY site, suppression
"""


def held_back(store: Store) -> list[HeldBack]:
    """What is in the state `suppressed` now; an alert that somebody reopened is not held back."""
    return [HeldBack(**row) for row in store.rows(_HELD).to_pylist()]
