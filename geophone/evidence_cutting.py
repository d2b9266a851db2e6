"""`geophone evidence cut`: a finding and a capture in; the finding's frames as a pcapng file out."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from analyzers.findings import Finding
from analyzers.slices import Slice
from geophone import __version__
from geophone.errors import UsageProblem
from geophone.finding_sources import check_id, check_source, findings_of_file, only_one
from sensors.capture import Capture, CaptureUnreadable, open_capture
from sensors.pcapng_file import PcapngFile
from sensors.raw_frames import Frame, frames_of
from sensors.whole_file import whole_file

#: Frames of several rings are this much out of order at most; files that end before are not read.
_DISORDER_NS: Final = 60_000_000_000


def cut_slice(
    finding_id: str,
    capture_path: Path,
    findings_file: Path | None,
    store_url: str | None,
    output: Path,
    around_s: int,
) -> bool:
    """Write the slice and say what is in it; whether the evidence is whole.

    Raises UsageProblem where there is no such finding or no frame of it, CaptureUnreadable, StoreError.
    """
    finding = _finding(finding_id, findings_file, store_url)
    capture = open_capture(capture_path)
    if capture.is_stream:
        raise CaptureUnreadable(
            capture_path, "is standard input, which is read once", "name a file or a folder"
        )
    same = capture.sha256 == finding.evidence.capture_sha256
    if output.exists() and any(part.path.samefile(output) for part in capture.parts or (capture,)):
        raise UsageProblem(f"-o {output}: this is the capture itself; name another file")
    slice_ = Slice(finding, same, around_s)
    try:
        with whole_file(output) as out:
            if stat.S_ISREG(os.fstat(out.fileno()).st_mode):
                # Raw traffic: for whoever cut it, nobody else.
                os.fchmod(out.fileno(), 0o600)
            file = PcapngFile(out, f"geophone {__version__}", _about(finding, capture, same, around_s))
            for frame in _frames(capture, slice_):
                said = slice_.look(frame.number, frame.ts_ns, frame.data)
                if said is not None:
                    file.add(frame, said and _comment(said, frame, capture))
            if not slice_.taken:
                raise UsageProblem(
                    f"{finding.id[:8]}: no evidence: {capture.name} has no frame of it; it was found in the capture "
                    f"with SHA-256 {finding.evidence.capture_sha256}, {_span(finding)}"
                )
    except OSError as problem:
        raise UsageProblem(f"-o {output}: {problem.strerror or problem}") from problem
    frames = f"{slice_.taken:,} frame{'' if slice_.taken == 1 else 's'}"
    if missing := slice_.missing:
        click.echo(
            f"{output}: {frames}; the evidence is partial: {' and '.join(missing)} not in {capture.name}",
            err=True,
        )
        return False
    click.echo(
        f"{output}: {frames} of {finding.kind} {finding.id[:8]}. Raw traffic: nothing in it is hidden."
    )
    return True


def _frames(capture: Capture, slice_: Slice) -> Iterator[Frame]:
    """The frames that may belong to the slice: of another capture than the judged one only those of its time."""
    if slice_.same_capture:
        yield from frames_of(capture)
        return
    parts = capture.parts
    while len(parts) > 1 and _first_ns(parts[1]) < slice_.since_ns - _DISORDER_NS:
        parts = parts[1:]
    for frame in frames_of(replace(capture, parts=parts) if parts else capture):
        yield frame
        if frame.ts_ns is not None and frame.ts_ns > slice_.until_ns + _DISORDER_NS:
            return


def _first_ns(part: Capture) -> float:
    first = next(frames_of(part), None)
    return float("inf") if first is None or first.ts_ns is None else first.ts_ns


def _finding(finding_id: str, findings_file: Path | None, store_url: str | None) -> Finding:
    check_id(finding_id)
    check_source(findings_file, store_url)
    if findings_file is not None:
        found = {finding.id: finding for finding in findings_of_file(findings_file, finding_id)}
        return found[only_one(list(found), finding_id, findings_file)]
    from store.client import open_store
    from store.queries.alerts import get_alert, ids_beginning

    url = store_url or ""
    with open_store(url) as store:
        detail = get_alert(store, only_one(list(ids_beginning(store, finding_id)), finding_id, url))
    if detail is None:
        raise UsageProblem(f"{url} has the alert {finding_id}, and its finding no more")
    return detail.finding


def _about(finding: Finding, capture: Capture, same: bool, around_s: int) -> str:
    """The comment of the whole file."""
    origin = (
        f"the judged capture, SHA-256 {finding.evidence.capture_sha256}"
        if same
        else f"not the judged capture, which has SHA-256 {finding.evidence.capture_sha256}"
    )
    return (
        f"Finding {finding.id} ({finding.kind}): {finding.title}. {finding.why}\n"
        f"{_span(finding)}; {around_s} s before and after are taken along.\n"
        f"Cut from {capture.name}: {origin}.\n"
        "Raw traffic: nothing was removed or replaced."
    )


def _comment(said: str, frame: Frame, capture: Capture) -> str:
    return f"frame {frame.number} of {capture.name}: {said}"


def _span(finding: Finding) -> str:
    return f"{_utc(finding.evidence.first_ns)} to {_utc(finding.evidence.last_ns)} UTC"


def _utc(ns: int) -> str:
    return f"{datetime.fromtimestamp(ns // 1_000_000_000, UTC):%Y-%m-%d %H:%M:%S}.{ns % 1_000_000_000:09d}"
