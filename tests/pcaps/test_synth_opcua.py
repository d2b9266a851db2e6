"""OPC UA of the lab: a real stack reads what is said, encrypted or not, and the sensor names every service."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from asyncua.common.utils import Buffer

from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.dialogue import Side
from pcaps.lab.synth.keys import Identity, identity
from pcaps.lab.synth.opcua import (
    PORT,
    Anonymous,
    Application,
    Certificate,
    Conversation,
    Issued,
    Node,
    Security,
    Server,
    UserName,
    services,
)
from pcaps.lab.synth.opcua.stack import binary, connection, ua
from pcaps.lab.synth.opcua.stack import policies as security_policies
from pcaps.lab.synth.opcua.users import User
from tests.pcaps.two_stations import START_NS, Said, capture, rows, spoken_by

MADE_NS = START_NS - 30 * 86_400 * SECOND
PLANT = identity("plant server", made_ns=MADE_NS, days=365, uri="urn:plant:server")
READER = identity("reader", made_ns=MADE_NS, days=365, uri="urn:plant:reader")
CLIENT = Application("urn:plant:reader", "Reader", identity=READER)
TREE = Node("i=85", "Objects", children=(Node("ns=2;s=Pump", "Pump"), Node("ns=2;s=Fan", "Fan")))
SERVER = Server(Application("urn:plant:server", "Plant", identity=PLANT), "opc.tcp://10.20.0.31:4840/", TREE)


def everything(
    security: Security | None = None, user: User | None = None, *, buffer: int = 65_536
) -> Conversation:
    """A conversation in which every service is asked for once."""
    said = Conversation(random.Random(1), CLIENT, SERVER, security=security, buffer=buffer)
    at = START_NS
    said.connect(at)
    said.log_in(at + SECOND, user)
    said.ask(services.read({"ns=2;s=Pump.Speed": 12.5, "ns=2;s=Pump.On": True}), at + 2 * SECOND)
    said.ask(services.write({"ns=2;s=Pump.Speed": 13.5}, [0x803B0000]), at + 2 * SECOND)
    said.ask(services.call("ns=2;s=Pump", "ns=2;s=Pump.Stop", [1, "now"]), at + 2 * SECOND)
    said.ask(services.browse([TREE], at_most=1, next_point=b"\x07"), at + 2 * SECOND)
    said.ask(services.browse_next(b"\x07", TREE.children[1:]), at + 2 * SECOND)
    said.ask(services.create_subscription(4, 500.0), at + 2 * SECOND)
    said.ask(services.create_monitored_items(4, ["ns=2;s=Pump.Speed"], 500.0), at + 2 * SECOND)
    said.ask(services.publish(4, 1, {1: 14.5}, at + 3 * SECOND), at + 3 * SECOND)
    said.ask(services.add_node("i=85", Node("ns=2;s=New", "New")), at + 3 * SECOND)
    said.renew(at + 4 * SECOND)
    said.ask(services.find_servers(SERVER), at + 5 * SECOND)
    said.ask(services.get_endpoints(SERVER), at + 5 * SECOND)
    said.log_out(at + 6 * SECOND)
    return said


def messages(stream: bytes) -> list[bytes]:
    """The chunks of one side."""
    found = []
    while stream:
        length = int.from_bytes(stream[4:8], "little")
        found.append(stream[:length])
        stream = stream[length:]
    return found


def body(policy: Any, chunk: bytes) -> Any:
    """A chunk's structure, as asyncua reads it."""
    buffer = Buffer(connection.MessageChunk.from_binary(policy, Buffer(chunk)).Body)
    kind = binary.nodeid_from_binary(buffer.copy(8))
    cls = next(
        getattr(ua, name.removesuffix("_Encoding_DefaultBinary"))
        for name in vars(ua.ObjectIds)
        if name.endswith("_Encoding_DefaultBinary") and getattr(ua.ObjectIds, name) == kind.Identifier
    )
    return binary.struct_from_binary(cls, buffer)


def policies(encrypt: bool) -> tuple[Any, Any]:
    """What each side has to have to read what the other says."""
    mode = ua.MessageSecurityMode.SignAndEncrypt if encrypt else ua.MessageSecurityMode.Sign

    def of(own: Identity, peer: Identity) -> Any:
        policy = security_policies.SecurityPolicyBasic256Sha256
        return policy(peer.certificate, own.certificate, own.key, mode)

    return of(READER, PLANT), of(PLANT, READER)


