"""SEG-14: mail or social media in a control zone. Plant and port are control, the office is not."""

from __future__ import annotations

import polars as pl
import pytest

from policy.checks.seg_14 import Pastime
from sensors.records import DNS, SERVICES
from tests.policy.factories import (
    OFFICE_HOST,
    PLANT_HOST,
    PORT_HOST,
    PUBLIC,
    SITE,
    UDP,
    Wire,
    compiled,
    conversation,
    only,
)  # fmt: skip

CHECK = Pastime()


def _found(wire: Wire, site: str = SITE) -> pl.DataFrame:
    mine = compiled(site)
    return CHECK.violations(mine, wire.judged(mine))


def _asked(name: str, client: str = PLANT_HOST) -> Wire:
    wire = Wire()
    flow = wire.flow(client, PORT_HOST, 53, ip_proto=UDP)
    wire.add(DNS, flow, service="dns", query=name, confidence="structure", request_frame=3)
    return wire


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("www.facebook.com", "social media"),
        ("X.com", "social media"),
        ("web.whatsapp.net.", "social media"),
        ("outlook.office365.com", "mail"),
        ("imap.gmail.com", "mail"),
    ],
)
def test_reports_names_asked_for_by_a_control_zone(name: str, kind: str) -> None:
    found = only(_found(_asked(name)))
    assert CHECK.title_of(found) == f"a use of {kind} in a control zone"
    assert name in CHECK.why(compiled(), found)


@pytest.mark.parametrize(
    "name", ["notfacebook.com", "fbcdn.net", "linux.com", "plc1.mine.example", "", "com"]
)
def test_ignores_other_names(name: str) -> None:
    assert _found(_asked(name)).is_empty()


def test_the_office_may_ask() -> None:
    assert _found(_asked("www.facebook.com", OFFICE_HOST)).is_empty()


def test_reports_the_name_in_an_introduction() -> None:
    wire = Wire()
    flow = wire.flow(PLANT_HOST, PUBLIC, 443)
    wire.add(SERVICES, flow, service="https", host_name="www.linkedin.com", confidence="handshake", frame=5)
    found = only(_found(wire))
    assert (found["what"], found["server_port"], found["examples"][0]["frame"]) == ("linkedin.com", 443, 5)


def test_reports_mail_that_no_rule_allows() -> None:
    wire = conversation(PLANT_HOST, PORT_HOST, 25, service="smtp", confidence="handshake")
    assert CHECK.title_of(only(_found(wire))) == "a use of mail in a control zone"
    rule = (
        "- id: c-alarms\n  from: plant\n  to: port\n  allow:\n"
        "  - {id: r9, service: smtp, reason: alarms, owner: ot, expires: 2027-06-30}\n- id: c-office"
    )
    assert _found(wire, SITE.replace("- id: c-office", rule)).is_empty()


def test_a_port_is_not_mail() -> None:
    assert _found(conversation(PLANT_HOST, PORT_HOST, 25, service="smtp", confidence="port")).is_empty()
