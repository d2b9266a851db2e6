"""Modbus by pymodbus: controllers, pollers, and who asks what once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.pdu import ModbusPDU

from pcaps.lab.plant.stations.report import Counts, Line, ticks
from pcaps.lab.real.stations import PORT, controller

_TIMEOUT_S: Final = 3.0

#: Function, first address, then how many to read or the values to write.
Question = tuple[int, int, int] | tuple[int, int, list[int]]


async def serve(address: str) -> None:
    """A controller with one unit, 200 registers."""
    await controller(address)


def poll(server: str, seconds: float, period_ms: float, questions: Sequence[Question]) -> list[Line]:
    """Ask the questions in turn, again and again, over one connection."""
    counts, client = Counts("modbus", server), _connected(server)
    for number in ticks(seconds, period_ms / 1000):
        _ask(client, questions[number % len(questions)], counts)
    client.close()  # type: ignore[no-untyped-call]
    return counts.lines()


def ask(server: str, questions: Sequence[Question], pause_ms: float = 300) -> list[Line]:
    """Ask each question once, with a pause between, then hang up."""
    counts, client = Counts("modbus", server), _connected(server)
    for question in questions:
        _ask(client, question, counts)
        time.sleep(pause_ms / 1000)
    client.close()  # type: ignore[no-untyped-call]
    return counts.lines()


def _connected(server: str) -> ModbusTcpClient:
    client = ModbusTcpClient(server, port=PORT, timeout=_TIMEOUT_S, retries=0)
    if not client.connect():  # type: ignore[no-untyped-call]
        raise ConnectionError(f"no connection to {server}:{PORT}")
    return client


def _ask(client: ModbusTcpClient, question: Question, counts: Counts) -> None:
    function, address, what = question
    counts.asked(str(function))
    try:
        answer = _send(client, function, address, what)
    except ModbusException:
        # Not answered in time: a lost segment may have been sent again too late. The connection is new afterwards.
        client.connect()  # type: ignore[no-untyped-call]
        return
    if answer.function_code & 0x7F == function:
        counts.answered(str(function))


def _send(client: ModbusTcpClient, function: int, address: int, what: int | list[int]) -> ModbusPDU:
    if isinstance(what, list):
        if function == 6:
            return client.write_register(address, what[0], device_id=1)
        return client.write_registers(address, what, device_id=1)
    ask = {1: client.read_coils, 3: client.read_holding_registers, 4: client.read_input_registers}[function]
    return ask(address, count=what, device_id=1)
