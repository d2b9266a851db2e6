"""Modbus/TCP stations: a controller that answers, a client that polls. The PDUs' bytes are pymodbus's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pymodbus.framer import FramerSocket
from pymodbus.pdu import DecodePDU, ExceptionResponse, ModbusPDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
    WriteMultipleRegistersRequest,
    WriteMultipleRegistersResponse,
    WriteSingleRegisterRequest,
    WriteSingleRegisterResponse,
)

from pcaps.lab.synth.clock import SECOND, Clock, Process, Wait
from pcaps.lab.synth.network import Host, Network
from pcaps.lab.synth.tally import Said
from pcaps.lab.synth.tcp import Endpoint, connection

PORT: Final = 502
UNIT: Final = 1
READ_HOLDING: Final = 3
READ_INPUT: Final = 4
WRITE_SINGLE: Final = 6
WRITE_MULTIPLE: Final = 16
_HEADER: Final = 6
_ILLEGAL_ADDRESS: Final = 2

_requests = FramerSocket(DecodePDU(True))
_responses = FramerSocket(DecodePDU(False))
_decode = DecodePDU(True)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks: `values` only where it writes."""

    function: int
    address: int
    quantity: int
    values: tuple[int, ...] = ()

    def adu(self, transaction_id: int) -> bytes:
        """The message with its MBAP header."""
        pdu: ModbusPDU
        if self.function == READ_HOLDING:
            pdu = ReadHoldingRegistersRequest(count=self.quantity)
        elif self.function == READ_INPUT:
            pdu = ReadInputRegistersRequest(count=self.quantity)
        elif self.function == WRITE_SINGLE:
            pdu = WriteSingleRegisterRequest(registers=list(self.values))
        elif self.function == WRITE_MULTIPLE:
            pdu = WriteMultipleRegistersRequest(registers=list(self.values))
        else:
            raise ValueError(f"function {self.function} is not one the samples use")
        pdu.address = self.address
        return _framed(_requests, pdu, transaction_id)


class _Messages:
    """Bytes of a stream in, whole messages out."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._buffer += data
        while len(self._buffer) >= _HEADER:
            length = _HEADER + int.from_bytes(self._buffer[4:_HEADER], "big")
            if len(self._buffer) < length:
                return
            message, self._buffer = self._buffer[:length], self._buffer[length:]
            yield message


@dataclass(slots=True)
class Controller:
    """A controller's registers and its pace: it answers one request after the other, at the end of a scan."""

    host: Host
    registers: int
    service_ns: int
    service_jitter_ns: int
    chance: random.Random
    holding: dict[int, int] = field(default_factory=dict)
    _busy_until_ns: int = 0

    def serve(self, endpoint: Endpoint) -> None:
        """Answer what arrives at this end of a connection."""
        messages = _Messages()

        def answer(data: bytes) -> None:
            for message in messages.feed(data):
                service = self.service_ns + round(self.service_jitter_ns * (2 * self.chance.random() - 1))
                self._busy_until_ns = max(self._busy_until_ns, endpoint.clock.now_ns) + service
                response = self._response(message, endpoint.clock.now_ns)
                endpoint.clock.at(self._busy_until_ns, partial(endpoint.send, response))

        endpoint.on_data = answer

    def _response(self, message: bytes, now_ns: int) -> bytes:
        request = _decode.decode(message[7:])
        if request is None:
            raise ValueError(f"pymodbus cannot read the request {message.hex()}")
        code = request.function_code
        quantity = 1 if code == WRITE_SINGLE else request.count
        answer: ModbusPDU
        if request.address + quantity > self.registers:
            answer = ExceptionResponse(code, _ILLEGAL_ADDRESS)
        elif code == READ_HOLDING:
            answer = ReadHoldingRegistersResponse(registers=self._read(request, self._setpoint, now_ns))
        elif code == READ_INPUT:
            answer = ReadInputRegistersResponse(registers=self._read(request, _reading, now_ns))
        elif code == WRITE_SINGLE:
            self.holding[request.address] = request.registers[0]
            answer = WriteSingleRegisterResponse(registers=request.registers)
        else:
            self.holding.update(enumerate(request.registers, request.address))
            answer = WriteMultipleRegistersResponse(count=request.count)
        answer.address = request.address
        return _framed(_responses, answer, int.from_bytes(message[:2], "big"))

    def _setpoint(self, address: int, now_ns: int) -> int:
        return self.holding.get(address, 1000 + 7 * address % 500)

    @staticmethod
    def _read(request: ModbusPDU, register: Callable[[int, int], int], now_ns: int) -> list[int]:
        return [
            register(address, now_ns) for address in range(request.address, request.address + request.count)
        ]


