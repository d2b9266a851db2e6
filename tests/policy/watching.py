"""A check of whole captures, fed with rows: in one batch, or cut to pieces."""

from __future__ import annotations

import polars as pl

from analyzers.conversations import Conversations
from policy.checks.base import CaptureCheck
from policy.judged import judge
from policy.zoning import CompiledSite
from tests.policy.factories import Wire


def watched(check: CaptureCheck, site: CompiledSite, wire: Wire) -> pl.DataFrame:
    """What the check makes of the rows; the same, whether they come at once or one a batch."""
    whole = check.watch(site)
    whole.feed(wire.judged(site))
    pieces, conversations = check.watch(site), Conversations(site)
    for name, batch in wire.batches().items():
        for row in range(batch.num_rows):
            pieces.feed(judge(site, conversations.enrich({name: batch.slice(row, 1)})))
            pieces.violations()
    found, again = whole.violations(), pieces.violations()
    keys = ["minute", "client_ip", "server_ip", "what"]
    assert found.sort(keys).equals(again.sort(keys))
    return found
