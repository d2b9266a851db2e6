"""`geophone run`: sensor, store, API and pages in one process, without privileges once the interface is open."""

from __future__ import annotations

import os
import pwd
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from analyzers.findings import Finding
from analyzers.polls.waits import Waits
from geophone.baselining import load_baseline
from geophone.errors import UsageProblem
from geophone.given import load_given
from geophone.live.rehearsal import everybody_reads_us, rehearse
from geophone.live.session import Listened, Session
from geophone.live.sessions import Sessions
from geophone.report import ends_of, forgotten, polls_without_room, suppression_text
from geophone.serving import Pages, listening_socket
from geophone.stopping import asked_to_stop
from policy.loader import load
from sensors import privileges
from sensors.engine import EngineLimits
from sensors.interface import find_interface, refuse_unusable
from sensors.live import Listener, Listening
from sensors.renumbering import NumberedAnew
from store.address import FolderAddress, parse_address
from store.baselines import stored_baseline
from store.client import open_store

#: How often the store is given a chance where nothing comes.
_IDLE_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What `geophone run` was asked for."""

    listening: Listening
    policy: Path
    approvals: Path | None = None
    gateway_log: Path | None = None
    baseline: Path | None = None
    store: str
    port: int = 8642
    operator: str = "local"
    user: str | None = None
    allow_address: bool = False
    limits: EngineLimits | None = None
    rules: Path | None = None
    indicators: tuple[Path, ...] = ()


def run(options: RunOptions) -> int:
    """Listen, judge, store and serve until asked to stop; the exit status: 0, or 2 where the interface was lost.

    The caller has renounced new privileges (`sensors.privileges`). Raises the errors that a user can cause.
    """
    policy = load(options.policy, options.approvals, options.gateway_log)
    given = load_given(options.rules, options.indicators)
    baseline = load_baseline(options.baseline, policy) if options.baseline is not None else None
    how = options.listening
    interface = find_interface(how.interface)
    refuse_unusable(interface, allow_address=options.allow_address, wait=how.wait)
    user = privileges.target_user(options.user)
    folder = _prepared_folder(options.store, user)
    pages = Pages(listening_socket(options.port))
    listener = Listener(how, options.limits)
    if user is not None and user.pw_uid != os.geteuid() and not everybody_reads_us():
        rehearse()
    # From here on as nobody, before the first byte of the network is looked at.
    privileges.drop(user)
    os.umask(0o077)
    _refuse_unwritable(folder)
    with (
        open_store(options.store) as store,
        Sessions(
            lambda: Session(
                Listened(how.interface, time.time_ns()),
                policy,
                store,
                given,
                baseline or stored_baseline(store, policy.site.id),
                options.baseline,
                Waits(options.limits),
            )
        ) as sessions,
    ):
        work = _Work(listener, sessions, pages)
        # Before uvicorn listens to the same signals, and after it.
        with asked_to_stop(pages.stop):
            listener.start()
            work.start()
            say(f"listening to {how.interface} under {policy.name}; {pages.url}; Ctrl-C ends")
            say(sessions.now.compared)
            pages.serve(store, options.operator)
        listener.stop()
        work.join()
        if work.error is not None:
            raise work.error
        if trouble := listener.lost():
            say(trouble)
    counts = listener.counters()
    say(
        f"{counts['packets']:,} packets, {counts['dropped_packets']:,} dropped, {sessions.flows:,} flows, "
        f"{sessions.finding_count:,} findings; stored in {options.store}"
    )
    _say_what_was_suppressed(sessions.now)
    return 2 if listener.lost() else 0


class _Work(threading.Thread):
    """Takes what the interface brings, until it brings no more."""

    def __init__(self, listener: Listener, sessions: Sessions, pages: Pages) -> None:
        super().__init__(name="geophone-session")
        self._listener, self._sessions, self._pages = listener, sessions, pages
        #: What ended it before its time.
        self.error: BaseException | None = None

    def run(self) -> None:
        """The thread's own."""
        told = set[str]()
        try:
            for batches in self._listener.batches(_IDLE_S):
                if isinstance(batches, NumberedAnew):
                    self._begin_anew()
                    continue
                session = self._sessions.now
                packets = self._listener.counters()["packets"] - self._sessions.packets_before
                for finding in session.feed(batches, packets):
                    say(told_of(finding))
                for detection, count in session.evicted.items():
                    if detection not in told:
                        told.add(detection)
                        say(forgotten(detection, count))
                if session.polls_without_room and "polls" not in told:
                    told.add("polls")
                    say(polls_without_room(session.polls_without_room))
                if (trouble := self._listener.trouble()) and trouble not in told:
                    told.add(trouble)
                    say(trouble)
        except BaseException as error:
            self.error = error
            self._listener.stop()
        finally:
            # The interface is gone, or the store is: pages that do not move would look like peace.
            self._pages.stop()

    def _begin_anew(self) -> None:
        """No two flows of a session may have one number: the session ends, and another begins."""
        ended = self._sessions.now
        self._sessions.begin_anew()
        say(
            f"the numbers of flows are used up ({ended.tally.flows:,} flows): this session was ended, and another one "
            "begun; flows that go on are counted in both"
        )
        _say_what_was_suppressed(ended)
        say(self._sessions.now.compared)


def _say_what_was_suppressed(session: Session) -> None:
    for use in session.suppressions:
        say(suppression_text(use))


def told_of(finding: Finding) -> str:
    """A finding in a line of the log."""
    at = time.strftime("%H:%M:%SZ", time.gmtime(finding.first_ns // 1_000_000_000))
    under = f" (under suppression {finding.suppression.id})" if finding.suppression else ""
    return f"{at} {finding.severity.word} {finding.kind} {finding.title}: {ends_of(finding)}{under}"


def say(text: str) -> None:
    """To standard error, at once."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def _prepared_folder(url: str, user: pwd.struct_passwd | None) -> Path | None:
    """The folder of an embedded store, made where it is missing, for the user that will write there."""
    address = parse_address(url)
    if not isinstance(address, FolderAddress):
        return None
    folder = address.path
    try:
        if not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
            if user is not None and os.geteuid() == 0:
                os.chown(folder, user.pw_uid, user.pw_gid)
    except OSError as error:
        raise UsageProblem(f"--store {folder}: {error.strerror or error}") from error
    return folder


def _refuse_unwritable(folder: Path | None) -> None:
    """Checked as the user that writes: what root may do says nothing."""
    if folder is not None and not os.access(folder, os.W_OK | os.X_OK):
        who = pwd.getpwuid(os.geteuid()).pw_name
        raise UsageProblem(
            f"--store {folder}: {who} may not write there; chown -R {who} {folder}, or name another --user"
        )
