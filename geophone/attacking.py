"""`geophone attack layer`: captures and a policy, a store or nothing in; a layer of the ATT&CK Navigator out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from analyzers.attack.layer import coverage_layer, findings_layer, layer_bytes, seen_in
from analyzers.findings import Finding
from geophone.errors import UsageProblem
from geophone.runner import replay
from policy.loader import load
from sensors.capture import open_capture, spooled
from sensors.whole_file import whole_file


def write_layer(
    captures: Sequence[Path], policy_file: Path | None, store_url: str | None, site: str, output: Path
) -> None:
    """Write the layer whole or not at all. Raises UsageProblem, PolicyError, CaptureUnreadable, StoreError."""
    if bool(captures) != (policy_file is not None):
        raise UsageProblem(
            "captures need a --policy, and a policy captures; name both, or --store, or neither"
        )
    if captures and store_url is not None:
        raise UsageProblem("--store: name captures or a store, not both")
    if site and store_url is None:
        raise UsageProblem("--site: chooses among the sites of a --store")
    layer = _layer(captures, policy_file, store_url, site)
    try:
        with whole_file(output) as out:
            out.write(layer_bytes(layer))
    except OSError as problem:
        raise UsageProblem(f"-o {output}: {problem.strerror or problem}") from problem
    scored = sum("score" in one for one in layer["techniques"])
    click.echo(f"{output}: {len(layer['techniques'])} techniques, {scored} of them scored")


def _layer(
    captures: Sequence[Path], policy_file: Path | None, store_url: str | None, site: str
) -> dict[str, Any]:
    if store_url is not None:
        from store.client import open_store
        from store.queries.techniques import techniques_seen

        with open_store(store_url) as store:
            return findings_layer(techniques_seen(store, site), f"store, site {site}" if site else "store")
    if policy_file is None:
        return coverage_layer()
    policy = load(policy_file)
    found: dict[str, Finding] = {}
    with ExitStack() as stack:
        opened = [stack.enter_context(spooled(open_capture(path))) for path in captures]
        for capture in opened:
            found |= {finding.id: finding for finding in replay(capture, policy).findings}
        what = ", ".join(capture.name for capture in opened)
    return findings_layer(seen_in(found.values()), what)
