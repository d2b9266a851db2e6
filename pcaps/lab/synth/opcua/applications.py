"""Who talks OPC UA: a client's and a server's description of themselves, and a server's address space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from pcaps.lab.synth.keys import Identity
from pcaps.lab.synth.opcua.stack import Structure, ua

_POLICY: Final = "http://opcfoundation.org/UA/SecurityPolicy#"
_TRANSPORT: Final = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"

Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Application:
    """A client, or what a server says of itself."""

    uri: str
    name: str
    product_uri: str = "urn:mine-a.example:product"
    identity: Identity | None = None

    def description(self, kind: Structure, urls: Sequence[str] = ()) -> Structure:
        """As sessions and discovery carry it."""
        return ua.ApplicationDescription(
            ApplicationUri=self.uri,
            ProductUri=self.product_uri,
            ApplicationName=ua.LocalizedText(self.name),
            ApplicationType=kind,
            DiscoveryUrls=list(urls),
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a server's address space, with what it organises."""

    node_id: str
    name: str
    kind: Structure = ua.NodeClass.Object
    children: tuple[Node, ...] = ()

    def reference(self) -> Structure:
        """As Browse tells of it."""
        return ua.ReferenceDescription(
            ReferenceTypeId=ua.FourByteNodeId(ua.ObjectIds.Organizes),
            NodeId=expanded(self.node_id),
            BrowseName=ua.QualifiedName(self.name, 2),
            DisplayName=ua.LocalizedText(self.name),
            NodeClass=self.kind,
            TypeDefinition=ua.ExpandedNodeId(_TYPES.get(self.kind, 0)),
        )

    def walk(self) -> list[Node]:
        """All nodes from here on down, this one first."""
        return [self, *(node for child in self.children for node in child.walk())]


_TYPES: Final = {
    ua.NodeClass.Object: ua.ObjectIds.FolderType,
    ua.NodeClass.Variable: ua.ObjectIds.BaseDataVariableType,
}


@dataclass(frozen=True, slots=True)
class Server:
    """A server: where it listens, how it may be spoken to, what it has."""

    application: Application
    url: str
    root: Node
    #: Security modes of its endpoints; all but None need a certificate.
    modes: tuple[Structure, ...] = (ua.MessageSecurityMode.None_,)
    #: What users may say who they are, by the identifier of the policy.
    tokens: tuple[tuple[str, Structure], ...] = (
        ("anonymous", ua.UserTokenType.Anonymous),
        ("name", ua.UserTokenType.UserName),
    )
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def certificate(self) -> bytes | None:
        """Its certificate, DER."""
        return self.application.identity.der if self.application.identity else None

    def description(self) -> Structure:
        """What it says of itself."""
        return self.application.description(ua.ApplicationType.Server, (self.url,))

    def endpoints(self) -> list[Structure]:
        """One an accepted mode."""
        return [
            ua.EndpointDescription(
                EndpointUrl=self.url,
                Server=self.description(),
                ServerCertificate=self.certificate if self.certificate else None,
                SecurityMode=mode,
                SecurityPolicyUri=policy_uri(secured=mode is not ua.MessageSecurityMode.None_),
                UserIdentityTokens=[
                    ua.UserTokenPolicy(PolicyId=name, TokenType=kind) for name, kind in self.tokens
                ],
                TransportProfileUri=_TRANSPORT,
                SecurityLevel=int(mode),
            )
            for mode in self.modes
        ]


def policy_uri(*, secured: bool) -> str:
    """Of the one policy that the lab's channels use, or of none."""
    return _POLICY + ("Basic256Sha256" if secured else "None")


def node_id(text: str) -> Structure:
    """`ns=2;s=Mill1.Speed`, `i=2253`."""
    return ua.NodeId.from_string(text)


def number_node(namespace: int, number: int) -> Structure:
    """A numeric node in the long form, which some applications always send."""
    return ua.NumericNodeId(number, namespace)


def expanded(text: str) -> Structure:
    """The same where a node of another server could stand."""
    plain = node_id(text)
    return ua.ExpandedNodeId(plain.Identifier, plain.NamespaceIndex, plain.NodeIdType)


def variant(value: Value) -> Structure:
    """A value with the type that it has here: Boolean, Int32, Double or String."""
    kinds = ((bool, "Boolean"), (int, "Int32"), (float, "Double"), (str, "String"))
    kind = next(name for cls, name in kinds if isinstance(value, cls))
    return ua.Variant(value, ua.VariantType[kind])
