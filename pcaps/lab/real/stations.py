"""What the stations of the recording do, each in its own namespace: `python -m pcaps.lab.real.stations NAME`.

A client's last line says what it asked, and what pymodbus says it was answered: the recording's truth.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from pymodbus.client import ModbusTcpClient
from pymodbus.pdu import ModbusPDU
from pymodbus.server import StartAsyncTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

PORT: Final = 502
READY: Final = "ready"
#: How long the benign pollers talk.
SHIFT_S: Final = 64.0
REGISTERS: Final = 200
PLC1: Final = "10.20.0.11"
PLC2: Final = "10.20.0.12"

_Ask = Callable[[], ModbusPDU]


class Client:
    """One station's connection to one controller; counts what it asks."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._client = ModbusTcpClient(server, port=PORT, timeout=3, retries=0)
        self.counts: Counter[tuple[str, int]] = Counter()
        if not self._client.connect():  # type: ignore[no-untyped-call]
            raise ConnectionError(f"no connection to {server}:{PORT}")

    def read(self, function: int, address: int, count: int) -> None:
        """Function 3 or 4."""
        ask = self._client.read_holding_registers if function == 3 else self._client.read_input_registers
        self._count(function, lambda: ask(address, count=count))

    def write(self, address: int, *values: int) -> None:
        """Function 6 for one value, 16 for more."""
        if len(values) == 1:
            self._count(6, lambda: self._client.write_register(address, values[0]))
        else:
            self._count(16, lambda: self._client.write_registers(address, list(values)))

    def close(self) -> None:
        """Hang up."""
        self._client.close()  # type: ignore[no-untyped-call]

    def report(self) -> list[dict[str, str | int]]:
        """What was asked of the controller, by function."""
        return [
            {
                "server": self._server,
                "function": function,
                "asked": self.counts["asked", function],
                "answered": self.counts["answered", function],
            }
            for what, function in sorted(self.counts)
            if what == "asked"
        ]

    def _count(self, function: int, ask: _Ask) -> None:
        self.counts["asked", function] += 1
        if not ask().isError():
            self.counts["answered", function] += 1


def operator_station() -> list[Client]:
    """hmi1: both controllers' screens, every two and five seconds, as the policy's polls say."""
    first, second = Client(PLC1), Client(PLC2)
    start = time.monotonic()
    for tick in range(int(SHIFT_S)):
        _until(start + tick)
        if tick % 2 == 0:
            first.read(3, 0, 20)
        if tick % 5 == 0:
            second.read(4, 0, 16)
    return [first, second]


def historian() -> list[Client]:
    """hist1: reads trends; at 40 s somebody uses it to write setpoints, which its rule denies."""
    client = Client(PLC1)
    start = time.monotonic()
    for tick in range(0, int(SHIFT_S), 10):
        _until(start + tick + 3)
        client.read(4, 0, 60)
        if tick == 40:
            for value in (410, 420, 430):
                time.sleep(0.7)
                client.write(105, value)
    return [client]


def engineering_station() -> list[Client]:
    """ews1: sets mill setpoints, inside the registers that its rule gives it."""
    time.sleep(12)
    client = Client(PLC1)
    client.read(3, 100, 20)
    time.sleep(2)
    client.write(100, 1450, 1455, 620, 75)
    time.sleep(1)
    client.write(110, 900)
    client.read(3, 100, 20)
    return [client]


def office_workstation() -> list[Client]:
    """ent-ws7: comes straight from the enterprise network, looks around, and writes."""
    time.sleep(24)
    client = Client(PLC1)
    for address in (0, 40, 80, 100):
        client.read(3, address, 20)
        time.sleep(0.8)
    for values in ((0, 0, 0, 0), (3000, 3000, 2000, 500), (3000, 3000, 2000, 500)):
        client.write(100, *values)
        time.sleep(1.5)
    client.read(3, 100, 20)
    return [client]


async def controller(address: str) -> None:
    """plc1, plc2: pymodbus's server, four separate tables."""
    holding = [1000 + 7 * register % 500 for register in range(REGISTERS)]
    inputs = [2000 + 53 * (register % 40) for register in range(REGISTERS)]
    device = SimDevice(
        1,
        (
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=[False] * 16, datatype=DataType.BITS)],
            [SimData(0, values=holding, datatype=DataType.REGISTERS)],
            [SimData(0, values=inputs, datatype=DataType.REGISTERS)],
        ),
    )
    server = asyncio.create_task(StartAsyncTcpServer(device, address=(address, PORT)))
    while True:
        try:
            _, writer = await asyncio.open_connection(address, PORT)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        break
    _say(READY)
    await server


CLIENTS: Final = {
    "hmi1": operator_station,
    "hist1": historian,
    "ews1": engineering_station,
    "ent-ws7": office_workstation,
}
CONTROLLERS: Final = {"plc1": PLC1, "plc2": PLC2}


def main(name: str) -> None:
    """Be that station; a client ends by itself, a controller when it is stopped."""
    if name in CONTROLLERS:
        asyncio.run(controller(CONTROLLERS[name]))
        return
    clients = CLIENTS[name]()
    for client in clients:
        client.close()
    _say(json.dumps([client.report() for client in clients]))


def _until(moment_s: float) -> None:
    time.sleep(max(0.0, moment_s - time.monotonic()))


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