def _framed(framer: FramerSocket, pdu: ModbusPDU, transaction_id: int) -> bytes:
    pdu.dev_id = UNIT
    pdu.transaction_id = transaction_id
    return framer.buildFrame(pdu)


def _reading(address: int, now_ns: int) -> int:
    """An input register's value: a slow triangle. Integers only, so the same everywhere."""
    period_s = 240 + 37 * (address % 11)
    phase = (now_ns // SECOND + 61 * address) % period_s
    height = min(phase, period_s - phase) * 400 // period_s
    return 2000 + 53 * (address % 40) + height


@dataclass(slots=True)
class Client:
    """One client's conversations with one controller: a new connection every now and then."""

    network: Network
    host: Host
    server: Controller
    first_port: int
    connections: int = 0
    asked: int = 0
    answered: int = 0
    #: Every request that was answered, in the order of the answers.
    said: list[Said] = field(default_factory=list)
    endpoint: Endpoint | None = None
    _waker: Callable[[], None] | None = None
    #: When, and with what function, the requests were sent that have no answer yet: it answers them in order.
    _outstanding: list[tuple[int, int]] = field(default_factory=list)

    def poll(
        self,
        requests: Sequence[Request],
        *,
        start_ns: int,
        end_ns: int,
        period_ns: int,
        connection_ns: int,
        at_once: bool = False,
    ) -> Process:
        """Ask `requests` every period, one by one or all at once, on a new connection every so often.

        Two connections of three end with a FIN, the third as abruptly as many clients do it, with a RST.
        """
        renew_ns = start_ns
        for tick_ns in range(start_ns, end_ns, period_ns):
            if tick_ns < self._clock.now_ns:
                continue  # the last answer came late: a real poller skips the slot too
            yield tick_ns
            if tick_ns >= renew_ns:
                yield from self.hang_up(abruptly=self.connections % 3 == 2)
                yield from self.dial()
                renew_ns += connection_ns
            if at_once:
                yield self._ask(requests)
            else:
                for request in requests:
                    yield self._ask((request,))
        yield from self.hang_up()

    def session(self, start_ns: int, requests: Sequence[Request], pause_ns: int) -> Process:
        """Connect, ask one after the other with a pause between, and hang up."""
        yield start_ns
        yield from self.dial()
        for request in requests:
            yield self._ask((request,))
            yield self._clock.now_ns + pause_ns
        yield from self.hang_up()

    def dial(self) -> Process:
        """Open a new connection."""
        client, server = connection(
            self.network, self.host, self.first_port + self.connections, self.server.host, PORT
        )
        self.connections += 1
        self.endpoint = client
        self.server.serve(server)
        messages = _Messages()

        def answered(data: bytes) -> None:
            for message in messages.feed(data):
                self.answered += 1
                at_ns, function = self._outstanding.pop(0)
                self.said.append(Said(at_ns, function, answered=True, refused=message[7] != function))
            if not self._outstanding and self._waker is not None:
                waker, self._waker = self._waker, None
                waker()

        client.on_data = answered

        def opened(waker: Callable[[], None]) -> None:
            client.on_open = waker
            client.connect()

        yield opened

    def hang_up(self, *, abruptly: bool = False) -> Process:
        """End the connection, where there is one, and give the other end a moment."""
        if self.endpoint is None:
            return
        if abruptly:
            self.endpoint.reset()
        else:
            self.endpoint.close()
        self.endpoint = None
        yield self._clock.now_ns + SECOND // 10

    def _ask(self, requests: Sequence[Request]) -> Wait:
        endpoint = self.endpoint
        if endpoint is None:
            raise ValueError(f"{self.host.name} asks {self.server.host.name} without a connection")
        adus = [request.adu(self.asked + i & 0xFFFF) for i, request in enumerate(requests)]
        self.asked += len(adus)
        self._outstanding = [(self._clock.now_ns, request.function) for request in requests]

        def answered(waker: Callable[[], None]) -> None:
            self._waker = waker
            for adu in adus:
                endpoint.send(adu)

        return answered

    @property
    def _clock(self) -> Clock:
        return self.network.clock
