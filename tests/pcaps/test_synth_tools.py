"""Ways by which tools are carried, as the lab has them: the sensor reads them, and Wireshark agrees."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from pcaps.lab.synth import smb, winrm
from pcaps.lab.synth.dialogue import Line
from tests.pcaps.two_stations import START_NS, Said, capture, rows

TSHARK = shutil.which("tshark")
ODD_PORT = 8_085
HOST = "10.20.0.31:8085"


def program_run() -> list[Line]:
    """A program copied and run the way PsExec does."""
    said = smb.Session(random.Random(5), START_NS, "hist2", "service", "hmi2")
    said.share("ADMIN$")
    said.write_file("PSEXESVC.exe", 9_000)
    said.share("IPC$")
    said.ask_service_manager()
    said.hear_pipe("PSEXESVC", (200, 90))
    return said.lines


def file_read() -> list[Line]:
    said = smb.Session(random.Random(6), START_NS, "hist2", "reports", "ews2")
    said.share("recipes")
    said.read_file("pump1.csv", 6_000)
    return said.lines


def orders() -> list[Line]:
    return winrm.session(random.Random(7), START_NS, HOST, ((900, 1_400), (700, 2_200)))


def test_the_sensor_reads_who_logs_in_and_what_is_opened(tmp_path: Path) -> None:
    seen = rows(capture(tmp_path, Said(smb.PORT, program_run()), Said(smb.PORT, file_read())))
    assert "anomalies" not in seen
    program, file = seen["services"].sort("client_port").to_dicts()
    assert (program["service"], program["version"], program["login"]) == ("smb", "SMB 3.0.2", "yes")
    assert (program["user"], program["client_name"]) == ("PLANT\\service", "HIST2")
    assert (program["detail"], file["detail"]) == ("share \\\\hmi2\\ADMIN$", "share \\\\ews2\\recipes")


def test_orders_are_known_by_what_is_asked_for_on_any_port(tmp_path: Path) -> None:
    seen = rows(capture(tmp_path, Said(ODD_PORT, orders())))
    assert "anomalies" not in seen
    (one,) = seen["services"].to_dicts()
    assert (one["service"], one["client_software"]) == ("winrm", "Microsoft WinRM Client")
    assert seen["http"]["status"].to_list() == [200, 200]


@pytest.mark.skipif(TSHARK is None, reason="tshark is not installed")
def test_wireshark_dissects_all_of_it_and_finds_nothing_malformed(tmp_path: Path) -> None:
    assert TSHARK is not None
    path = capture(
        tmp_path, Said(smb.PORT, program_run()), Said(smb.PORT, file_read()), Said(ODD_PORT, orders())
    )
    command = [TSHARK, "-n", "-r", str(path), "-d", f"tcp.port=={ODD_PORT},http", "-T", "fields"]
    for name in ("_ws.malformed", "smb2.tree", "smb2.filename", "ntlmssp.auth.username", "http.request.uri"):
        command += ["-e", name]
    command += ["-e", "dcerpc.cn_bind_to_uuid", "-e", "dcerpc.cn_ack_result"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    malformed, trees, files, users, pages, bound, taken = (
        {value for value in column if value}
        for column in zip(*(line.split("\t") for line in shown.split("\n")[:-1]), strict=True)
    )
    assert malformed == set()
    assert trees >= {"\\\\hmi2\\ADMIN$", "\\\\hmi2\\IPC$", "\\\\ews2\\recipes"}
    assert files == {"PSEXESVC.exe", "svcctl", "PSEXESVC", "pump1.csv"}
    assert users == {"service", "reports"}
    assert pages == {"/wsman"}
    # [MS-SCMR], 1.9: the interface of the service manager.
    assert bound == {"367abb81-9844-35f1-ad32-98f038001003"}
    assert taken == {"0"}
