"""Results in; a picture of the rates out (SVG): a panel for each capture, a bar for each tool, logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from benchmarks.report import Result

#: Ours, and everybody else.
_OURS, _PEERS = "#2563eb", "#94a3b8"


def svg(results: Sequence[Result], machine: str) -> str:
    """The picture as text; the same results give the same bytes."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.fonttype"] = "none"
    mpl.rcParams["svg.hashsalt"] = "geophone"  # without it, ids differ from run to run
    from matplotlib.figure import Figure

    captures = list(dict.fromkeys(result.capture for result in results))
    figure = Figure(figsize=(9, 0.6 + 2.6 * len(captures)), layout="constrained")
    panels = figure.subplots(len(captures), 1, sharex=True, squeeze=False)[:, 0]
    for panel, capture in zip(panels, captures, strict=True):
        rates = {
            result.peer: rate
            for result in reversed(results)
            if result.capture == capture and (rate := result.packets_per_cpu_s)
        }
        colours = [_OURS if name.startswith("geophone") else _PEERS for name in rates]
        bars = panel.barh(list(rates), list(rates.values()), color=colours)
        panel.bar_label(bars, [f" {rate:,.0f}" for rate in rates.values()], fontsize=8)
        panel.set_xscale("log")
        panel.set_title(capture, loc="left", fontsize=10)
        panel.tick_params(labelsize=8)
        panel.margins(x=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel(f"packets per CPU second, logarithmic; {machine}", fontsize=8)
    text = StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"
