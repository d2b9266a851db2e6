"""`geophone sensor`: a network interface in; a live status, decoded tables, a recording and a closing summary out."""

from __future__ import annotations

import json
import os
import pwd
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from geophone.errors import UsageProblem
from geophone.stopping import asked_to_stop
from geophone.tally import Tally
from sensors import privileges
from sensors.decode import Format
from sensors.engine import EngineLimits
from sensors.interface import InterfaceUnusable, NetworkInterface, find_interface, refuse_unusable
from sensors.live import Listener, Listening
from sensors.renumbering import NumberedAnew
from sensors.table_files import TableFiles, rehearse

#: How often a terminal's status line is written anew, and a log's.
_STATUS_S: Final = 1.0
_LOG_S: Final = 60.0

#: Tables of which a row is an operation that somebody asked for.
_TRANSACTIONS: Final = ("modbus", "opcua", "mqtt", "operations")

#: How often an interface that is not there yet is looked for.
_LOOK_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorOptions:
    """What `geophone sensor` was asked for."""

    listening: Listening
    out: Path | None = None
    file_format: str = "parquet"
    every_s: float = 60
    user: str | None = None
    duration_s: float | None = None
    allow_address: bool = False
    as_json: bool = False
    limits: EngineLimits | None = None


def listen(options: SensorOptions) -> int:
    """Listen until asked to stop; the exit status: 0, or 2 where the interface was lost.

    The caller has renounced new privileges (`sensors.privileges`). Raises UsageProblem, InterfaceUnusable,
    PrivilegesKept.
    """
    how = options.listening
    interface = _interface(options)
    user = privileges.target_user(options.user)
    folders = _prepared_folders(options, user)
    listener = Listener(how, options.limits)
    # What root installed, another user may not be able to read later on.
    rehearse(Format(options.file_format))
    # From here on as nobody, before the first byte of the network is looked at.
    privileges.drop(user)
    os.umask(0o077)
    _refuse_unwritable(folders)
    with asked_to_stop(listener.stop):
        listener.start()
        _say(_opening(how, interface))
        session = _Session(options, listener)
        session.run()
    session.print_summary()
    return 2 if listener.lost() else 0


def _interface(options: SensorOptions) -> NetworkInterface:
    """The interface, waited for where that is wanted."""
    how = options.listening
    told = False
    while True:
        try:
            interface = find_interface(how.interface)
        except InterfaceUnusable:
            if not how.wait:
                raise
            if not told:
                _say(f"{how.interface}: no such interface yet; waiting for it")
            told = True
            time.sleep(_LOOK_S)
            continue
        refuse_unusable(interface, allow_address=options.allow_address, wait=how.wait)
        return interface


def _prepared_folders(options: SensorOptions, user: pwd.struct_passwd | None) -> list[tuple[str, Path]]:
    """The folders to write to, made where they are missing, for the user that will write there."""
    recording = options.listening.recording
    wanted = [("--out", options.out), ("--write", recording.folder if recording else None)]
    folders = [(option, folder) for option, folder in wanted if folder is not None]
    for option, folder in folders:
        try:
            if not folder.exists():
                folder.mkdir(mode=0o700, parents=True)
                if user is not None and os.geteuid() == 0:
                    os.chown(folder, user.pw_uid, user.pw_gid)
        except OSError as error:
            raise UsageProblem(f"{option} {folder}: {error.strerror or error}") from error
        if not folder.is_dir():
            raise UsageProblem(f"{option} {folder}: this is no folder; name one")
    return folders


def _refuse_unwritable(folders: list[tuple[str, Path]]) -> None:
    """Checked as the user that writes: what root may do says nothing."""
    for option, folder in folders:
        if not os.access(folder, os.W_OK | os.X_OK):
            who = pwd.getpwuid(os.geteuid()).pw_name
            raise UsageProblem(
                f"{option} {folder}: {who} may not write there; chown {who} {folder}, or name another --user"
            )


def _opening(how: Listening, interface: NetworkInterface) -> str:
    try:
        who = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        who = str(os.geteuid())
    rings = f"{how.rings} rings" if how.rings > 1 else "a ring"
    lines = [
        f"listening to {how.interface}: {rings} of {how.ring_mib} MiB, as {who} without privileges; Ctrl-C ends"
    ]
    if interface.addresses and not interface.is_loopback:
        lines.append(
            f"{how.interface}: has the address {', '.join(interface.addresses)}: this machine may send on it"
        )
    if interface.joins_frames_by:
        name, joins = how.interface, interface.joins_frames_by
        switch = " ".join(f"{offload} off" for offload in joins)
        lines.append(
            f"{name}: {' and '.join(joins)} may join frames before they are seen, which blurs sizes and times: "
            f"ethtool -K {name} {switch}"
        )
    return "\n".join(lines)


