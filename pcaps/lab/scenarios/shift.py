"""A whole day from mine to port: what is allowed, and between it what is not.

Its benign twin is the same day from the same seed without what is planted. It is not kept: `python -m pcaps.lab
make shift-calm` makes it anew, and so do the tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from pcaps import ExpectedFinding, Planted
from pcaps.lab.notes import Notes, Table, moment
from pcaps.lab.scenarios.base import (
    Made,
    Scenario,
    conversations,
    modbus_figures,
    origin,
    planted,
    round_trips,
)
from pcaps.lab.synth import modbus, mqtt, rdp
from pcaps.lab.synth.clock import MICROSECOND, MILLISECOND, SECOND
from pcaps.lab.synth.modbus import READ_HOLDING, WRITE_MULTIPLE, WRITE_SINGLE, Request
from pcaps.lab.synth.network import Captured, Impairment
from pcaps.lab.synth.span import frames_of, in_order
from pcaps.lab.value_chain.day import (
    DAY_MINUTES,
    MIDNIGHT_NS,
    READ_SETPOINTS,
    READ_STATUS,
    ValueChain,
    at,
)
from pcaps.lab.value_chain.plan import NAME as SITE_NAME

_NAME: Final = "shift"
_TWIN: Final = "shift-calm"
_SEED: Final = 20_261_117
_POLICY: Final = "policies/value-chain.yaml"

#: Times of day in Santiago: the bad path, and what is planted.
_FOG_FROM, _FOG_TO = at(15, 10), at(16, 50)
_OFFICE: Final = at(13, 42)
_HISTORIAN: Final = at(17, 5)
_LAPTOP_FROM, _LAPTOP_TO = at(18, 20), at(18, 31)
_EVENING_FROM, _EVENING_TO = at(20, 40), at(20, 58)

#: The radio path from the control room to the port, in fog: the twin has it too, bad weather is no breach.
_FOG: Final = Impairment(
    near_zone="supervisory",
    far_zone="port",
    start_ns=MIDNIGHT_NS + _FOG_FROM * SECOND,
    end_ns=MIDNIGHT_NS + _FOG_TO * SECOND,
    one_way_ns=45 * MILLISECOND,
    jitter_ns=600 * MICROSECOND,
    loss=0.03,
)
#: Fewer are not told of, whatever the target.
_LATE_IN_FOG: Final = 3
_WRONG_SETPOINTS: Final = Request(WRITE_MULTIPLE, 100, 4, (2900, 2900, 620, 75))
_OFFICE_ASKS: Final = (READ_STATUS, READ_SETPOINTS, *(_WRONG_SETPOINTS, READ_SETPOINTS) * 3)
_HISTORIAN_ASKS: Final = (
    Request(READ_HOLDING, 120, 10),
    Request(WRITE_SINGLE, 121, 1, (260,)),
    Request(WRITE_SINGLE, 122, 1, (60,)),
)

_CALM: Final = """
A day from mine to port, Tuesday 17 November 2026 from midnight to midnight in Santiago (03:00 to 03:00 UTC). One
control room operates a mine, a concentrator, a port terminal and their substations: operator stations and the SCADA
server poll controllers, relays and meters over Modbus; the historian reads trends; SCADA and MES read a thickener
over signed OPC UA; the mill's vibration gateway (JSON) and the port's crane gateway (Sparkplug B) publish over MQTT.
Reports go up through a mirror in the DMZ over HTTPS. At 08:00 and 20:00 the shift changes: operators look at
everything once, MES and office fetch the report. Setpoints of the mill are set four times, within their rule. From
09:30 to 11:10 the crusher's vendor is in, through the VPN gateway and the jump host, with an approval and in its
window, and the crusher's parameters are changed in the approved change. From 15:10 to 16:50 fog is on the radio path
from the control room to the port: 45 ms more each way, 3 % of the packets lost.
"""
_PLANTED: Final = """
Four things are not as the policy has them. At 13:42 an office workstation opens Modbus straight to the mill's
controller and doubles its setpoints, three times. At 17:05 the historian, whose rule only lets it read, writes two
parameters of the crusher. At 18:20 a laptop that nobody declared joins the port's network and subscribes to every
topic of the MQTT broker. At 20:40 the vendor is back, after the end of window and approval, and goes from the VPN
gateway straight to the engineering station, past the jump host.
"""


def _make(seed: int) -> Made:
    site = ValueChain(seed, (_FOG,))
    site.calm_day()
    site.session("ent-ws4", "mill1", _OFFICE, _OFFICE_ASKS, pause_s=9)
    site.session("hist1", "crusher1", _HISTORIAN, _HISTORIAN_ASKS, pause_s=7)
    arrives_ns = site.moment(_LAPTOP_FROM - 20)
    site.clock.at(arrives_ns, lambda: site.ask_hardware_address(site.hosts["port-lap7"]))
    site.telemetry.listener("port-lap7", "#", *(site.moment(second) for second in (_LAPTOP_FROM, _LAPTOP_TO)))
    site.tunnel("acme-ws1", "vpn1", _EVENING_FROM, _EVENING_TO)
    site.desktop("vpn1", "ews1", "acme", _EVENING_FROM + 50, _EVENING_TO - 20)
    site.run()
    captured = in_order(site.network.captured)
    address = {name: host.ip for name, host in site.hosts.items()}
    expect = partial(ExpectedFinding, conduit="", count_is="at least", count=1)
    return Made(
        frames_of(captured),
        Notes(
            title="A whole day, from mine to port",
            story=_CALM + _PLANTED,
            origin=origin(_NAME, seed),
            policy=_POLICY,
            demo=True,
            truth=_truth(site),
            truth_lists=_truth_lists(site, captured),
            twin=_TWIN,
            planted=_what_was_planted(site, captured),
            expected=(
                expect(
                    kind="SEG-02",
                    src_ip=address["ent-ws4"],
                    dst_ip=address["mill1"],
                    dst_port=modbus.PORT,
                    service="modbus",
                    severity=5,
                    because="high, one more for a C1 target, one more for an established session, and 5 is the most",
                ),
                ExpectedFinding(
                    kind="SEG-05",
                    src_ip=address["hist1"],
                    dst_ip=address["crusher1"],
                    dst_port=modbus.PORT,
                    conduit="c-ops-mine",
                    service="modbus",
                    severity=4,
                    count=2,
                    count_is="exactly",
                    because="medium, one more because the controller confirmed; the crusher is C2",
                ),
                ExpectedFinding(
                    kind="CHG-01",
                    src_ip=address["hist1"],
                    dst_ip=address["crusher1"],
                    dst_port=modbus.PORT,
                    conduit="c-ops-mine",
                    service="modbus",
                    severity=5,
                    count=2,
                    count_is="exactly",
                    because="high, one more because the controller confirmed; the crusher is C2",
                ),
                expect(
                    kind="SEG-04",
                    src_ip=address["port-lap7"],
                    dst_ip=address["mq1"],
                    dst_port=mqtt.PORT,
                    conduit="c-port-ops",
                    service="mqtt",
                    severity=4,
                    because="medium, one more for an established session",
                ),
                ExpectedFinding(
                    kind="SLA-03",
                    src_ip=address["hmi-port"],
                    dst_ip=address["loader1"],
                    dst_port=modbus.PORT,
                    conduit="c-room-port",
                    service="modbus",
                    severity=3,
                    count=_LATE_IN_FOG,
                    count_is="at least",
                    because="medium, for the conduit is held to class C2",
                ),
                ExpectedFinding(
                    kind="SLA-04",
                    src_ip=address["hmi-port"],
                    dst_ip=address["loader1"],
                    dst_port=modbus.PORT,
                    conduit="c-room-port",
                    service="modbus",
                    severity=2,
                    count=_LATE_IN_FOG,
                    count_is="at least",
                    because="one less than the medium of class C2, for loss tells why, not what",
                ),
                expect(
                    kind="SEG-09",
                    src_ip=address["port-lap7"],
                    dst_ip="",
                    dst_port=0,
                    service="",
                    severity=2,
                    because="low; it is a device, whoever it talks with",
                ),
                *(
                    expect(
                        kind=check,
                        src_ip=address["vpn1"],
                        dst_ip=address["ews1"],
                        dst_port=rdp.PORT,
                        service="rdp",
                        severity=5,
                        because="high, one more for an established session",
                    )
                    for check in ("RA-01", "RA-02", "RA-03")
                ),
                expect(
                    kind="SEG-01",
                    src_ip=address["vpn1"],
                    dst_ip=address["ews1"],
                    dst_port=rdp.PORT,
                    service="rdp",
                    severity=4,
                    because="medium, one more for an established session",
                ),
            ),
        ),
    )


def _make_twin(seed: int) -> Made:
    site = ValueChain(seed, (_FOG,))
    site.calm_day()
    site.run()
    captured = in_order(site.network.captured)
    return Made(
        frames_of(captured),
        Notes(
            title="The same day, calm",
            story=_CALM,
            origin=origin(_TWIN, seed),
            policy=_POLICY,
            truth=_truth(site),
            truth_lists=_truth_lists(site, captured),
            planted=_fog(site, captured),
            twin_of=_NAME,
        ),
    )


def _what_was_planted(site: ValueChain, captured: Sequence[Captured]) -> tuple[Planted, ...]:
    tell = partial(planted, site, captured)
    office = partial(tell, src="ent-ws4", dst="mill1", service="modbus")
    historian = partial(
        tell, src="hist1", dst="crusher1", service="modbus", seconds=(_HISTORIAN, _HISTORIAN + 30)
    )
    laptop = partial(tell, src="port-lap7", dst="mq1", service="mqtt", count=1)
    evening = partial(tell, src="vpn1", dst="ews1", service="rdp", count=1)
    return (
        *_fog(site, captured),
        office("SEG-02", count=1, because="one session from level 4 to level 1"),
        office("M1", count=3, because="three writes of a client that never wrote there"),
        office("M2", count=8, because="eight requests of a client that had never spoken Modbus"),
        office("M3", count=3, because="three writes of 2900 where 1450 is usual"),
        historian("SEG-05", count=2, because="two writes; its rule lets the historian only read"),
        historian(
            "CHG-01", count=2, because="two writes after the crusher's window, which is for such writes"
        ),
        historian("M1", count=2, because="two writes of a client that never wrote there"),
        laptop("SEG-04", because="one session; the rule is for the crane gateway alone"),
        # It is of the device, whoever it talks with.
        replace(
            laptop("SEG-09", because="one device that nobody declared, and that was never there before"),
            dst_ip="",
            service="",
            first=moment(min(one.ts_ns for one in captured if one.sender.name == "port-lap7")),
        ),
        laptop("Q2", because="one subscription to #"),
        evening("SEG-01", because="one session; no conduit leads from remote access to the control room"),
        evening("RA-01", because="one session that goes past the jump host"),
        evening("RA-02", because="one session, at 20:40; the window is from 08:00 to 12:00"),
        evening("RA-03", because="one session; the approval ended at noon"),
    )


def _fog(site: ValueChain, captured: Sequence[Captured]) -> tuple[Planted, ...]:
    """Of a hundred polls in fog a few are late: lost segments are repeated after a second and more."""
    seconds = (_FOG_FROM, _FOG_TO)
    tell = partial(planted, site, captured, src="hmi-port", dst="loader1", service="modbus", seconds=seconds)
    return (
        tell(
            "SLA-03", count=_LATE_IN_FOG, because="polls answered late in fog, three or more within an hour"
        ),
        tell("SLA-04", count=_LATE_IN_FOG, because="segments lost in fog, three or more within an hour"),
    )


def _truth(site: ValueChain) -> dict[str, str | int | float]:
    offered, dropped = site.network.losses.offered, site.network.losses.dropped
    return {
        **{name: figure for name, figure in modbus_figures(site).items() if isinstance(figure, int)},
        "mqtt_publishes": site.telemetry.broker.counted["publish"],
        "impaired_conduit": "c-room-port",
        "one_way_delay_ns": _FOG.one_way_ns,
        "loss": _FOG.loss,
        "offered_data_before_tap": offered["before_tap_data"],
        "offered_data_after_tap": offered["after_tap_data"],
        "dropped_data_before_tap": dropped["before_tap_data"],
        "dropped_data_after_tap": dropped["after_tap_data"],
        "removed_frames": 0,
        "span_duplicates": 0,
    }


def _truth_lists(site: ValueChain, captured: Sequence[Captured]) -> dict[str, list[Table]]:
    fog = (_FOG_FROM // 60, _FOG_TO // 60)
    whole_day = (("hmi-mine", "crusher1"), ("hmi-plant", "mill1"), ("scada1", "relay1"), ("hist1", "loader1"))
    return {
        "round_trip": [
            *round_trips(site, whole_day, ((0, DAY_MINUTES),)),
            *round_trips(site, (("hmi-port", "loader1"),), ((0, fog[0]), fog, (fog[1], DAY_MINUTES))),
        ],
        "conversation": conversations(site, captured),
    }


SCENARIO: Final = Scenario(_NAME, _SEED, _make, site=SITE_NAME, packed=True)
TWIN: Final = Scenario(_TWIN, _SEED, _make_twin, site=SITE_NAME, packed=True, committed=False)
