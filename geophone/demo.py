"""`geophone demo`: the demo's sample captures replayed into an embedded store, and served."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from typing import Final

from rich.console import Console
from rich.panel import Panel

from geophone.report import print_result, summary_console
from geophone.runner import replay
from geophone.serving import serve as serve_pages
from pcaps import samples
from policy.loader import load
from sensors.capture import open_capture
from store.client import open_store

#: What the pages open with: a whole day, all zones.
_SHOWN_FIRST: Final = "shift"


def run_demo(store_url: str | None, port: int, *, serve: bool) -> None:
    """Replay the sample captures of the demo under their policies, print the summaries, then serve until Ctrl-C."""
    console = summary_console()
    with ExitStack() as stack:
        folder = store_url or stack.enter_context(tempfile.TemporaryDirectory(prefix="geophone-demo-"))
        store = stack.enter_context(open_store(folder))
        # The pages are about the site of the newest replay.
        shown = [sample for sample in samples() if sample.demo]
        for sample in sorted(shown, key=lambda one: one.name == _SHOWN_FIRST):
            console.rule(sample.title)
            result = replay(open_capture(sample.capture), load(sample.policy), store=store, threads=2)
            print_result(console, result)
        if serve:
            serve_pages(store, port, operator="local", announce=lambda url: _banner(console, url))
            console.print("Stopped.")


def _banner(console: Console, url: str) -> None:
    console.print(
        Panel(
            f"Security analyst   {url}/security/alerts\n"
            f"Network engineer   {url}/network\n"
            f"Auditor            {url}/audit\n\n"
            f"API                {url}/api/docs      Ctrl-C stops it.",
            title="Geophone is listening",
            expand=False,
        ),
        soft_wrap=True,
    )
