"""tcpdump on mirror ports in; captures that name nothing of this machine out."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pcaps.lab.plant.layout import SPANS
from pcaps.lab.plant.link.frames import FIN, TCP, identify
from pcaps.lab.plant.plant import Plant
from pcaps.lab.plant.shell import inside
from pcaps.lab.problems import LabError
from pcaps.lab.real.recorded import frames
from pcaps.lab.synth.pcapng import Frame, Interface, encode

_STOP_S: Final = 30
#: The last frames of a conversation are still on their way when its client has ended.
_TAIL_S: Final = 0.6
#: Frames that wait for tcpdump, in KiB: it may have to wait for a processor.
_BUFFER_KIB: Final = 65_536
#: More than any frame of the plant. Each takes so much of the buffer, whatever its length.
_SNAPLEN: Final = 2_048


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out of a capture on purpose."""

    frames: int
    #: TCP segments that a peer acknowledges: with payload, or the end of a stream.
    segments: int
    #: Segments with payload that are still in it.
    data_segments_left: int


@contextmanager
def recording(plant: Plant, spans: Sequence[str], scratch: Path) -> Iterator[dict[str, Path]]:
    """Tcpdump on each mirror port, listening; at the end its file is whole.

    LabError where a mirror port goes away meanwhile, or tcpdump had to drop frames: truth is then unknown.
    """
    files = {span: scratch / f"{span}.pcap" for span in spans}
    with ExitStack() as stack:
        for span, file in files.items():
            stack.enter_context(_tcpdump(plant.namespace(SPANS[span]), span, file))
        yield files
        time.sleep(_TAIL_S)


def without(captured: Sequence[Frame], share: float, seed: int) -> tuple[list[Frame], Removed]:
    """The capture without a share of its frames, chosen by chance, and what was removed."""
    chance = random.Random(seed)
    kept: list[Frame] = []
    removed = removed_segments = left = 0
    for frame in captured:
        who = identify(frame.data)
        has_data = who is not None and who.proto == TCP and who.payload > 0
        ends = who is not None and who.proto == TCP and bool(who.flags & FIN)
        if chance.random() < share:
            removed += 1
            removed_segments += has_data or ends
        else:
            kept.append(frame)
            left += has_data
    return kept, Removed(removed, removed_segments, left)


def captured(pcap: Path) -> list[Frame]:
    """The frames that tcpdump wrote, in the order of time: two processors may hand theirs over in another one."""
    return sorted(frames(pcap), key=lambda frame: frame.ts_ns)


def as_capture(captured: Sequence[Frame], span: str, scenario: str) -> bytes:
    """The pcapng file of a mirror port's frames."""
    return encode(
        captured,
        [Interface(span, f"Mirror port {span} of the lab plant")],
        comment=f"Geophone lab, scenario '{scenario}': real stacks in network namespaces",
    )


@contextmanager
def _tcpdump(namespace: str, span: str, pcap: Path) -> Iterator[None]:
    command = [
        *("tcpdump", "-i", span, "-n", "--immediate-mode", "--time-stamp-precision=nano"),
        *("-B", str(_BUFFER_KIB), "-Q", "in", "-Z", "root", "-s", str(_SNAPLEN), "-w", str(pcap)),
    ]
    log = pcap.with_suffix(".log")
    with (
        log.open("wb") as said,
        subprocess.Popen(
            inside(namespace, *command),
            stdin=subprocess.DEVNULL,
            # Not the lab's own: who reads that would wait for tcpdump where the lab is killed.
            stdout=subprocess.DEVNULL,
            stderr=said,
            start_new_session=True,
        ) as tcpdump,
    ):
        try:
            _wait_until_it_listens(tcpdump, log, span)
            yield
            if tcpdump.poll() is not None or not _is_up(namespace, span):
                raise LabError(
                    f"the mirror port {span} went away while it was recorded; build the lab anew: geophone lab down, "
                    "geophone lab up"
                )
        finally:
            tcpdump.send_signal(signal.SIGTERM)
            try:
                tcpdump.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                tcpdump.kill()
    dropped = re.search(r"(\d+) packets? dropped by kernel", log.read_text(errors="replace"))
    if dropped is None or int(dropped[1]):
        count = dropped[1] if dropped else "an unknown number of"
        raise LabError(
            f"tcpdump on {span} dropped {count} frames: this machine is too busy to know the truth; play it again"
        )


def _wait_until_it_listens(tcpdump: subprocess.Popen[bytes], log: Path, span: str) -> None:
    deadline = time.monotonic() + _STOP_S
    while "listening on" not in log.read_text(errors="replace"):
        if tcpdump.poll() is not None or time.monotonic() > deadline:
            raise LabError(f"tcpdump cannot listen on {span}: {_last_line(log)}")
        time.sleep(0.02)


def _is_up(namespace: str, span: str) -> bool:
    shown = subprocess.run(
        ["ip", "-n", namespace, "-br", "link", "show", "dev", span],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.returncode == 0 and "UP" in shown.stdout.partition("<")[2].rstrip(">\n ").split(",")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
