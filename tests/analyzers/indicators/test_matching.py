from __future__ import annotations

import time
from dataclasses import replace

import pytest

from analyzers.findings import Finding, canonical_line
from analyzers.indicators.indicator import NO_END_NS, Indicator, IndicatorSet
from analyzers.indicators.matching import IndicatorRun
from sensors.records import DNS, HTTP, OBSERVATIONS, SERVICES
from tests.policy.factories import MINUTE, NOON, PLANT_HOST, PLC, PUBLIC, Wire, compiled, conversation, packed

MINE = compiled()
JA4 = "t13d1516h2_8daaf6152771_02713d6af862"
HASH = "ab" * 32


def looked_for(what: str, value: str, confidence: int = 80) -> Indicator:
    """An indicator without limits of time."""
    return Indicator(what, value, f"i-{value}", "staging", "Example CERT", -NO_END_NS, NO_END_NS, confidence)


def found(wire: Wire, *indicators: Indicator, pieces: int = 1) -> list[Finding]:
    """The findings of indicators in traffic."""
    run = IndicatorRun(IndicatorSet.of(indicators), MINE, "p" * 64, "0.1.0")
    for _ in range(pieces):
        run.feed(wire.traffic(MINE))
    return sorted(run.finish("c" * 64), key=lambda finding: (finding.kind, finding.id))


@pytest.mark.parametrize(
    ("what", "value", "kind"),
    [
        ("address", PUBLIC, "TI-01"),
        ("network", "198.51.100.0/28", "TI-02"),
        ("network", "198.51.0.0/16", "TI-02"),
    ],
)
def test_reports_contact_with_an_address(what: str, value: str, kind: str) -> None:
    wire = conversation(PLANT_HOST, PUBLIC, 443, payload=(200, 300), frame=5)
    (finding,) = found(wire, looked_for(what, value))
    assert (finding.kind, finding.src_ip, finding.dst_ip, finding.dst_port) == (kind, PLANT_HOST, PUBLIC, 443)
    assert (int(finding.severity), finding.confidence.value, finding.src_zone) == (5, "high", "plant")
    assert finding.title.endswith(f": {value}")
    assert finding.evidence.operations[0].text == "it is the server; 200 bytes were sent and 300 came back"
    for part in (
        f"i-{value} (staging)",
        "Example CERT",
        "valid from the beginning without an end",
        "80 of 100",
    ):
        assert part in finding.why


def test_the_client_may_be_the_one_that_is_looked_for() -> None:
    (finding,) = found(conversation(PUBLIC, PLC, payload=(10, 0)), looked_for("address", PUBLIC))
    assert (finding.src_ip, finding.dst_asset) == (PUBLIC, "plc1")
    assert "it is the client" in finding.evidence.operations[0].text


@pytest.mark.parametrize(
    ("what", "value"), [("address", "198.51.100.8"), ("network", "198.51.100.8/29"), ("network", "::/0")]
)
def test_ignores_other_addresses(what: str, value: str) -> None:
    assert found(conversation(PLANT_HOST, PUBLIC, 443), looked_for(what, value)) == []


@pytest.mark.parametrize(
    ("start", "end", "fires"),
    [
        (NOON, NOON + 1, True),
        (NOON + 1, NO_END_NS, False),
        (-NO_END_NS, NOON, False),
        (-NO_END_NS, NOON + 1, True),
        (NOON - MINUTE, NOON + MINUTE, True),
    ],
)
def test_an_indicator_counts_from_its_start_until_before_its_end(start: int, end: int, fires: bool) -> None:
    one = replace(looked_for("address", PUBLIC), valid_from_ns=start, valid_until_ns=end)
    assert bool(found(conversation(PLANT_HOST, PUBLIC, 443), one)) is fires


def test_two_times_of_one_indicator_are_told_apart() -> None:
    old = replace(looked_for("address", PUBLIC), valid_until_ns=NOON - 1)
    new = replace(looked_for("address", PUBLIC), valid_from_ns=NOON)
    (finding,) = found(conversation(PLANT_HOST, PUBLIC, 443), old, new)
    assert "valid from 2026-11-23T12:00:00Z without an end" in finding.why


@pytest.mark.parametrize(
    ("confidence", "word"), [(100, "high"), (70, "high"), (69, "medium"), (29, "low"), (-1, "medium")]
)
def test_the_confidence_is_no_higher_than_the_sources(confidence: int, word: str) -> None:
    (finding,) = found(conversation(PLANT_HOST, PUBLIC, 443), looked_for("address", PUBLIC, confidence))
    assert finding.confidence.value == word
    assert ("its source is not surer of it" in finding.why) is (word != "high")


