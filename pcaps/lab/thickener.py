"""The thickener's OPC UA server and the reagents' one: their nodes, their keys, and who talks to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pcaps.lab.mine_a_remote import DAY_NS, MineARemote
from pcaps.lab.site import MORNING_NS
from pcaps.lab.synth.dialogue import End
from pcaps.lab.synth.keys import Identity, identity
from pcaps.lab.synth.opcua import PORT, Application, Conversation, Node, Security, Server
from pcaps.lab.synth.opcua.applications import Value
from pcaps.lab.synth.opcua.stack import ua
from pcaps.lab.synth.opcua.transport import BUFFER

_MADE_NS: Final = MORNING_NS - 200 * DAY_NS
_DAYS: Final = 1_825
_VARIABLES: Final = (
    "Torque",
    "TorqueLimit",
    "BedLevel",
    "BedPressure",
    "UnderflowDensity",
    "UnderflowFlow",
    "RakeHeight",
    "RakeSpeed",
    "FlocculantFlow",
    "FeedFlow",
    "FeedDensity",
    "OverflowTurbidity",
)
_PUMP_VARIABLES: Final = ("Speed", "Current", "Pressure", "Temperature")
_ALARMS: Final = ("HighTorque", "HighBed", "LowDensity", "RakeStopped", "PumpTripped", "LowFlocculant")
_METHODS: Final = ("RaiseRake", "LowerRake", "StopRake")

TORQUE, TORQUE_LIMIT = "ns=2;s=Thickener.Torque", "ns=2;s=Thickener.TorqueLimit"
RAKE_SPEED: Final = "ns=2;s=Thickener.RakeSpeed"
THICKENER: Final = "ns=2;s=Thickener"
STOP_RAKE, RAISE_RAKE = "ns=2;s=Thickener.StopRake", "ns=2;s=Thickener.RaiseRake"
HIGH_TORQUE: Final = "ns=2;s=Thickener.Alarms.HighTorque"
#: ConditionType's method Disable (OPC 10000-9, 5.5.4).
DISABLE: Final = "i=9028"
LOG: Final = "ns=2;s=Thickener.Log"


def _identity(name: str, ip: str = "", serial: int = 1) -> Identity:
    return identity(name, made_ns=_MADE_NS, days=_DAYS, uri=f"urn:mine-a:{name}", ip=ip, serial=serial)


def _application(name: str, shown: str, ip: str = "", serial: int = 1) -> Application:
    return Application(f"urn:mine-a:{name}", shown, identity=_identity(name, ip, serial))


def _tree(name: str) -> Node:
    at = f"ns=2;s={name}"
    variable, method = ua.NodeClass.Variable, ua.NodeClass.Method
    pumps = tuple(
        Node(
            f"{at}.Pump{number}",
            f"Pump{number}",
            children=tuple(Node(f"{at}.Pump{number}.{one}", one, variable) for one in _PUMP_VARIABLES),
        )
        for number in (1, 2, 3)
    )
    alarms = tuple(
        Node(
            f"{at}.Alarms.{alarm}",
            alarm,
            children=(Node(f"{at}.Alarms.{alarm}.ActiveState", "ActiveState", variable),),
        )
        for alarm in _ALARMS
    )
    machine = Node(
        at,
        name,
        children=(
            *(Node(f"{at}.{one}", one, variable) for one in _VARIABLES),
            *(Node(f"{at}.{one}", one, method) for one in _METHODS),
            Node(f"{at}.Pumps", "Pumps", children=pumps),
            Node(f"{at}.Alarms", "Alarms", children=alarms),
        ),
    )
    return Node("i=85", "Objects", children=(Node("i=2253", "Server"), machine))


def _server(name: str, shown: str, ip: str, tree: str, serial: int = 1) -> Server:
    modes = ua.MessageSecurityMode
    return Server(
        _application(name, shown, ip, serial),
        f"opc.tcp://{ip}:{PORT}/",
        _tree(tree),
        modes=(modes.None_, modes.Sign, modes.SignAndEncrypt),
        tokens=(
            ("anonymous", ua.UserTokenType.Anonymous),
            ("name", ua.UserTokenType.UserName),
            ("certificate", ua.UserTokenType.Certificate),
        ),
    )


UA1: Final = _server("ua1", "Thickener", "10.20.0.31", "Thickener")
#: The same server after somebody gave it another key.
UA1_REKEYED: Final = _server("ua1", "Thickener", "10.20.0.31", "Thickener", serial=2)
UA2: Final = _server("ua2", "Reagents", "10.20.0.32", "Reagents")
SCADA: Final = _application("scada1", "SCADA")
ENGINEERING: Final = _application("ews1", "Engineering")
STRANGER: Final = Application("urn:ent-ws7:uabrowser", "UaBrowser")


def secured(client: Application, server: Server, *, encrypt: bool = True) -> Security:
    """Basic256Sha256 between the two."""
    assert client.identity and server.application.identity  # noqa: S101 - for the type checker
    return Security(client.identity, server.application.identity, encrypt)


def conversation(
    site: MineARemote,
    name: str,
    client: Application,
    server: Server,
    *,
    security: Security | None = None,
    buffer: int = BUFFER,
    server_opens: bool = False,
) -> Conversation:
    """A conversation with a channel of its own; its name keeps its chance apart from the others'."""
    number = site.chance(f"channel/{name}").randrange(10, 10_000)
    return Conversation(
        site.chance(f"opcua/{name}"),
        client,
        server,
        security=security,
        channel_id=number,
        buffer=buffer,
        server_opens=server_opens,
    )


def spoken(
    site: MineARemote,
    client: str,
    server: str,
    said: Conversation,
    *,
    server_opens: bool = False,
    end: End = End.CLIENT_CLOSES,
) -> None:
    """Put a conversation on the wire, and its services into the truth."""
    opener, asked = (server, client) if server_opens else (client, server)
    site.talk(opener, asked, PORT, said.lines, end=end)
    addresses = site.hosts[client].ip, site.hosts[server].ip
    for service, count in said.counted.items():
        # What is encrypted has no name for those who listen.
        site.services[*addresses, "" if said.encrypted else service] += count


def values(*names: str, step: int = 0) -> Mapping[str, Value]:
    """Readings of variables of the thickener, moving a little with each step."""
    return {
        f"{THICKENER}.{name}": round(20.0 + 7 * order + 0.25 * ((step + order) % 9), 2)
        for order, name in enumerate(names)
    }