@pytest.mark.parametrize("encrypt", [True, False], ids=["sign-and-encrypt", "sign"])
def test_a_real_stack_reads_what_is_secured(encrypt: bool) -> None:
    said = everything(Security(READER, PLANT, encrypt), UserName("operator", "a pass phrase"))
    client, server = policies(encrypt)
    asked = [one for one in messages(spoken_by(Side.CLIENT, said.lines)) if one[:3] != b"HEL"]
    answered = [one for one in messages(spoken_by(Side.SERVER, said.lines)) if one[:3] != b"ACK"]
    opening, opened = body(server, asked.pop(0)), body(client, answered.pop(0))
    ours, theirs = opening.Parameters.ClientNonce, opened.Parameters.ServerNonce
    server.make_remote_symmetric_key(theirs, ours, 3_600_000)
    client.make_remote_symmetric_key(ours, theirs, 3_600_000)
    before_renewal = [one[:3] for one in asked].index(b"OPN")
    requests = [body(server, one) for one in asked[:before_renewal]]
    responses = [body(client, one) for one in answered[:before_renewal]]
    names = [type(one).__name__ for one in requests]
    assert names[:5] == [
        "CreateSessionRequest",
        "ActivateSessionRequest",
        "ReadRequest",
        "WriteRequest",
        "CallRequest",
    ]
    assert [type(one).__name__ for one in responses] == [
        name.replace("Request", "Response") for name in names
    ]
    assert responses[2].Results[0].Value.Value == 12.5
    # The renewed keys read what follows, and only they.
    opening, opened = body(server, asked[before_renewal]), body(client, answered[before_renewal])
    ours, theirs = opening.Parameters.ClientNonce, opened.Parameters.ServerNonce
    server.make_remote_symmetric_key(theirs, ours, 3_600_000)
    assert type(body(server, asked[before_renewal + 1])).__name__ == "FindServersRequest"


@pytest.mark.parametrize(
    ("user", "kind", "name", "secret"),
    [
        (None, "anonymous", "", "none"),
        (Anonymous(), "anonymous", "", "none"),
        (UserName("operator", "clear-phrase"), "user_name", "operator", "clear"),
        (Certificate(READER), "certificate", "CN=reader,O=Mine A", "none"),
        (Issued("clear.token.x"), "issued", "", "clear"),
    ],
)
def test_the_sensor_tells_every_service_and_who_asks(
    tmp_path: Path, user: User | None, kind: str, name: str, secret: str
) -> None:
    said = everything(user=user)
    seen = rows(capture(tmp_path, Said(PORT, said.lines)))
    calls = seen["opcua"].filter(pl.col("message_type") == "MSG")
    counted = dict(calls["service"].value_counts().iter_rows())
    assert counted == said.counted
    login = calls.filter(pl.col("service") == "ActivateSession").row(0, named=True)
    assert (login["user_kind"], login["user_name"], login["secret"]) == (kind, name, secret)
    assert "anomalies" not in seen
    assert "clear-phrase" not in str(seen) and "clear.token" not in str(seen)


def test_the_sensor_reads_what_is_written_and_whether_it_was_taken(tmp_path: Path) -> None:
    seen = rows(capture(tmp_path, Said(PORT, everything().lines)))["opcua"]
    (write,) = seen.filter(pl.col("service") == "Write").to_dicts()
    assert (write["nodes"], write["values_written"]) == (["ns=2;s=Pump.Speed"], ["13.5"])
    assert (write["operations_failed"], write["results"]) == (1, ["BadNotWritable"])
    (told,) = seen.filter(pl.col("service") == "Publish").to_dicts()
    assert (told["nodes"], told["values_read"]) == (["ns=2;s=Pump.Speed"], ["14.5"])
    assert seen.filter(pl.col("service") == "Browse")["values_read"].list.len().to_list() == [1]


def test_the_same_chance_gives_the_same_bytes_and_another_one_others() -> None:
    security = Security(READER, PLANT)
    lines = [
        Conversation(random.Random(seed), CLIENT, SERVER, security=security).channel.open(START_NS)
        for seed in (1, 1, 2)
    ]
    assert lines[0] == lines[1] != lines[2]
