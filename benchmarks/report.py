"""Results in; a Markdown table out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import Cost

_HEAD = (
    "| tool | packets | packets/CPU s | of the first | packets/s | of the first | peak MiB | what it did |\n"
    "|---|--:|--:|--:|--:|--:|--:|---|\n"
)


@dataclass(frozen=True, slots=True)
class Result:
    """One peer on one capture; `cost` is None where it could not run, and `skipped` says why."""

    capture: str
    peer: str
    work: str
    packets: int
    cost: Cost | None
    skipped: str = ""

    @property
    def packets_per_cpu_s(self) -> float | None:
        """Packets per second of CPU time."""
        return self.packets / self.cost.cpu_s if self.cost else None

    @property
    def packets_per_wall_s(self) -> float | None:
        """Packets per second of wall time."""
        return self.packets / self.cost.wall_s if self.cost else None


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{float(f'{value:.3g}'):,.0f}"


def _ratio(value: float | None, base: float | None) -> str:
    return "-" if value is None or base is None else f"{value / base:.3g}"


def markdown(rows: Sequence[Result]) -> str:
    """One capture's results: the first row is what the ratios divide by; a skipped peer gives its reason."""
    base = rows[0]
    lines = [
        f"| {row.peer} | {row.packets:,} | {_rate(row.packets_per_cpu_s)} "
        f"| {_ratio(row.packets_per_cpu_s, base.packets_per_cpu_s)} "
        f"| {_rate(row.packets_per_wall_s)} | {_ratio(row.packets_per_wall_s, base.packets_per_wall_s)} "
        f"| {row.cost.peak_rss_bytes / 2**20:,.0f} | {row.work} |\n"
        if row.cost
        else f"| {row.peer} | | | | | | | not measured: {row.skipped} |\n"
        for row in rows
    ]
    return f"## {base.capture}\n\n{_HEAD}{''.join(lines)}"
