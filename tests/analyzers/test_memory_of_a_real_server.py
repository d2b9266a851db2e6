"""A real pymodbus server and client, a capture of what they said: the map is what the server's memory holds."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue
from typing import Any

import polars as pl
import pytest
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from analyzers.frames import frame_of
from analyzers.memory_map import MemoryMaps
from sensors.engine import decode
from sensors.records import MODBUS
from tests.support.recording_proxy import RecordingProxy

SIZE = 64
UNIT = 7


@contextmanager
def server(framer: FramerType) -> Iterator[tuple[str, int]]:
    """A Modbus server on loopback: where it listens."""
    ready: Queue[tuple[str, int]] = Queue()
    stop: list[asyncio.Event] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        bits = [SimData(0, values=[False] * 16, count=SIZE // 16, datatype=DataType.BITS)]
        registers = [SimData(0, values=list(range(1000, 1000 + SIZE)), datatype=DataType.REGISTERS)]
        device = SimDevice(UNIT, (bits, list(bits), registers, list(registers)))
        modbus = ModbusTcpServer(device, framer=framer, address=("127.0.0.1", 0))
        await modbus.serve_forever(background=True)
        stop.append(asyncio.Event())
        transport: Any = modbus.transport
        ready.put(transport.sockets[0].getsockname())
        await stop[0].wait()
        await modbus.shutdown()  # type: ignore[no-untyped-call]

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield ready.get(timeout=60)
    finally:
        loop.call_soon_threadsafe(stop[0].set)
        thread.join()
        loop.close()


def work(client: ModbusTcpClient, chance: random.Random) -> None:
    """Reads and writes by every function that touches a register or a coil, some of them refused."""
    for _ in range(120):
        address, count = chance.randrange(SIZE - 8), chance.randint(1, 8)
        values = [chance.randrange(65_536) for _ in range(count)]
        match chance.randrange(9):
            case 0:
                client.read_coils(address, count=count, device_id=UNIT)
            case 1:
                client.read_discrete_inputs(address, count=count, device_id=UNIT)
            case 2:
                client.read_holding_registers(address, count=count, device_id=UNIT)
            case 3:
                client.read_input_registers(address, count=count, device_id=UNIT)
            case 4:
                client.write_coil(address, value=bool(values[0] & 1), device_id=UNIT)
            case 5:
                client.write_coils(address, [bool(value & 1) for value in values], device_id=UNIT)
            case 6:
                client.write_register(address, values[0], device_id=UNIT)
            case 7:
                client.write_registers(address, values, device_id=UNIT)
            case _:
                # Beyond the end: refused, and so without effect.
                assert client.write_registers(SIZE - 2, [7, 7, 7, 7], device_id=UNIT).isError()
    client.read_holding_registers(0, count=SIZE, device_id=UNIT)
    for address in range(0, SIZE, 5):
        client.mask_write_register(address=address, and_mask=0xF0F2, or_mask=0x0025, device_id=UNIT)
    client.readwrite_registers(read_address=1, read_count=4, write_address=3, values=[9, 8], device_id=UNIT)


@pytest.mark.parametrize(
    ("framer", "word"), [(FramerType.SOCKET, "tcp"), (FramerType.RTU, "rtu_over_tcp")], ids=["tcp", "rtu"]
)
def test_the_map_is_what_the_server_holds(tmp_path: Path, framer: FramerType, word: str) -> None:
    with server(framer) as place:
        with RecordingProxy(place, server_port=5020) as proxy:
            host, port = proxy.address
            with ModbusTcpClient(host, port=port, framer=framer) as client:
                work(client, random.Random(7))
        # What the server holds in the end, read where no capture sees it.
        with ModbusTcpClient(place[0], port=place[1], framer=framer) as direct:
            holding = direct.read_holding_registers(0, count=SIZE, device_id=UNIT).registers
            coils = direct.read_coils(0, count=SIZE, device_id=UNIT).bits
            inputs = direct.read_input_registers(0, count=SIZE, device_id=UNIT).registers
    maps = MemoryMaps()
    framings: set[str] = set()
    with decode(proxy.write(tmp_path / "talk.pcap")) as run:
        for batches in run:
            rows = frame_of(batches, MODBUS)
            framings.update(rows["framing"])
            assert not rows["outcome"].is_in(["orphan", "unanswered"]).any()
            maps.add(rows)
    assert framings == {word}
    registers = maps.registers()
    assert registers["unit"].unique().to_list() == [UNIT]
    held = {
        (table, address): value
        for table, address, value in registers.select("table", "address", "value").rows()
    }
    assert {address: value for (table, address), value in held.items() if table == "holding"} == dict(
        enumerate(holding)
    )
    for table, truth in (("coils", coils), ("input", inputs)):
        known = {address: value for (name, address), value in held.items() if name == table}
        assert len(known) > SIZE / 3
        assert known == {address: int(truth[address]) for address in known}
    assert registers.filter(pl.col("table") == "discrete")["writes"].sum() == 0
