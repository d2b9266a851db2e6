"""Conduits used as they were not meant to be, each time beside the same stations' allowed conversation."""

from __future__ import annotations

import random
from typing import Final

from pcaps import ExpectedFinding
from pcaps.lab.mine_a import READ_STATUS, SETPOINTS, MineA
from pcaps.lab.notes import Notes
from pcaps.lab.scenarios.base import (
    POLICY,
    Made,
    Scenario,
    conversations,
    modbus_figures,
    origin,
    planted,
    round_trips,
)
from pcaps.lab.site import MINUTE_NS, MORNING_NS
from pcaps.lab.synth.background import HTTPS_PORT, http_visit, tls_visit
from pcaps.lab.synth.clock import SECOND
from pcaps.lab.synth.modbus import PORT, READ_HOLDING, WRITE_SINGLE, Request
from pcaps.lab.synth.span import frames_of, in_order

_NAME: Final = "conduit-misuse"
_START_NS: Final = MORNING_NS + 86 * MINUTE_NS
_MINUTES: Final = 10
_HTTP_PORT: Final = 80
#: Two beyond the setpoints' last register, and one that the controller does not have.
_OUT_OF_RANGE: Final = (Request(WRITE_SINGLE, 120, 1, (55,)), Request(WRITE_SINGLE, 121, 1, (60,)))
_NO_SUCH_REGISTER: Final = (Request(WRITE_SINGLE, 400, 1, (1,)),)


def _make(seed: int) -> Made:
    site = MineA(seed, _MINUTES, start_ns=_START_NS)
    site.operators()
    site.background()
    site.session("ews1", "plc1", 77, SETPOINTS)
    site.session("jump1", "plc3", 140, (READ_STATUS, READ_STATUS))
    secret = random.Random(f"{seed}/tls/against")
    site.visit(
        "ua1",
        "scada1",
        HTTPS_PORT,
        tls_visit("scada1.mine-a.example", site.start_ns + 200 * SECOND, 2, 900, secret),
    )
    site.visit(
        "ews1", "plc1", _HTTP_PORT, http_visit("10.20.0.11", ("/", "/diag"), site.start_ns + 260 * SECOND)
    )
    site.session("ews1", "plc1", 330, (Request(READ_HOLDING, 100, 20), *_OUT_OF_RANGE))
    site.session("hmi1", "plc2", 420, _NO_SUCH_REGISTER)
    site.run()
    captured = in_order(site.network.captured)
    address = {name: host.ip for name, host in site.hosts.items()}
    notes = Notes(
        title="Conduits misused",
        story="""
Ten minutes in which five things are not as the policy has them, each beside its allowed twin. The jump host
reads the crusher's controller, and no conduit leads from the DMZ to crushing (the operator station may). The
thickener's OPC UA server opens a conversation to the SCADA server, against the conduit's direction (the SCADA
server may ask it). The engineering station opens the mill controller's web pages, a service that the conduit
does not allow, and writes two registers beyond the range that its rule gives it (its setpoints are fine). The
operator station, whose rule only lets it read, tries to write a register that the flotation controller does
not have: it answers with an exception, nothing was written, and that makes it less severe. That one
exception also spends the availability budget of so short a capture.
""",
        origin=origin(_NAME, seed),
        policy=POLICY,
        demo=True,
        truth={**modbus_figures(site), "dropped_segments": 0, "removed_frames": 0, "span_duplicates": 0},
        truth_lists={
            "round_trip": round_trips(site, (("hmi1", "plc1"), ("hmi1", "plc2")), ((0, _MINUTES),)),
            "conversation": conversations(site, captured),
        },
        twin="normal-shift",
        planted=(
            planted(
                site,
                captured,
                "SEG-01",
                "jump1",
                "plc3",
                service="modbus",
                count=1,
                because="one session; no conduit leads from the DMZ to crushing",
            ),
            planted(
                site,
                captured,
                "SEG-03",
                "ua1",
                "scada1",
                service="https",
                count=1,
                because="one session; the conduit lets the SCADA server open conversations, not the plant",
                seconds=(200, 220),
            ),
            planted(
                site,
                captured,
                "SEG-04",
                "ews1",
                "plc1",
                service="http",
                count=1,
                because="one session; the conduit allows Modbus, no web pages",
                seconds=(260, 280),
            ),
            planted(
                site,
                captured,
                "SEG-05",
                "ews1",
                "plc1",
                service="modbus",
                count=2,
                because="two writes beyond the setpoints' last register",
                seconds=(330, 350),
            ),
            planted(
                site,
                captured,
                "SEG-05",
                "hmi1",
                "plc2",
                service="modbus",
                count=1,
                because="one write, refused; its rule lets the operator station only read",
                seconds=(420, 421),
            ),
        ),
        expected=(
            ExpectedFinding(
                kind="SEG-01",
                src_ip=address["jump1"],
                dst_ip=address["plc3"],
                dst_port=PORT,
                conduit="",
                service="modbus",
                severity=4,
                count=1,
                count_is="at least",
                because="medium, one more for an established session; crushing is C2",
            ),
            ExpectedFinding(
                kind="SEG-03",
                src_ip=address["ua1"],
                dst_ip=address["scada1"],
                dst_port=HTTPS_PORT,
                conduit="",
                service="https",
                severity=4,
                count=1,
                count_is="at least",
                because="medium, one more for an established session",
            ),
            ExpectedFinding(
                kind="SEG-04",
                src_ip=address["ews1"],
                dst_ip=address["plc1"],
                dst_port=_HTTP_PORT,
                conduit="c-room-plant",
                service="http",
                severity=5,
                count=1,
                count_is="at least",
                because="medium, one more for a C1 target, one more for an established session",
            ),
            ExpectedFinding(
                kind="SEG-05",
                src_ip=address["ews1"],
                dst_ip=address["plc1"],
                dst_port=PORT,
                conduit="c-room-plant",
                service="modbus",
                severity=5,
                count=2,
                count_is="exactly",
                because="medium, one more for a C1 target, one more because the controller confirmed",
            ),
            ExpectedFinding(
                kind="SEG-05",
                src_ip=address["hmi1"],
                dst_ip=address["plc2"],
                dst_port=PORT,
                conduit="c-room-plant",
                service="modbus",
                severity=3,
                count=1,
                count_is="exactly",
                because="medium: the controller refused, and it is not C1",
            ),
        ),
    )
    return Made(frames_of(captured), notes)


SCENARIO: Final = Scenario(_NAME, 20_261_119, _make)