def services(**values: object) -> Wire:
    """A session that introduced itself."""
    wire = Wire()
    wire.add(
        SERVICES, wire.flow(PLANT_HOST, PUBLIC, 443), frame=7, service="tls", confidence="handshake", **values
    )
    return wire


def dns(query: str, *answers: str) -> Wire:
    """A question for a name, and what was answered."""
    wire = Wire()
    flow = wire.flow(PLANT_HOST, "10.35.0.53", 53, ip_proto=17)
    wire.add(DNS, flow, query=query, answers=list(answers), request_frame=7, response_frame=8, service="dns")
    return wire


def http(host: str) -> Wire:
    """A request to a host."""
    wire = Wire()
    wire.add(HTTP, wire.flow(PLANT_HOST, PUBLIC, 80), host=host, request_frame=7, service="http")
    return wire


def device(name: str) -> Wire:
    """A device that says its name in DHCP."""
    wire = Wire()
    wire.add(OBSERVATIONS, ip=packed(PLANT_HOST), kind="host_name", source="dhcp", value=name, frame=7)
    return wire


@pytest.mark.parametrize(
    ("wire", "what", "value", "kind", "service"),
    [
        (services(host_name="C2.Example"), "domain", "c2.example", "TI-03", "tls"),
        (services(server_name="c2.example"), "domain", "c2.example", "TI-03", "tls"),
        (services(ja4=JA4), "ja4", JA4, "TI-04", "tls"),
        (services(certificate_sha256=HASH), "certificate", HASH, "TI-05", "tls"),
        (dns("c2.example."), "domain", "c2.example", "TI-03", "dns"),
        (dns("a.b.c2.example"), "domain", "*.c2.example", "TI-03", "dns"),
        (dns("good.example", "alias.example", "c2.example"), "domain", "c2.example", "TI-03", "dns"),
        (dns("good.example", "not an address", PUBLIC), "address", PUBLIC, "TI-01", "dns"),
        (dns("good.example", "2001:db8::7"), "network", "2001:db8::/64", "TI-02", "dns"),
        (http("c2.example:8080"), "domain", "c2.example", "TI-03", "http"),
        (device("ews.c2.example"), "domain", "*.c2.example", "TI-03", "dhcp"),
    ],
)
def test_reports_names_fingerprints_and_certificates(
    wire: Wire, what: str, value: str, kind: str, service: str
) -> None:
    (finding,) = found(wire, looked_for(what, value))
    assert (finding.kind, finding.src_ip, finding.service) == (kind, PLANT_HOST, service)
    assert (int(finding.severity), finding.evidence.operations[0].frame) == (4, 7)


@pytest.mark.parametrize(
    ("wire", "what", "value"),
    [
        (
            services(host_name="c2.example.org", server_name="", ja4="", certificate_sha256=""),
            "domain",
            "c2.example",
        ),
        (services(ja4=JA4), "certificate", HASH),
        (dns("www.c2.example"), "domain", "c2.example"),
        (dns("c2.example"), "domain", "*.c2.example"),
        (dns("badc2.example"), "domain", "*.c2.example"),
        (dns("good.example", "198.51.100.8"), "address", PUBLIC),
        (http(""), "domain", "c2.example"),
        (device("c2"), "domain", "c2.example"),
    ],
)
def test_ignores_names_that_are_only_alike(wire: Wire, what: str, value: str) -> None:
    assert found(wire, looked_for(what, value)) == []


def test_batches_add_up() -> None:
    wire = conversation(PLANT_HOST, PUBLIC, 443)
    twice = found(wire, looked_for("address", PUBLIC), pieces=2)
    assert [finding.count for finding in twice] == [2]
    assert twice[0].id == found(wire, looked_for("address", PUBLIC))[0].id
    assert canonical_line(twice[0])


def test_a_hundred_thousand_indicators_cost_what_ten_cost() -> None:
    wire = Wire()
    for number in range(400):
        wire.minute(wire.flow(f"10.20.0.{number % 250}", f"10.35.{number % 7}.{number % 250}"))
    traffic = wire.traffic(MINE)

    def cost(count: int) -> float:
        given = IndicatorSet(
            tuple(
                looked_for("address", f"100.{64 + (n >> 16)}.{n >> 8 & 255}.{n & 255}") for n in range(count)
            ),
            "",
        )
        run = IndicatorRun(given, MINE, "p" * 64, "0.1.0")
        times = []
        for _ in range(5):
            begun = time.process_time()
            run.feed(traffic)
            times.append(time.process_time() - begun)
        return min(times)

    # Ten thousand times as many; a join with all of them costs hundreds of times as much.
    assert cost(100_000) < 10 * cost(10) + 0.01
