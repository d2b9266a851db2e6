"""The end of captures that still grow: waits there for more bytes, or for another file, until it is told to stop."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from sensors.capture import Capture, captures_in, in_time_order

#: How often a file that is followed is looked at again.
_POLL_S: Final = 0.2


class Following:
    """What comes after the captures that are there: files that are new in the folder, and when to stop."""

    def __init__(self, capture: Capture) -> None:
        self._folder: Path | None = capture.path if capture.path.is_dir() else None
        self._known = {part.path for part in capture.parts}
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Wait no longer: what is there is decoded, then the run ends. May be called from a signal handler."""
        self._stopping.set()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def wait(self) -> None:
        """Until it is worth looking again, or told to stop."""
        self._stopping.wait(_POLL_S)

    def news(self) -> list[Path]:
        """Files that came into the folder since this was asked last, in the order to read them."""
        if self._folder is None:
            return []
        try:
            found = [file for file in captures_in(self._folder) if file not in self._known]
        except OSError:
            # The folder went away, or a file of it between two looks: what comes back is seen then.
            return []
        self._known.update(found)
        return in_time_order(found, follow=True)
