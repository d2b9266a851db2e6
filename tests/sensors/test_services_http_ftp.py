"""HTTP and FTP as Python's own clients and servers speak them; planted passwords are in no table."""

from __future__ import annotations

import base64
import ftplib
import http.client
import http.server
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.sensors.conversations import only, read, tshark
from tests.support.recording_proxy import RecordingProxy

PLANTED: Final = "pl4nted-s3cret"


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers everything with a page, without a length where that is asked for."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = b"<html>" + b"x" * 5_000
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Type", "text/html")
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for start in range(0, len(body), 1_000):
                piece = body[start : start + 1_000]
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Quiet."""


class Files(socketserver.StreamRequestHandler):
    """As much of an FTP server as a login needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 Recorder FTP 1.2\r\n")
        for line in self.rfile:
            name, _, argument = line.decode().strip().partition(" ")
            match name:
                case "USER":
                    self.wfile.write(b"331 Password please\r\n")
                case "PASS":
                    right = argument == PLANTED
                    self.wfile.write(b"230 Welcome\r\n" if right else b"530 Login incorrect\r\n")
                case "QUIT":
                    self.wfile.write(b"221 Bye\r\n")
                    return
                case _:
                    self.wfile.write(b"502 No\r\n")


@contextmanager
def recorded(server: socketserver.TCPServer, file: Path, port: int) -> Iterator[tuple[str, int]]:
    """The server behind a proxy that writes the conversation down."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    host, at = server.server_address[:2]
    try:
        with RecordingProxy((str(host), int(at)), server_port=port) as proxy:
            yield proxy.address
        proxy.write(file)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_transactions_are_what_wireshark_reads_and_the_client_sent(tmp_path: Path) -> None:
    file = tmp_path / "http.pcap"
    asked = ["/", "/chunks", "/missing", "/chunks?token=" + PLANTED]
    basic = base64.b64encode(f"operator1:{PLANTED}".encode()).decode()
    with recorded(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages), file, 80) as address:
        client = http.client.HTTPConnection(*address)
        for path in asked:
            client.request("GET", path, headers={"User-Agent": "poller/1.0"})
            client.getresponse().read()
        headers = {"Authorization": f"Basic {basic}", "User-Agent": "poller/1.0"}
        client.request("POST", "/set", body=f"password={PLANTED}", headers=headers)
        client.getresponse().read()
        client.close()
    rows = read(file)
    told = [(row["method"], row["path"], row["status"], row["outcome"]) for row in rows["http"]]
    assert told == [
        ("GET", "/", 200, "answered"),
        ("GET", "/chunks", 200, "answered"),
        ("GET", "/missing", 404, "answered"),
        ("GET", "/chunks", 200, "answered"),
        ("POST", "/set", 200, "answered"),
    ]
    requests = tshark(file, "http.request", "frame.number", "http.host", "http.user_agent")
    # Wireshark shows a request where its body is whole, we where its head is.
    heads = [[str(row["request_frame"]), row["host"], row["user_agent"]] for row in rows["http"]]
    assert heads[:-1] == requests[:-1]
    assert heads[-1][1:] == requests[-1][1:]
    statuses = tshark(file, "http.response", "http.response.code", "http.server")
    assert [[str(row["status"]), row["server"]] for row in rows["http"]] == statuses
    assert [row["secret_seen"] for row in rows["http"]] == [False, False, False, True, True]
    assert [row["authentication"] for row in rows["http"]][-1] == "Basic"
    row = only(rows, "services")
    assert (row["service"], row["client_software"]) == ("http", "poller/1.0")
    assert row["server_software"].startswith("BaseHTTP/")
    assert PLANTED not in str(rows) and basic not in str(rows)


def test_an_ftp_login_and_its_refusals(tmp_path: Path) -> None:
    file = tmp_path / "ftp.pcap"
    with recorded(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Files), file, 21) as (host, port):
        client = ftplib.FTP()  # noqa: S321 - a capture of it is wanted
        client.connect(host, port)
        for password in (f"not-{PLANTED}", PLANTED):
            try:
                client.login("operator1", password)
            except ftplib.error_perm:
                continue
        client.quit()
    rows = read(file)
    row = only(rows, "services")
    assert (row["service"], row["confidence"], row["user"]) == ("ftp", "handshake", "operator1")
    assert (row["login"], row["refused_logins"], row["secret_seen"]) == ("yes", 1, True)
    assert row["server_software"] == "Recorder FTP 1.2"
    codes = [code for (code,) in tshark(file, "ftp.response", "ftp.response.code")]
    assert codes.count("530") == row["refused_logins"]
    assert PLANTED not in str(rows)
