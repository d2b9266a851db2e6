"""What the stored findings say of each technique of ATT&CK for ICS."""

from __future__ import annotations

from analyzers.attack.layer import Seen
from store.client import Store

# a finding counts once, however many replays found it
_SEEN = """
SELECT technique,
    countIf(is_sure AND NOT suppressed) AS asserted,
    countIf(NOT is_sure AND NOT suppressed) AS possible,
    countIf(suppressed) AS suppressed_ones,
    maxIf(severity, NOT suppressed) AS severity,
    arraySort(groupUniqArray(kind)) AS kinds,
    min(first_ns) AS first_ns,
    max(last_ns) AS last_ns
FROM
(
    SELECT id, any(kind) AS kind, any(severity) AS severity, any(techniques) AS sure,
        any(JSONExtract(finding, 'possible_techniques', 'Array(String)')) AS maybe,
        any(JSONExtractString(finding, 'suppression', 'id') != '') AS suppressed,
        min(toUnixTimestamp64Nano(first_ts)) AS first_ns, max(toUnixTimestamp64Nano(last_ts)) AS last_ns
    FROM findings
    WHERE replay IN (SELECT id FROM replays FINAL WHERE state IN ('judged', 'done'))
        AND ({site:String} = '' OR site = {site:String})
    GROUP BY id
)
ARRAY JOIN arrayDistinct(arrayConcat(sure, maybe)) AS technique,
    arrayMap(t -> has(sure, t), arrayDistinct(arrayConcat(sure, maybe))) AS is_sure
GROUP BY technique
ORDER BY technique
"""


def techniques_seen(store: Store, site: str = "") -> dict[str, Seen]:
    """What the findings of every finished replay say of each technique, of one site or of all."""
    return {
        row["technique"]: Seen(
            asserted=row["asserted"],
            possible=row["possible"],
            suppressed=row["suppressed_ones"],
            severity=row["severity"],
            kinds=tuple(row["kinds"]),
            first_ns=row["first_ns"],
            last_ns=row["last_ns"],
        )
        for row in store.rows(_SEEN, {"site": site}).to_pylist()
    }
