"""What the decoder calls a service is what rules may be written for: no word of one is unknown to the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from policy.services import BY_NAME, SERVICES
from sensors.engine import decode
from tests.support.pcap_bytes import READ_REQUEST, READ_RESPONSE, modbus_exchange, pcap


def decoder_words(folder: Path) -> set[str]:
    """Every service that the engine can name: the dictionary of its column, whatever a capture holds."""
    file = folder / "one.pcap"
    file.write_bytes(pcap(modbus_exchange("10.0.0.1", "10.0.0.2", READ_REQUEST, READ_RESPONSE)))
    with decode(file) as run:
        (flows,) = [batches["flows"] for batches in run if "flows" in batches]
    return set(flows.column("service").dictionary.to_pylist())


def test_every_service_of_a_rule_is_a_word_of_the_decoder(tmp_path: Path) -> None:
    names = {name for service in SERVICES for name in (service.name, *service.seen_as)}
    # These are told by the IP protocol, not by a service.
    assert names - decoder_words(tmp_path) == {"icmp"}


@pytest.mark.parametrize(
    ("service", "seen"),
    [("mqtt", "mqtt-tls"), ("https", "tls"), ("https", "quic"), ("tls", "https"), ("http", "websocket")],
)
def test_a_rule_takes_what_the_decoder_calls_its_service(service: str, seen: str) -> None:
    assert seen in BY_NAME[service].seen_as


def test_a_rule_for_https_does_not_take_another_protocol_in_tls() -> None:
    assert "mqtt-tls" not in BY_NAME["https"].seen_as
