"""One client's conversation with a server: what it does in, the lines of both and their truth out."""

from __future__ import annotations

import random
from collections import Counter
from typing import Final

from pcaps.lab.synth.clock import MILLISECOND
from pcaps.lab.synth.dialogue import Line, Side
from pcaps.lab.synth.opcua import services, transport
from pcaps.lab.synth.opcua.applications import Application, Server
from pcaps.lab.synth.opcua.channel import Channel
from pcaps.lab.synth.opcua.security import NONCE_BYTES, Security
from pcaps.lab.synth.opcua.services import Pair
from pcaps.lab.synth.opcua.stack import Structure, ua
from pcaps.lab.synth.opcua.transport import BUFFER
from pcaps.lab.synth.opcua.users import Anonymous, User, signed

#: How long a server takes to answer.
SERVICE_NS: Final = 3 * MILLISECOND
_STEP_NS: Final = 20 * MILLISECOND
_SESSION_MS: Final = 1_200_000.0


class Conversation:
    """Lines of a client and a server, in their order; `counted` is the truth: services by name.

    `server_opens`: the server opens the TCP connection, and says so (OPC 10000-6, 7.1.3).
    """

    def __init__(
        self,
        chance: random.Random,
        client: Application,
        server: Server,
        *,
        security: Security | None = None,
        channel_id: int = 7,
        buffer: int = BUFFER,
        server_opens: bool = False,
    ) -> None:
        self.lines: list[Line] = []
        self.counted: Counter[str] = Counter()
        self.channel = Channel(chance, security=security, channel_id=channel_id, buffer=buffer)
        self._client, self._server, self._security = client, server, security
        self._chance, self._buffer, self._server_opens = chance, buffer, server_opens
        self._token: Structure | None = None
        self._nonce = b""
        self._session = channel_id * 100

    @property
    def encrypted(self) -> bool:
        """Whether nobody who listens can read its services."""
        return self._security is not None and self._security.encrypt

    def connect(self, at_ns: int) -> None:
        """Hello, its answer, and a secure channel."""
        self.greet(at_ns)
        self._say(Side.SERVER, transport.acknowledge(buffer=self._buffer))
        self._both(*self.channel.open(at_ns + _STEP_NS), at_ns + _STEP_NS)

    def greet(self, at_ns: int) -> None:
        """Hello alone; a server that opened the connection asks for it first."""
        if self._server_opens:
            said = transport.reverse_hello(self._server.application.uri, self._server.url)
            self._say(Side.SERVER, said, at_ns)
        self._say(Side.CLIENT, transport.hello(self._server.url, buffer=self._buffer), at_ns)

    def renew(self, at_ns: int) -> None:
        """The same channel with new keys."""
        self._both(*self.channel.renew(at_ns), at_ns)

    def log_in(self, at_ns: int, user: User | None = None, *, refused: int = 0) -> None:
        """CreateSession and ActivateSession; `refused`: the status with which the server turns the user down."""
        self._session += 1
        self._token = None
        self.ask(self._created(), at_ns)
        self._token = self._token_of(self._session)
        request = ua.ActivateSessionRequest()
        holder = self._security.server if self._security else None
        token = (user or Anonymous()).token(holder, self._nonce, self._chance)
        request.Parameters.UserIdentityToken, request.Parameters.UserTokenSignature = token
        request.Parameters.LocaleIds = ["en"]
        if self._security:
            to_sign = self._security.server.der + self._nonce
            request.Parameters.ClientSignature = signed(self._security.client, to_sign)
        response = ua.ActivateSessionResponse()
        self._nonce = response.Parameters.ServerNonce = self._chance.randbytes(NONCE_BYTES)
        pair = services.fault(request, refused) if refused else Pair(request, response)
        self.ask(pair, at_ns + _STEP_NS)

    def ask(self, pair: Pair, at_ns: int) -> None:
        """One service call; of the session, once there is one."""
        number = self.begin(pair, at_ns)
        self.answer(pair, number, at_ns)

    def begin(self, pair: Pair, at_ns: int) -> int:
        """The request alone: its number, for `answer`."""
        self.counted[type(pair.request).__name__.removesuffix("Request")] += 1
        number, asked = self.channel.request(pair.request, at_ns, self._token)
        self._say(Side.CLIENT, asked, at_ns)
        return number

    def answer(self, pair: Pair, number: int, at_ns: int) -> None:
        """The response to an earlier request."""
        self._say(Side.SERVER, self.channel.response(pair.response, number, at_ns + SERVICE_NS), at_ns)

    def abandon(self, pair: Pair, at_ns: int, status: int, reason: str) -> None:
        """A request whose answer the server begins, and gives up."""
        number = self.begin(pair, at_ns)
        self._say(
            Side.SERVER,
            self.channel.abandoned(pair.response, number, at_ns + SERVICE_NS, status, reason),
            at_ns,
        )

    def log_out(self, at_ns: int) -> None:
        """CloseSession, and the channel's end."""
        request = ua.CloseSessionRequest(DeleteSubscriptions=True)
        self.ask(Pair(request, ua.CloseSessionResponse()), at_ns)
        self.disconnect(at_ns + _STEP_NS)

    def disconnect(self, at_ns: int) -> None:
        """The channel's end, with whatever session it has."""
        self._say(Side.CLIENT, self.channel.close(at_ns, self._token), at_ns)

    def error(self, at_ns: int, status: int, reason: str) -> None:
        """The server gives the connection up."""
        self._say(Side.SERVER, transport.error(status, reason), at_ns)

    def _created(self) -> Pair:
        request = ua.CreateSessionRequest()
        asked = request.Parameters
        asked.ClientDescription = self._client.description(ua.ApplicationType.Client)
        asked.EndpointUrl, asked.SessionName = self._server.url, f"{self._client.name} {self._session}"
        asked.ClientNonce = self._chance.randbytes(NONCE_BYTES)
        asked.RequestedSessionTimeout, asked.MaxResponseMessageSize = _SESSION_MS, 0
        response = ua.CreateSessionResponse()
        told = response.Parameters
        told.SessionId = ua.NumericNodeId(self._session, 1)
        told.AuthenticationToken = self._token_of(self._session)
        told.RevisedSessionTimeout = _SESSION_MS
        self._nonce = told.ServerNonce = self._chance.randbytes(NONCE_BYTES)
        told.ServerEndpoints = self._server.endpoints()
        if self._security:
            asked.ClientCertificate, told.ServerCertificate = (
                self._security.client.der,
                self._security.server.der,
            )
            told.ServerSignature = signed(
                self._security.server, self._security.client.der + bytes(asked.ClientNonce)
            )
        return Pair(request, response)

    def _token_of(self, session: int) -> Structure:
        """What proves that a request is the session's: whoever has it is in."""
        proof = random.Random(f"{self._server.url}/{session}").randbytes(16)
        return ua.ByteStringNodeId(proof, 0)

    def _both(self, request: bytes, response: bytes, at_ns: int) -> None:
        self._say(Side.CLIENT, request, at_ns)
        self._say(Side.SERVER, response)

    def _say(self, side: Side, data: bytes, at_ns: int = 0) -> None:
        speaker = side.other if self._server_opens else side
        self.lines.append(Line(speaker, data, at_ns, SERVICE_NS))
