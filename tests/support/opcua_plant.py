"""A real OPC UA server and clients (asyncua), recorded on their way: captures, and what the stack itself says it did.

`record(folder)` starts one server with a pump, plays every scenario through a proxy of its own and gives one
capture a scenario. Nothing needs root; all sockets are on the loopback interface.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from asyncua import ua
from asyncua.client.client import Client
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from asyncua.server.server import Server
from asyncua.ua.uaerrors import UaStatusCodeError
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.opcua_history import TokenClient, browse_on, change_history, every_service, read_history
from tests.support.recording_proxy import RecordingProxy

#: The port that captures name; the server listens on a free one.
SERVER_PORT = 4840

CLIENT_URI = "urn:plant:eng1"
SERVER_URI = "urn:plant:plc1"
USER, PASSWORD = "eng1", "s3cret-pass-phrase"

#: The smallest buffers that a peer may have (OPC 10000-6, 7.1.2.3).
SMALL_BUFFER = 8_192


@dataclass
class Recorded:
    """A scenario's capture, and what the stack says of it."""

    capture: Path
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Keys:
    """An application's certificate and key, as files."""

    certificate: Path
    key: Path
    thumbprint: str

    @classmethod
    def make(cls, folder: Path, name: str, uri: str, usage: x509.ObjectIdentifier) -> Keys:
        """A self-signed certificate with the application's URI."""
        private = generate_private_key()
        names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri), x509.DNSName("localhost")]
        made = generate_self_signed_app_certificate(
            private, name, {"organizationName": "Open Pit Mine"}, names, [usage]
        )
        thumbprint = made.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - what OPC UA calls certificates by
        keys = cls(folder / f"{name}.der", folder / f"{name}.pem", thumbprint)
        keys.certificate.write_bytes(made.public_bytes(Encoding.DER))
        keys.key.write_bytes(dump_private_key_as_pem(private))
        return keys


@dataclass
class Plant:
    """The running server and its nodes."""

    server: Server
    port: int
    namespace: int
    pump: Any
    speed: Any
    name: Any
    table: Any
    double: Any


