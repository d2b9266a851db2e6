"""One listening to one interface: a session, and the next one where the numbers of flows are used up."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from geophone.live.session import Session


class Sessions:
    """The session at hand, and what those before it came to.

    Within a session a flow's number is its own. What is remembered of flows, and of what devices usually do, begins
    anew with each, as it does when listening begins; a baseline that was kept is there from the start.
    """

    def __init__(self, begin: Callable[[], Session]) -> None:
        self._begin = begin
        self._session: Session | None = None
        self._packets = self._flows = self._findings = 0

    def __enter__(self) -> Self:
        self._session = self._begin().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.now.__exit__(kind, error, trace)

    @property
    def now(self) -> Session:
        """The one at hand."""
        if self._session is None:
            raise ValueError("no session has begun")
        return self._session

    @property
    def packets_before(self) -> int:
        """Packets of the sessions that have ended."""
        return self._packets

    @property
    def flows(self) -> int:
        """Flows of all sessions that have ended, as far as it is known of the last one."""
        return self._flows + self.now.tally.flows

    @property
    def finding_count(self) -> int:
        """Findings stored in all sessions."""
        return self._findings + self.now.finding_count

    def begin_anew(self) -> None:
        """End the session at hand, with every row stored, and begin the next. Raises StoreError."""
        ended = self.now
        ended.__exit__(None, None, None)
        self._session = self._begin().__enter__()
        self._packets += ended.tally.packets
        self._flows += ended.tally.flows
        self._findings += ended.finding_count
