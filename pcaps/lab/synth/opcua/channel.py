"""A secure channel: structures in, chunks out, for both its ends (OPC 10000-6, 6.7; OPC 10000-4, 5.5).

asyncua encodes, cuts into chunks, numbers, signs and encrypts; what it would draw or read from a clock is given.
"""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from pcaps.lab.notes import moment
from pcaps.lab.synth.opcua.security import NONCE_BYTES, Security, unsecured
from pcaps.lab.synth.opcua.stack import Structure, binary, connection, ua
from pcaps.lab.synth.opcua.transport import BUFFER

LIFETIME_MS: Final = 3_600_000
TIMEOUT_MS: Final = 5_000


class Call(NamedTuple):
    """What a client asks, and what the server answers."""

    request: bytes
    response: bytes


class Channel:
    """Both ends of one secure channel, without security unless told; every number is known before it is used."""

    def __init__(
        self,
        chance: random.Random,
        *,
        security: Security | None = None,
        channel_id: int = 7,
        token_id: int = 3,
        buffer: int = BUFFER,
    ) -> None:
        self.security = security
        self._chance = chance
        self._limits = connection.TransportLimits(max_recv_buffer=buffer, max_send_buffer=buffer)
        policies = security.policies(chance) if security else unsecured()
        self._client, self._server = (
            connection.SecureConnection(policy, self._limits) for policy in policies
        )
        self._channel_id, self._token_id = channel_id, token_id
        self._request_id = 0

    def open(self, now_ns: int) -> Call:
        """OpenSecureChannel."""
        return self._open(now_ns, ua.SecurityTokenRequestType.Issue)

    def renew(self, now_ns: int) -> Call:
        """OpenSecureChannel again: the same channel, a new token, new keys."""
        return self._open(now_ns, ua.SecurityTokenRequestType.Renew)

    def request(self, request: Structure, now_ns: int, token: Structure | None = None) -> tuple[int, bytes]:
        """A service's request: its number, which the response has to have, and its chunks."""
        number = self._number(request, now_ns, token)
        return number, self._client.message_to_binary(binary.struct_to_binary(request), request_id=number)

    def response(self, response: Structure, number: int, now_ns: int) -> bytes:
        """The answer to a request."""
        _answers(response, number, now_ns)
        answer: bytes = self._server.message_to_binary(binary.struct_to_binary(response), request_id=number)
        return answer

    def call(
        self, request: Structure, response: Structure, now_ns: int, token: Structure | None = None
    ) -> Call:
        """A request and its answer."""
        number, asked = self.request(request, now_ns, token)
        return Call(asked, self.response(response, number, now_ns))

    def abandoned(self, response: Structure, number: int, now_ns: int, status: int, reason: str) -> bytes:
        """An answer whose first chunks were sent when the server gave it up (OPC 10000-6, 6.7.3)."""
        _answers(response, number, now_ns)
        whole = connection.MessageChunk.message_to_chunks(
            self._server.security_policy,
            binary.struct_to_binary(response),
            self._limits.max_send_buffer,
            channel_id=self._channel_id,
            request_id=number,
            token_id=self._token_id,
        )
        told = binary.struct_to_binary(ua.ErrorMessage(ua.StatusCode(status), reason))
        last = whole[-1]
        last.MessageHeader.ChunkType, last.Body = ua.ChunkType.Abort, told
        for chunk in whole:
            self._server._sequence_number += 1
            chunk.SequenceHeader.SequenceNumber = self._server._sequence_number
        return b"".join(chunk.to_binary() for chunk in whole)

    def close(self, now_ns: int, token: Structure | None = None) -> bytes:
        """CloseSecureChannel; nothing answers it."""
        request = ua.CloseSecureChannelRequest()
        number = self._number(request, now_ns, token)
        closing: bytes = self._client.message_to_binary(
            binary.struct_to_binary(request), message_type=ua.MessageType.SecureClose, request_id=number
        )
        return closing

    def _open(self, now_ns: int, kind: Structure) -> Call:
        renews = kind is ua.SecurityTokenRequestType.Renew
        self._token_id += renews
        nonces = [self._chance.randbytes(NONCE_BYTES) if self.security else b"\x00" for _ in range(2)]
        request = ua.OpenSecureChannelRequest()
        asked = request.Parameters
        asked.RequestType = kind
        asked.SecurityMode = self.security.mode if self.security else ua.MessageSecurityMode.None_
        asked.ClientNonce, asked.RequestedLifetime = nonces[0], LIFETIME_MS
        number = self._number(request, now_ns, None)
        opening = self._client.message_to_binary(
            binary.struct_to_binary(request), message_type=ua.MessageType.SecureOpen, request_id=number
        )
        token = ua.ChannelSecurityToken(self._channel_id, self._token_id, moment(now_ns), LIFETIME_MS)
        if not renews:
            self._server.security_token = token
        response = ua.OpenSecureChannelResponse()
        told = response.Parameters
        told.SecurityToken, told.ServerNonce = token, nonces[1]
        _answers(response, number, now_ns)
        opened = self._server.message_to_binary(
            binary.struct_to_binary(response), message_type=ua.MessageType.SecureOpen, request_id=number
        )
        for end, own, others in ((self._client, *nonces), (self._server, *reversed(nonces))):
            theirs = ua.OpenSecureChannelResult(SecurityToken=token, ServerNonce=others)
            end.set_channel(theirs, kind, own)
            if renews:
                end.revolve_tokens()
        return Call(opening, opened)

    def _number(self, request: Structure, now_ns: int, token: Structure | None) -> int:
        self._request_id += 1
        head = request.RequestHeader
        head.AuthenticationToken = token or ua.NodeId()
        head.Timestamp = moment(now_ns)
        head.RequestHandle, head.TimeoutHint = self._request_id, TIMEOUT_MS
        return self._request_id


def _answers(response: Structure, number: int, now_ns: int) -> None:
    response.ResponseHeader.Timestamp = moment(now_ns)
    response.ResponseHeader.RequestHandle = number
    # Lists that say nothing are null, as most servers send them, and not empty.
    response.ResponseHeader.StringTable = None
    parts: tuple[Structure, ...] = (response, getattr(response, "Parameters", response))
    for part in parts:
        if hasattr(part, "DiagnosticInfos"):
            part.DiagnosticInfos = None