class _Watcher:
    """Takes the values that a subscription tells."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def datachange_notification(self, node: Any, value: Any, data: Any) -> None:
        self.values.append(value)


async def record(folder: Path) -> dict[str, Recorded]:
    """Play every scenario; scenario -> its capture and facts."""
    client_keys = Keys.make(folder, "eng1", CLIENT_URI, ExtendedKeyUsageOID.CLIENT_AUTH)
    server_keys = Keys.make(folder, "plc1", SERVER_URI, ExtendedKeyUsageOID.SERVER_AUTH)
    user_keys = Keys.make(folder, "operator7", "urn:plant:operator7", ExtendedKeyUsageOID.CLIENT_AUTH)
    plant = await _start(server_keys)
    recorded: dict[str, Recorded] = {}

    async def play(
        name: str, scenario: Callable[[Client, Plant], Awaitable[dict[str, Any]]], **options: Any
    ) -> None:
        with RecordingProxy(("127.0.0.1", plant.port), server_port=SERVER_PORT) as proxy:
            host, port = proxy.address
            client = options.get("client", Client)(f"opc.tcp://{host}:{port}/plant", timeout=60)
            client.application_uri = CLIENT_URI
            if mode := options.get("mode"):
                await client.set_security_string(
                    f"Basic256Sha256,{mode},{client_keys.certificate},{client_keys.key}"
                )
            if user := options.get("user"):
                client.set_user(user)
                client.set_password(PASSWORD)
            if options.get("certificate"):
                await client.load_client_certificate(str(user_keys.certificate))
                await client.load_private_key(str(user_keys.key))
            async with client:
                facts = await scenario(client, plant)
        recorded[name] = Recorded(proxy.write(folder / f"{name}.pcap"), facts)

    try:
        await play("services", _services, user=USER)
        await play("nodes", _nodes, user="admin")
        await play("watching", _watching)
        await play("sign", _read_and_write, mode="Sign", user=USER)
        await play("encrypt", _read_and_write, mode="SignAndEncrypt", user=USER)
        await play("long", _long)
        await play("by certificate", _read_and_write, certificate=True)
        with every_service(plant.server):
            await play("history", _history, user="admin")
            await play("by token", _read_and_write, client=TokenClient)
    finally:
        await plant.server.stop()
    for one in recorded.values():
        one.facts |= {"client": client_keys, "server": server_keys, "user": user_keys}
    return recorded


def _node(namespace: int, name: str) -> ua.NodeId:
    return ua.NodeId.from_string(f"ns={namespace};s={name}")


async def _start(keys: Keys) -> Plant:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server()
    await server.init()
    await server.set_application_uri(SERVER_URI)
    server.set_server_name("Pump station")
    # Long messages go in many chunks, both ways.
    server.limits.max_recv_buffer = server.limits.max_send_buffer = SMALL_BUFFER
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}/plant")
    await server.load_certificate(str(keys.certificate))
    await server.load_private_key(str(keys.key))
    server.set_security_policy(
        [
            ua.SecurityPolicyType.NoSecurity,
            ua.SecurityPolicyType.Basic256Sha256_Sign,
            ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
        ]
    )
    server.iserver.allow_remote_admin = True
    namespace = await server.register_namespace("urn:plant")
    objects = server.nodes.objects
    pump = await objects.add_object(_node(namespace, "Pump1"), f"{namespace}:Pump1")
    speed = await pump.add_variable(_node(namespace, "Pump1.Speed"), "Speed", 12.5)
    name = await pump.add_variable(_node(namespace, "Pump1.Name"), "Name", "Pump one")
    table = await pump.add_variable(_node(namespace, "Pump1.Table"), "Table", list(range(20_000)))
    for node in (speed, name, table):
        await node.set_writable()

    async def twice(_parent: Any, value: Any) -> list[ua.Variant]:
        return [ua.Variant(value.Value * 2, ua.VariantType.Int64)]

    double = await pump.add_method(
        _node(namespace, "Pump1.Double"), "Double", twice, [ua.VariantType.Int64], [ua.VariantType.Int64]
    )
    await server.start()
    await server.historize_node_data_change(speed, period=timedelta(days=1), count=100)
    return Plant(server, port, namespace, pump, speed, name, table, double)


async def _services(client: Client, plant: Plant) -> dict[str, Any]:
    """Every service that is decoded, once."""
    speed, name = client.get_node(plant.speed.nodeid), client.get_node(plant.name.nodeid)
    pump = client.get_node(plant.pump.nodeid)
    facts: dict[str, Any] = {}
    facts["read"] = await client.read_values([speed, name])
    facts["written"] = 61.25
    await speed.write_value(facts["written"])
    try:
        await client.get_node(_node(plant.namespace, "Pump9")).write_value(1)
    except UaStatusCodeError as refused:
        facts["refused"] = type(refused).__name__
    facts["called"] = await pump.call_method(plant.double.nodeid, ua.Variant(21, ua.VariantType.Int64))
    facts["children"] = [str((await child.read_browse_name()).Name) for child in await pump.get_children()]
    facts["path"] = (await client.nodes.objects.get_child([f"{plant.namespace}:Pump1"])).nodeid.to_string()
    await client.register_nodes([speed])
    await speed.write_value(62.5)
    await client.unregister_nodes([speed])
    now = datetime.now(UTC)
    history = await client.get_node(plant.speed.nodeid).read_raw_history(now - timedelta(hours=1), now, 10)
    facts["history"] = [value.Value.Value for value in history if value.Value]
    build = [f"i={number}" for number in (2261, 2263, 2264, 2265)]
    facts["build"] = await client.read_values([client.get_node(node) for node in build])
    facts["status"] = await client.get_node("i=2256").read_value()
    facts["servers"] = [server.ApplicationUri for server in await client.find_servers()]
    facts["endpoints"] = len(await client.get_endpoints())
    try:
        await client.nodes.objects.add_object(_node(plant.namespace, "Spare"), "Spare")
    except UaStatusCodeError as refused:
        facts["fault"] = type(refused).__name__
    return facts


async def _nodes(client: Client, plant: Plant) -> dict[str, Any]:
    """A node is added and deleted, and its history changed, by one who may."""
    added = await client.nodes.objects.add_object(_node(plant.namespace, "Spare"), "2:Spare")
    await client.delete_nodes([added])
    return {"added": added.nodeid.to_string()}


async def _history(client: Client, plant: Plant) -> dict[str, Any]:
    """History is read in every way and changed in every way; browsing goes on."""
    read = await read_history(client, plant.speed.nodeid)
    changed = await change_history(client, plant.speed.nodeid)
    return {"read": read, "changed": changed, "browsed": await browse_on(client)}


async def _watching(client: Client, plant: Plant) -> dict[str, Any]:
    """A subscription on two nodes; the server changes one of them."""
    watcher = _Watcher()
    subscription = await client.create_subscription(50, watcher)
    await subscription.subscribe_data_change(
        [client.get_node(plant.speed.nodeid), client.get_node(plant.name.nodeid)]
    )
    for value in (1.5, 2.5, 3.5):
        await asyncio.sleep(0.2)
        await plant.speed.write_value(value)
    await asyncio.sleep(0.4)
    await subscription.delete()
    return {"values": watcher.values}


async def _read_and_write(client: Client, plant: Plant) -> dict[str, Any]:
    """A little of both, under whatever protection the channel has."""
    speed = client.get_node(plant.speed.nodeid)
    await speed.write_value(77.0)
    return {"read": await speed.read_value()}


async def _long(client: Client, plant: Plant) -> dict[str, Any]:
    """A value of many chunks, both ways."""
    table = client.get_node(plant.table.nodeid)
    values = await table.read_value()
    await table.write_value(list(reversed(values)))
    return {"count": len(values), "last": values[-1]}
