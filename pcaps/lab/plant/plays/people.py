"""What people and programs do at the plant: its normal day, and what should not happen there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pcaps.lab.plant.layout import address
from pcaps.lab.plant.plays.base import SSH, Scenario, Task, Tasks, modbus_poll, publisher
from pcaps.lab.plant.services import SERVICES
from pcaps.lab.plant.stations.names import ACCOUNT, KEYS, OLD_PORT, PASSWORD

_MODBUS: Final = ("modbus-server",)
_OPCUA: Final = ("opcua-server",)
_MQTT: Final = ("broker",)
_SSH: Final = ("ssh",)

#: Holding registers from 100 on are setpoints.
_READ_SETPOINTS: Final = [3, 100, 20]
_SET: Final = [[6, 110, [900]], [16, 100, [1450, 1455, 620, 75]]]


def _ask(station: str, server: str, questions: list[list[Any]], after_s: float = 0.0) -> Task:
    return Task(station, "modbus-ask", {"server": address(server), "questions": questions}, after_s)


def _opcua(station: str, name: str, steps: list[str], after_s: float = 0.0, **more: Any) -> Task:
    options = {"server": address("ua1"), "steps": steps, "name": name, "folder": KEYS, **more}
    return Task(station, "opcua-client", options, after_s)


def _mqtt(station: str, program: str, after_s: float = 0.0, **more: Any) -> Task:
    return Task(station, program, {"server": address("broker1"), **more}, after_s)


def _login(station: str, host: str, through: str = "", after_s: float = 0.0) -> Task:
    # A few lines each way, as somebody who looks around.
    command = "for i in 1 2 3; do uptime; sleep 0.3; done"
    return Task(station, SSH, {"host": host, "through": through, "command": command}, after_s)


def _subscriber(seconds: float) -> Task:
    return _mqtt(
        "sub1", "mqtt-subscribe", client_id="sub1", topics=["lab/edge1/#"], qos=1, seconds=seconds - 1
    )


def _day(seconds: float) -> Sequence[Task]:
    """Everybody does what the policy lets them do."""
    return [
        modbus_poll("scada1", "plc1", seconds, 1000, [[3, 0, 20], [4, 0, 16]]),
        modbus_poll("scada1", "plc2", seconds, 2000, [[4, 0, 16]]),
        _ask("ews1", "plc1", [_READ_SETPOINTS, *_SET, _READ_SETPOINTS], after_s=seconds / 3),
        _opcua("ua-client1", "ua-client1", ["poll"], seconds=seconds / 2, encrypt=True),
        _opcua(
            "ua-client1", "ua-trends", ["subscribe"], after_s=seconds / 2, seconds=seconds / 3, encrypt=True
        ),
        publisher(seconds, 0, period_ms=1000),
        publisher(seconds, 1, "5", period_ms=1000),
        publisher(seconds, 2, period_ms=2000),
        _subscriber(seconds),
        _login("vendor1", "ews1", through="jump1", after_s=seconds / 4),
    ]


def _unauthorised_write(_: float) -> Sequence[Task]:
    """The SCADA server, whose rule lets it read, writes a setpoint; the office comes straight in and writes, too."""
    return [
        _ask("scada1", "plc1", [[3, 0, 20], *_SET]),
        _ask("office1", "plc1", [[3, 100, 20], [16, 100, [3000, 3000, 2000, 500]]], after_s=1),
    ]


def _certificate_change(_: float) -> Sequence[Task]:
    """The same application comes twice, each time with a certificate that was made anew."""
    return [
        _opcua("ua-client1", "ua-client1", ["read"], encrypt=True),
        _opcua("ua-client1", "ua-client1", ["read"], after_s=3, encrypt=True),
    ]


def _same_name(seconds: float) -> Sequence[Task]:
    return [_subscriber(seconds), _mqtt("office1", "mqtt-same-name", after_s=1, client_id="edge1-q1")]


def _wildcard(seconds: float) -> Sequence[Task]:
    return [
        publisher(seconds, 1, period_ms=500),
        _mqtt(
            *("office1", "mqtt-subscribe"),
            client_id="curious",
            topics=["#", "$SYS/#"],
            qos=0,
            seconds=seconds - 1,
            version="3.1.1",
        ),
    ]


def _passwordless(seconds: float) -> Sequence[Task]:
    """One publisher without a user, and one with its password in clear."""
    options: dict[str, Any] = {"topic": "lab/office", "qos": 1, "seconds": 2, "period_ms": 500}
    return [
        _mqtt("office1", "mqtt-publish", client_id="nameless", **options),
        _mqtt("office1", "mqtt-publish", client_id="named", user=ACCOUNT, password=PASSWORD, **options),
    ]


def _will(seconds: float) -> Sequence[Task]:
    return [
        _subscriber(seconds),
        _mqtt(
            *("edge1", "mqtt-last-words"),
            after_s=1,
            client_id="edge1-watch",
            topic="lab/edge1/state",
            payload="gone",
        ),
    ]


def _one(task: Task) -> Tasks:
    return lambda _: [task]


PEOPLE: Final = (
    Scenario(
        "day",
        "the day's normal: every service, every zone",
        """The control room polls, engineering sets setpoints that its rule allows, OPC UA is read and watched over
        encrypted channels, the edge station publishes at QoS 0 to 2, a vendor logs in through the jump host.""",
        SERVICES,
        _day,
        20.0,
    ),
    Scenario(
        "unauthorised-write",
        "Modbus writes that no rule allows",
        """The SCADA server, whose rule only lets it read, writes setpoints; an office workstation opens Modbus
        straight to the controller and writes, too. The controller confirms both.""",
        _MODBUS,
        _unauthorised_write,
        4.0,
    ),
    Scenario(
        "opcua-anonymous",
        "an OPC UA session without a name, on a channel without protection",
        "A client reads a value: no name, no signature, no encryption.",
        _OPCUA,
        _one(_opcua("ua-client1", "ua-client1", ["read"])),
        3.0,
    ),
    Scenario(
        "opcua-password",
        "an OPC UA password in clear",
        "A client gives its name and password to an old server without a certificate: both cross the wire as they are.",
        _OPCUA,
        _one(_opcua("ua-client1", "ua-client1", ["read"], port=OLD_PORT, user=ACCOUNT, password=PASSWORD)),
        3.0,
    ),
    Scenario(
        "opcua-write",
        "an OPC UA write by a client that has no name",
        "A client without a name writes the level of a tank.",
        _OPCUA,
        _one(_opcua("ews1", "ews1", ["read", "write"])),
        3.0,
    ),
    Scenario(
        "opcua-call",
        "an OPC UA method that is called",
        "A client without a name calls a method that resets a tank.",
        _OPCUA,
        _one(_opcua("ews1", "ews1", ["call"])),
        3.0,
    ),
    Scenario(
        "opcua-browse",
        "a walk through an OPC UA server's nodes",
        "A client walks down from Objects, three levels, as one does who looks for what there is.",
        _OPCUA,
        _one(_opcua("office1", "explorer", ["browse"])),
        4.0,
    ),
    Scenario(
        "opcua-certificate",
        "an OPC UA application whose certificate changes",
        "The same application opens an encrypted channel twice, with two certificates.",
        _OPCUA,
        _certificate_change,
        6.0,
    ),
    Scenario(
        "mqtt-anonymous",
        "MQTT without a name, and with a password in clear",
        "Two clients publish from the office: one without a name, one with its name and password in clear.",
        _MQTT,
        _passwordless,
        4.0,
    ),
    Scenario(
        "mqtt-wildcard",
        "somebody who subscribes to everything",
        "An office client subscribes to # and $SYS/#, and gets what the edge station publishes.",
        _MQTT,
        _wildcard,
        5.0,
    ),
    Scenario(
        "mqtt-same-name",
        "two MQTT clients with one identifier",
        "A second client comes under the edge station's identifier; the broker closes the first.",
        _MQTT,
        _same_name,
        4.0,
    ),
    Scenario(
        "mqtt-will",
        "the last will of an MQTT client",
        "A client dies without a goodbye, and the broker publishes its retained will.",
        _MQTT,
        _will,
        4.0,
    ),
    Scenario(
        "ssh-jump",
        "a vendor who logs in through the jump host",
        "A vendor reaches the engineering station through the jump host, as agreed.",
        _SSH,
        _one(_login("vendor1", "ews1", through="jump1")),
        4.0,
    ),
    Scenario(
        "ssh-past",
        "a vendor who logs in past the jump host",
        "A vendor logs in straight to the controller's own SSH server.",
        _SSH,
        _one(_login("vendor1", "plc1")),
        4.0,
    ),
)
