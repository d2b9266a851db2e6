"""OPC UA binary: applications, channels, sessions and services in, the bytes of both sides out.

`Conversation` puts them together; asyncua's own encoders lay out every structure (OPC 10000-4 and 10000-6).
"""

from __future__ import annotations

from pcaps.lab.synth.opcua import services
from pcaps.lab.synth.opcua.applications import Application, Node, Server, number_node
from pcaps.lab.synth.opcua.channel import Channel
from pcaps.lab.synth.opcua.conversation import Conversation
from pcaps.lab.synth.opcua.security import Security
from pcaps.lab.synth.opcua.transport import PORT, acknowledge, hello
from pcaps.lab.synth.opcua.users import Anonymous, Certificate, Issued, UserName

__all__ = [
    "PORT",
    "Anonymous",
    "Application",
    "Certificate",
    "Channel",
    "Conversation",
    "Issued",
    "Node",
    "Security",
    "Server",
    "UserName",
    "acknowledge",
    "hello",
    "number_node",
    "services",
]