class _Session:
    """One run of the sensor: what came of it so far."""

    def __init__(self, options: SensorOptions, listener: Listener) -> None:
        self._options = options
        self._listener = listener
        self._tables = (
            TableFiles(options.out, Format(options.file_format), options.every_s) if options.out else None
        )
        self._rows: Counter[str] = Counter()
        self._tally = Tally()
        self._started_s = time.monotonic()
        self._is_terminal = sys.stderr.isatty()
        self._told_s = self._started_s
        self._told_packets = 0
        self._told: set[str] = set()

    def run(self) -> None:
        """Until the listener ends: rows to their files, the state to the terminal."""
        for batches in self._listener.batches(_STATUS_S / 2):
            if isinstance(batches, NumberedAnew):
                self._begin_anew()
                continue
            for name, batch in batches.items():
                self._rows[name] += batch.num_rows
            self._tally.add(batches)
            if self._tables is not None:
                self._tables.add(batches)
            self._tell_state()
            duration_s = self._options.duration_s
            if duration_s is not None and time.monotonic() - self._started_s >= duration_s:
                self._listener.stop()
        if self._tables is not None:
            self._tables.flush()
        self._tell_once(self._listener.lost())
        self._tell_troubles()

    def _begin_anew(self) -> None:
        """The numbers of flows are used up: no file may hold two flows of one number."""
        where = f"; rows from now on are in {self._tables.begin_anew()}" if self._tables is not None else ""
        self._tell(f"the numbers of flows are used up: open flows were ended, and are numbered anew{where}")

    def _tell_state(self) -> None:
        now_s = time.monotonic()
        passed_s = now_s - self._told_s
        if passed_s < (_STATUS_S if self._is_terminal else _LOG_S):
            return
        counts = self._listener.counters()
        rate = (counts["packets"] - self._told_packets) / passed_s
        self._told_s, self._told_packets = now_s, counts["packets"]
        self._tell_troubles()
        words = [
            time.strftime("%H:%M:%SZ", time.gmtime()),
            f"{counts['packets']:,} packets ({rate:,.0f}/s)",
            f"{counts['dropped_packets']:,} dropped",
            f"{self._rows['flow_starts']:,} flows",
            f"{sum(self._rows[name] for name in _TRANSACTIONS):,} transactions",
        ]
        if self._options.listening.recording:
            words.append(f"{counts['recorded_packets']:,} recorded")
        if counts["interface_down"]:
            words.append("interface down, waiting")
        line = " · ".join(words)
        _say(f"\r\x1b[K{line}" if self._is_terminal else line, newline=not self._is_terminal)

    def _tell_troubles(self) -> None:
        self._tell_once(self._listener.trouble())
        if self._tables is not None:
            self._tell_once(self._tables.trouble)
        if self._listener.counters()["own_packets"]:
            self._tell_once(
                f"{self._options.listening.interface}: this machine itself sends on it; its packets are left out"
            )

    def _tell_once(self, text: str) -> None:
        if text and text not in self._told:
            self._told.add(text)
            self._tell(text)

    def _tell(self, text: str) -> None:
        _say(f"\r\x1b[K{text}" if self._is_terminal else text)

    def _summary(self) -> dict[str, Any]:
        """Everything that came of it, by name; times in seconds."""
        counts = self._listener.counters()
        hardware, all_packets = counts["hardware_timestamps"], counts["packets"]
        return {
            "interface": self._options.listening.interface,
            "ended_by": self._listener.lost() or "request",
            "duration_s": round(time.monotonic() - self._started_s, 3),
            **counts,
            "timestamps": "hardware"
            if hardware and hardware == all_packets
            else "mixed"
            if hardware
            else "software",
            "coverage": self._tally.coverage,
            "rows": dict(self._rows),
            "rows_written": dict(self._tables.rows_written) if self._tables else {},
            "rows_lost": dict(self._tables.rows_lost) if self._tables else {},
        }

    def print_summary(self) -> None:
        """On standard output, for people or as JSON."""
        if self._is_terminal:
            _say("\r\x1b[K", newline=False)
        summary = self._summary()
        if self._options.as_json:
            print(json.dumps(summary))  # noqa: T201
            return
        for label, value in _told(summary, self._options):
            print(f"{label:<14}{value}")  # noqa: T201


def _told(summary: Mapping[str, Any], options: SensorOptions) -> list[tuple[str, str]]:
    """The summary's lines: label and value."""
    coverage = summary["coverage"]
    times = f", {summary['full_ring']:,} times a full ring" if summary["full_ring"] else ""
    lines = [
        ("Interface", f"{summary['interface']}, {summary['duration_s']:.1f} s"),
        (
            "Packets",
            f"{summary['packets']:,}, {summary['wire_bytes']:,} bytes, {summary['timestamps']} timestamps",
        ),
        ("Dropped", f"{summary['dropped_packets']:,} by the kernel{times}"),
        ("Coverage", "no data" if coverage is None else f"{coverage:.4%} of the packets were seen"),
        ("Rows", _counted(summary["rows"])),
    ]
    if options.listening.recording is not None:
        lost = f", {summary['unrecorded_packets']:,} not recorded" if summary["unrecorded_packets"] else ""
        removed = f", {summary['removed_files']:,} oldest removed" if summary["removed_files"] else ""
        recorded = f"{summary['recorded_packets']:,} packets in {summary['recorded_files']:,} files"
        lines.append(("Recorded", f"{recorded}{removed}{lost} in {options.listening.recording.folder}"))
    if options.out is not None:
        lost = f"; lost: {_counted(summary['rows_lost'])}" if summary["rows_lost"] else ""
        lines.append(("Written", f"{_counted(summary['rows_written'])} to {options.out}{lost}"))
    if summary["numbered_anew"]:
        lines.append(("Flow numbers", f"used up and begun anew {summary['numbered_anew']:,} times"))
    if summary["own_packets"]:
        lines.append(("Own packets", f"{summary['own_packets']:,} that this machine itself sent, left out"))
    if summary["mistrusted_timestamps"]:
        lines.append(("Clock", "the interface's own clock is not set: the system's was used"))
    return lines


def _counted(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in rows.items()) or "none"


def _say(text: str, *, newline: bool = True) -> None:
    """To standard error: standard output is the summary's."""
    print(text, end="\n" if newline else "", file=sys.stderr, flush=True)  # noqa: T201
