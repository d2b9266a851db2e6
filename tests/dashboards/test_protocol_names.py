from __future__ import annotations

import pytest

from dashboards.protocol_names import protocol, protocols
from policy.services import SERVICES


def test_every_service_that_a_rule_can_name_has_its_name_for_people() -> None:
    for service in SERVICES:
        shown = protocol(service.name)
        assert shown != service.name, service.name
        assert shown[0].isupper() or shown == "IPsec"


def test_a_name_that_is_not_known_is_shown_as_it_is() -> None:
    assert protocol("something-else") == "something-else"
    assert protocol("") == ""


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("a modbus write that the rule does not allow", "a Modbus write that the rule does not allow"),
        ("an opcua-pubsub message, then opcua", "an OPC UA PubSub message, then OPC UA"),
        ("an s7comm-plus program", "an S7comm-plus program"),
        ("loss over the target: conduit c-modbus-plant", "loss over the target: conduit c-modbus-plant"),
        ("a topic plant/modbus and modbus.program", "a topic plant/modbus and modbus.program"),
        ("a service that the conduit does not allow", "a service that the conduit does not allow"),
    ],
)
def test_titles_name_protocols_and_leave_ids_alone(title: str, shown: str) -> None:
    assert protocols(title) == shown
