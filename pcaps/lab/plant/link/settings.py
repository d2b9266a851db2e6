"""What the link does to frames, in each direction."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

#: Towards the control zone's switch, and from it towards the router.
TO_CONTROL: Final = "to control"
TO_ROUTER: Final = "to router"


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of the link. Frames keep their order."""

    delay_ms: float = 0.0
    #: Uniform, to either side of the delay.
    jitter_ms: float = 0.0
    #: Share of frames that are dropped, 0 to 1; ARP never is.
    loss: float = 0.0


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Both directions, and the seed of every draw."""

    to_control: Direction = Direction()
    to_router: Direction = Direction()
    seed: int = 1

    def of(self, direction: str) -> Direction:
        """The settings of one direction."""
        return self.to_control if direction == TO_CONTROL else self.to_router


def both(*, delay_ms: float = 0.0, jitter_ms: float = 0.0, loss: float = 0.0) -> LinkSettings:
    """The same in either direction."""
    way = Direction(delay_ms, jitter_ms, loss)
    return LinkSettings(way, way)


def write_order(order: Path, settings: LinkSettings, truth: Path) -> None:
    """Leave an order for the emulator, whole or not at all: what to do from now on, and where to write it down."""
    text = json.dumps({"settings": asdict(settings), "truth": str(truth)})
    waiting = order.with_suffix(".new")
    waiting.write_text(text)
    waiting.replace(order)


def read_order(order: Path) -> tuple[LinkSettings, Path]:
    """The order that was left. Raises OSError, ValueError."""
    said = json.loads(order.read_text())
    given = said["settings"]
    settings = LinkSettings(
        Direction(**given["to_control"]), Direction(**given["to_router"]), int(given["seed"])
    )
    return settings, Path(os.fspath(said["truth"]))
