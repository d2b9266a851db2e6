"""Two stations that talk over one TCP connection: who says what, after what, on any path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pcaps.lab.synth.clock import MILLISECOND, SECOND, Process
from pcaps.lab.synth.network import Host, Network
from pcaps.lab.synth.tcp import Endpoint, connection

#: How long a station thinks before it answers, if its line does not say.
THINKING_NS: Final = 2 * MILLISECOND


class Side(Enum):
    """Who opened the connection, and who was asked."""

    CLIENT = "client"
    SERVER = "server"

    @property
    def other(self) -> Side:
        """The one across."""
        return Side.SERVER if self is Side.CLIENT else Side.CLIENT


class End(Enum):
    """How a conversation ends."""

    CLIENT_CLOSES = "a FIN from the client"
    SERVER_CLOSES = "a FIN from the server"
    CLIENT_RESETS = "a RST from the client"
    STAYS_OPEN = "the capture ends first"


@dataclass(frozen=True, slots=True)
class Line:
    """Bytes that one side says, once it heard all that the other said before.

    `at_ns` is the earliest time, since the epoch; `wait_ns` how long the side thinks after what it heard.
    """

    side: Side
    data: bytes
    at_ns: int = 0
    wait_ns: int = THINKING_NS


def client(data: bytes, at_ns: int = 0, wait_ns: int = THINKING_NS) -> Line:
    """The client says this."""
    return Line(Side.CLIENT, data, at_ns, wait_ns)


def server(data: bytes, at_ns: int = 0, wait_ns: int = THINKING_NS) -> Line:
    """The server says this."""
    return Line(Side.SERVER, data, at_ns, wait_ns)


def talk(
    network: Network,
    ends: tuple[Host, int, Host, int],
    lines: Sequence[Line],
    *,
    start_ns: int,
    end: End = End.CLIENT_CLOSES,
    end_ns: int = 0,
    linger_ns: int = SECOND,
) -> Process:
    """One TCP connection; `ends` are client, its port, server and its port.

    It ends `linger_ns` after the last line, and not before `end_ns`.
    """
    yield start_ns
    ours, theirs = connection(network, *ends)
    speakers = {Side.CLIENT: ours, Side.SERVER: theirs}
    ears = {Side.CLIENT: _Ear(ours), Side.SERVER: _Ear(theirs)}

    def opened(waker: Callable[[], None]) -> None:
        ours.on_open = waker
        ours.connect()

    yield opened
    # The last step of the handshake is on its way: a server that speaks first has to have it.
    yield network.clock.now_ns + network.round_trip_ns(ends[0], ends[2], network.clock.now_ns)
    for line in lines:
        yield ears[line.side].heard_all
        yield max(line.at_ns, network.clock.now_ns + line.wait_ns)
        speakers[line.side].send(line.data)
        ears[line.side.other].expected += len(line.data)
    for ear in ears.values():
        yield ear.heard_all
    yield max(end_ns, network.clock.now_ns + linger_ns)
    if end is End.CLIENT_RESETS:
        ours.reset()
    elif end is not End.STAYS_OPEN:
        speakers[Side.CLIENT if end is End.CLIENT_CLOSES else Side.SERVER].close()


class _Ear:
    """What one end heard, and who waits until that is all."""

    def __init__(self, end: Endpoint) -> None:
        self.expected = 0
        self._heard = 0
        self._waker: Callable[[], None] | None = None
        end.on_data = self._hear

    def heard_all(self, waker: Callable[[], None]) -> None:
        """Wake when everything that was said has arrived; at once if it has."""
        if self._heard >= self.expected:
            waker()
        else:
            self._waker = waker

    def _hear(self, data: bytes) -> None:
        self._heard += len(data)
        if self._waker and self._heard >= self.expected:
            waker, self._waker = self._waker, None
            waker()
