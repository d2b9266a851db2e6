"""tshark, run on one capture: arguments in; its output, streamed, or an error that says how to mend it, out.

What it must not do: look up names, ask the network, follow the user's own preferences (an answer that depends on
them is no second opinion), take all memory, or fail unnoticed. A crash is an error here whatever was read before.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

#: Memory that tshark may take: it keeps state for every frame and stream, and hostile captures make much of it.
MEMORY_BYTES: Final = 6 * 2**30

#: What makes the comparison fair. Checksums are not ours to judge: capture hosts leave them to the network card.
_PREFERENCES: Final = (
    "tcp.desegment_tcp_streams:TRUE",
    "tcp.analyze_sequence_numbers:TRUE",
    "tcp.check_checksum:FALSE",
    "ip.check_checksum:FALSE",
    "udp.check_checksum:FALSE",
    "ip.defragment:TRUE",
    "ipv6.defragment:TRUE",
)

_CUT_SHORT: Final = "appears to have been cut short"
#: Lines that tshark writes to every user of a kind; they say nothing of the capture.
_CHATTER: Final = re.compile(r'^(Running as user "root"|\s*$)')


class NoWireshark(Exception):
    """tshark is not there; the text is for the user."""

    def __init__(self) -> None:
        super().__init__(
            "tshark is not installed, so there is no second opinion; install it: apt-get install tshark"
        )


class WiresharkFailed(Exception):
    """tshark crashed, or refused the capture; the text is for the user."""


@dataclass(frozen=True, slots=True)
class Wireshark:
    """An installed tshark."""

    path: str
    #: As it names itself, for example 4.0.17.
    version: str
    #: What tshark said of captures that it read nevertheless.
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def find(cls) -> Wireshark:
        """The tshark of this machine; raises NoWireshark and WiresharkFailed."""
        path = shutil.which("tshark")
        if path is None:
            raise NoWireshark
        try:
            said = subprocess.run(  # noqa: S603
                [path, "--version"], capture_output=True, text=True, timeout=60, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError) as error:
            raise WiresharkFailed(f"{path} --version: {error}; install tshark again") from error
        number = re.search(r"\d+\.\d+\.\d+", said)
        return cls(path, number[0] if number else said.partition("\n")[0])

    @contextmanager
    def reading(
        self, capture: Path, arguments: Sequence[str], *, in_order_only: bool = True
    ) -> Iterator[IO[bytes]]:
        """Standard output of tshark over a capture, in two passes; raises WiresharkFailed at its end.

        `in_order_only` is Wireshark's default: a segment that comes before an earlier one is never put into its
        place. Leave the block early and tshark is stopped.
        """
        command = [self.path, "-n", "-2", "-r", os.fspath(capture)]
        order = f"tcp.reassemble_out_of_order:{'FALSE' if in_order_only else 'TRUE'}"
        for preference in (*_PREFERENCES, order):
            command += ["-o", preference]
        command += arguments
        with tempfile.TemporaryDirectory() as settings, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"WIRESHARK_CONFIG_DIR": settings, "LC_ALL": "C.UTF-8"},
            )
            # It may have ended already, and then there is nothing to bound.
            with suppress(ProcessLookupError, PermissionError):
                resource.prlimit(process.pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            assert process.stdout is not None  # noqa: S101
            try:
                yield process.stdout
                ended = not process.stdout.read(1)
            except BaseException:
                process.kill()
                raise
            finally:
                process.stdout.close()
                if process.poll() is None and not _ends_soon(process):
                    process.kill()
                process.wait()
            if ended:
                errors.seek(0)
                self._judge(capture, process.returncode, errors.read(65_536).decode(errors="replace"))

    def _judge(self, capture: Path, status: int, said: str) -> None:
        """Whether a run was good, by its status and what it said."""
        words = " ".join(line.strip() for line in said.splitlines() if not _CHATTER.match(line))
        if status < 0:
            name = signal.Signals(-status).name
            raise WiresharkFailed(
                f"{capture}: tshark {self.version} crashed ({name}): {words or 'it said nothing'}; "
                "compare a part of the capture (editcap -r), or another version of tshark"
            )
        if status and _CUT_SHORT not in words:
            raise WiresharkFailed(
                f"{capture}: tshark {self.version} gave up with status {status}: {words or 'it said nothing'}"
            )
        if words and words not in self.remarks:
            self.remarks.append(words)


def _ends_soon(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process whose output is at its end, or is not wanted any more, ends by itself."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
        return True
    return False
