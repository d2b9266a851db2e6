"""OPC UA by asyncua: a server with and one without a certificate, and a client that reads, writes, calls, browses."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.node import Node
from asyncua.crypto.cert_gen import (
    dump_private_key_as_pem,
    generate_private_key,
    generate_self_signed_app_certificate,
)
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.server import Server
from asyncua.server.user_managers import UserManager
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from pcaps.lab.plant.layout import OPCUA_PORT
from pcaps.lab.plant.stations.names import ACCOUNT, OLD_PORT, PASSWORD
from pcaps.lab.plant.stations.report import READY, Counts, Line, say

_URI: Final = "urn:geophone:lab"
_SECURE: Final = ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt
_POLLED_S: Final = 0.2


class _Accounts(UserManager):
    """Who may come in. Without one of these asyncua takes any password."""

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        if username is None:
            return User(role=UserRole.User)
        return User(role=UserRole.User) if (username, password) == (ACCOUNT, PASSWORD) else None


async def serve(address: str, folder: str) -> None:
    """Both servers, until they are stopped."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    certificate, key = make_keys(Path(folder), "ua1", f"{_URI}:ua1", server=True)
    modern, old = await _server(address, OPCUA_PORT, "ua1"), await _server(address, OLD_PORT, "ua1-old")
    modern.set_security_policy([ua.SecurityPolicyType.NoSecurity, _SECURE])
    await modern.load_certificate(str(certificate))
    await modern.load_private_key(str(key))
    old.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    async with modern, old:
        say(READY)
        await asyncio.Event().wait()


async def visit(
    server: str,
    steps: Sequence[str],
    name: str,
    folder: str = "",
    port: int = OPCUA_PORT,
    user: str = "",
    password: str = "",
    encrypt: bool = False,
    seconds: float = 0.0,
) -> list[Line]:
    """One session that takes the steps (read, write, call, browse, poll, subscribe), then ends.

    With `encrypt` the channel is SignAndEncrypt, under a certificate made anew for this visit.
    """
    logging.getLogger("asyncua").setLevel(logging.CRITICAL)
    counts = Counts("opcua", server)
    client = Client(f"opc.tcp://{server}:{port}/lab", timeout=20)
    client.application_uri = f"{_URI}:{name}"
    if encrypt:
        certificate, key = make_keys(Path(folder), name, client.application_uri, server=False)
        await client.set_security_string(f"Basic256Sha256,SignAndEncrypt,{certificate},{key}")
    if user:
        client.set_user(user)
        client.set_password(password)
    async with client:
        for step in steps:
            await _STEPS[step](client, counts, seconds)
    return counts.lines()


def make_keys(folder: Path, name: str, uri: str, *, server: bool) -> tuple[Path, Path]:
    """A new self-signed certificate and its key, as files."""
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    names: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri), x509.DNSName(name)]
    private = generate_private_key()
    made = generate_self_signed_app_certificate(
        private, name, {"organizationName": "Lab plant"}, names, [usage]
    )
    certificate, key = folder / f"{name}.der", folder / f"{name}.pem"
    certificate.write_bytes(made.public_bytes(Encoding.DER))
    key.write_bytes(dump_private_key_as_pem(private))
    return certificate, key


async def _server(address: str, port: int, name: str) -> Server:
    server = Server(user_manager=_Accounts())
    await server.init()
    await server.set_application_uri(f"{_URI}:{name}")
    server.set_server_name(name)
    server.set_endpoint(f"opc.tcp://{address}:{port}/lab")
    space = await server.register_namespace(_URI)
    tank = await server.nodes.objects.add_object(_id(space, "Tank1"), "Tank1")
    level = await tank.add_variable(_id(space, "Tank1.Level"), "Level", 12.5)
    await level.set_writable()

    async def reset(_parent: Any, value: Any) -> list[ua.Variant]:
        return [ua.Variant(value.Value + 1, ua.VariantType.Int64)]

    await tank.add_method(
        _id(space, "Tank1.Reset"), "Reset", reset, [ua.VariantType.Int64], [ua.VariantType.Int64]
    )
    return server


def _id(space: int, name: str) -> ua.NodeId:
    return ua.NodeId.from_string(f"ns={space};s={name}")


async def _node(client: Client, name: str) -> Node:
    return client.get_node(_id(await client.get_namespace_index(_URI), name))


async def _read(client: Client, counts: Counts, _: float) -> None:
    level = await _node(client, "Tank1.Level")
    counts.asked("read")
    await level.read_value()
    counts.answered("read")


async def _write(client: Client, counts: Counts, _: float) -> None:
    level = await _node(client, "Tank1.Level")
    counts.asked("write")
    await level.write_value(ua.Variant(99.5, ua.VariantType.Double))
    counts.answered("write")


async def _call(client: Client, counts: Counts, _: float) -> None:
    tank, method = await _node(client, "Tank1"), await _node(client, "Tank1.Reset")
    counts.asked("call")
    await tank.call_method(method.nodeid, ua.Variant(41, ua.VariantType.Int64))
    counts.answered("call")


async def _browse(client: Client, counts: Counts, _: float) -> None:
    """Walk down from Objects, three levels, as one does who looks for what there is."""
    waiting = [(client.nodes.objects, 0)]
    while waiting:
        node, depth = waiting.pop()
        counts.asked("browse")
        children = await node.get_children()
        counts.answered("browse")
        if depth < 2:
            waiting.extend((child, depth + 1) for child in children)


async def _poll(client: Client, counts: Counts, seconds: float) -> None:
    level = await _node(client, "Tank1.Level")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        counts.asked("read")
        await level.read_value()
        counts.answered("read")
        await asyncio.sleep(_POLLED_S)


class _Silent:
    """Takes what a subscription tells."""

    def datachange_notification(self, node: Node, value: Any, data: Any) -> None:
        """A value changed."""


async def _subscribe(client: Client, counts: Counts, seconds: float) -> None:
    counts.asked("subscribe")
    subscription = await client.create_subscription(250, _Silent())
    await subscription.subscribe_data_change(await _node(client, "Tank1.Level"))
    counts.answered("subscribe")
    await asyncio.sleep(seconds)
    await subscription.delete()


_STEPS: Final = {
    "read": _read,
    "write": _write,
    "call": _call,
    "browse": _browse,
    "poll": _poll,
    "subscribe": _subscribe,
}
