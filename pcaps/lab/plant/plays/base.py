"""What a scenario is: who does what and when, what the link does meanwhile, and what is recorded of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pcaps.lab.plant.layout import SPAN_CONTROL, SPAN_ROUTER, address
from pcaps.lab.plant.link.settings import LinkSettings

#: The program of a task that is `ssh` itself, not one of the stations' own.
SSH: Final = "ssh"


@dataclass(frozen=True, slots=True)
class Task:
    """One program of one station."""

    station: str
    program: str
    options: dict[str, Any]
    #: After the scenario's start.
    after_s: float = 0.0


#: What is done in a scenario of so many seconds.
Tasks = Callable[[float], Sequence[Task]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing that can be played and recorded."""

    name: str
    #: Finishes "a recording of …".
    title: str
    story: str
    services: tuple[str, ...]
    tasks: Tasks
    seconds: float
    link: LinkSettings = field(default_factory=LinkSettings)
    spans: tuple[str, ...] = (SPAN_ROUTER,)
    #: Share of the frames that are taken out of the recording, as a SPAN port that is too slow does.
    removed_share: float = 0.0
    #: Whether `lab truth` holds the sensor's measurements against it.
    measured: bool = False
    #: Servers that only this scenario has: ready before the recording begins, ended after it.
    servers: tuple[Task, ...] = ()


#: The taps of a scenario whose faults lie on the link: one before it, one behind it.
BOTH_ENDS: Final = (SPAN_ROUTER, SPAN_CONTROL)


def streams(seconds: float) -> Task:
    """Data both ways and new connections, from the control room to the edge station across the link."""
    return Task(
        "scada1",
        "stream-client",
        {"server": address("edge1"), "seconds": seconds, "period_ms": 10, "knock_ms": 40},
    )


def polls(seconds: float) -> list[Task]:
    """The control room polls both controllers."""
    return [
        modbus_poll("scada1", "plc1", seconds, 100, [[3, 0, 20], [4, 0, 16]]),
        modbus_poll("scada1", "plc2", seconds, 250, [[3, 40, 10]]),
    ]


def modbus_poll(
    station: str, server: str, seconds: float, period_ms: float, questions: list[list[Any]]
) -> Task:
    """A Modbus client that asks the same again and again."""
    options = {
        "server": address(server),
        "seconds": seconds,
        "period_ms": period_ms,
        "questions": questions,
    }
    return Task(station, "modbus-poll", options)


def publisher(seconds: float, qos: int, version: str = "3.1.1", period_ms: float = 250) -> Task:
    """The edge station publishes to the broker, towards the router."""
    options = {
        "server": address("broker1"),
        "client_id": f"edge1-q{qos}",
        "topic": f"lab/edge1/q{qos}",
        "qos": qos,
        "seconds": seconds,
        "period_ms": period_ms,
        "version": version,
    }
    return Task("edge1", "mqtt-publish", options)
