"""The techniques that no finding cites, and why: what passive traffic cannot show, and what is not judged."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Unseen(StrEnum):
    """Why a technique is not told of."""

    HOST = "inside a host"
    ELSEWHERE = "not on this network"
    PLANT = "an effect in the plant"
    NOT_JUDGED = "not judged yet"


_HOST, _ELSEWHERE, _PLANT, _NOT_JUDGED = Unseen.HOST, Unseen.ELSEWHERE, Unseen.PLANT, Unseen.NOT_JUDGED

#: Technique -> why it is not told of, and what that rests on.
UNSEEN: Final[dict[str, tuple[Unseen, str]]] = {
    "T0800": (
        _NOT_JUDGED,
        "The order is a private message of each maker; those that are decoded are stored only.",
    ),
    "T0801": (
        _NOT_JUDGED,
        "Reading values looks like the work of any HMI; what is new needs a learned baseline.",
    ),
    "T0803": (
        _NOT_JUDGED,
        "A command that never arrives is not on the wire; one without an answer counts as an outage.",
    ),
    "T0805": (_ELSEWHERE, "Serial lines are not mirrored; behind a gateway only silence is seen."),
    "T0807": (
        _HOST,
        "Commands typed on a console make no packet; in Telnet and SSH the session is seen, not the command.",
    ),
    "T0811": (
        _NOT_JUDGED,
        "Queries of historians and shares are seen as conversations, not by what is fetched.",
    ),
    "T0813": (_PLANT, "That operators can no longer control is known in the control room, not on the wire."),
    "T0815": (
        _PLANT,
        "That operators can no longer see is known in the control room; outages of polls are told (SLA-01).",
    ),
    "T0817": (_HOST, "A web page that takes over a browser does so inside it, mostly in TLS."),
    "T0819": (_NOT_JUDGED, "Needs signatures of exploits; what is reachable from outside is told (SEG-06)."),
    "T0820": (_HOST, "An exploit that evades a device's own protection shows in its memory."),
    "T0821": (
        _HOST,
        "Tasks of a controller are its own; the download that changes them is told as possible (M12).",
    ),
    "T0823": (_HOST, "Clicks in a window; over RDP and VNC the session is seen, not what is clicked."),
    "T0826": (_PLANT, "Availability of the process; that of conversations is measured (docs/sla.md)."),
    "T0827": (_PLANT, "Known in the control room, not on the wire."),
    "T0828": (_PLANT, "Known to the plant's books."),
    "T0829": (_PLANT, "Known in the control room; polls that come to nothing are told (SLA-01)."),
    "T0831": (_PLANT, "Who wrote what is told (SEG-05); what the process made of it is not on the wire."),
    "T0834": (_HOST, "Calls inside an operating system."),
    "T0835": (_HOST, "The image of inputs and outputs is memory of a controller."),
    "T0837": (_PLANT, "Whether a protection would act is known to the protection."),
    "T0839": (
        _NOT_JUDGED,
        "Transfers to modules are private messages of each maker; a changed version is told (G7).",
    ),
    "T0840": (_HOST, "Lists of connections are read inside a host."),
    "T0845": (
        _NOT_JUDGED,
        "Uploads of S7comm and others are decoded and stored; they are daily work of engineers.",
    ),
    "T0847": (_ELSEWHERE, "A stick in a socket makes no packet; what it brings is seen when it talks."),
    "T0851": (_HOST, "Hides inside a host or a device."),
    "T0852": (_HOST, "Pictures of a screen are taken inside a host."),
    "T0853": (_HOST, "Scripts run inside a host."),
    "T0858": (_NOT_JUDGED, "Run and stop orders of S7comm, CIP and others are decoded and stored."),
    "T0860": (
        _ELSEWHERE,
        "Radio is not mirrored by a switch; what comes over it is seen behind the access point.",
    ),
    "T0862": (_ELSEWHERE, "Happens before delivery."),
    "T0863": (_HOST, "Somebody opens a file."),
    "T0865": (_ELSEWHERE, "Mail is read in the office; mail in a control zone is told (SEG-14)."),
    "T0868": (_NOT_JUDGED, "Questions for the mode are decoded and stored; engineers ask them every day."),
    "T0872": (_HOST, "Logs are removed inside a host."),
    "T0873": (_HOST, "Project files lie on the engineer's disk."),
    "T0874": (_HOST, "Functions are replaced in memory."),
    "T0877": (_HOST, "The image of inputs and outputs is memory of a controller."),
    "T0879": (_PLANT, "Seen in the plant."),
    "T0880": (_PLANT, "Whether the plant is safe is known to its safety system."),
    "T0881": (_HOST, "Services stop inside a host; a server that falls silent is told (M14, SLA-01)."),
    "T0882": (_NOT_JUDGED, "How much leaves is counted; what it is cannot be told from ciphertext."),
    "T0885": (
        _NOT_JUDGED,
        "What talks on another's port is named by its structure and told (SEG-04), not as this technique.",
    ),
    "T0887": (_ELSEWHERE, "Listening to radio sends nothing."),
    "T0889": (
        _NOT_JUDGED,
        "The download is told as possible (M12); that the program is another one is inside the device.",
    ),
    "T0890": (_HOST, "Happens inside a host."),
    "T0891": (
        _NOT_JUDGED,
        "Passwords are never kept, so known ones are not recognised; that one was sent in clear is told (O2, Q1).",
    ),
    "T0892": (_NOT_JUDGED, "Orders that change a password are private messages of each maker."),
    "T0893": (_HOST, "Files are read inside a host."),
    "T0894": (_HOST, "The system's own programs run inside a host."),
    "T0895": (_HOST, "Runs when a device starts or a medium is put in."),
}
