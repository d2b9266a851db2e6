"""Which STIX patterns are taken: the grammar and the examples of STIX 2.1, part 9."""

from __future__ import annotations

import pytest

from analyzers.indicators.patterns import NotTaken, values_of

HASH = "ef" * 32
JA4 = "t13d1516h2_8daaf6152771_02713d6af862"


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("[ipv4-addr:value = '198.51.100.1']", [("address", "198.51.100.1")]),
        ("[ipv4-addr:value = '198.51.100.1/32' OR ipv4-addr:value = '203.0.113.33/32']",
         [("network", "198.51.100.1/32"), ("network", "203.0.113.33/32")]),
        ("[ipv6-addr:value = '2001:DB8:0:0::7']", [("address", "2001:db8::7")]),
        ("[ipv4-addr:value ISSUBSET '198.51.100.0/24']", [("network", "198.51.100.0/24")]),
        ("[domain-name:value = 'WWW.C2.example.']", [("domain", "www.c2.example")]),
        ("[domain-name:value IN ('a.example', 'b.example')]", [("domain", "a.example"), ("domain", "b.example")]),
        ("[domain-name:value = 'a.example'] OR [ipv4-addr:value = '198.51.100.1']",
         [("domain", "a.example"), ("address", "198.51.100.1")]),
        ("  [ ( domain-name:value='a.example'  OR\n domain-name:value = 'b.example' ) ] ",
         [("domain", "a.example"), ("domain", "b.example")]),
        (f"[x509-certificate:hashes.'SHA-256' = '{HASH.upper()}']", [("certificate", HASH)]),
        (f"[x509-certificate:hashes.SHA256 = '{HASH}']", [("certificate", HASH)]),
        (f"[network-traffic:x_ja4 = '{JA4}']", [("ja4", JA4)]),
        (f"[network-traffic:extensions.'x-tls-ext'.ja4 = '{JA4}']", [("ja4", JA4)]),
        # Text in a value is text: neither a quote nor OR within it says anything.
        ("[domain-name:value = 'a.example' /* OR */]", [("domain", "a.example")]),
    ],
)  # fmt: skip
def test_takes_what_says_that_one_of_these_is_seen(pattern: str, values: list[tuple[str, str]]) -> None:
    assert values_of(pattern) == values


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("[ipv4-addr:value = '198.51.100.1' AND domain-name:value = 'a.example']", "AND between comparisons"),
        (
            "[ipv4-addr:value = '198.51.100.1'] AND [domain-name:value = 'a.example']",
            "AND between observations",
        ),
        ("[ipv4-addr:value = '198.51.100.1'] FOLLOWEDBY [ipv4-addr:value = '198.51.100.2']", "FOLLOWEDBY"),
        ("[ipv4-addr:value = '198.51.100.1'] WITHIN 300 SECONDS", "WITHIN"),
        ("[ipv4-addr:value = '198.51.100.1'] REPEATS 5 TIMES", "REPEATS"),
        (
            "[ipv4-addr:value = '198.51.100.1'] START t'2026-01-01T00:00:00Z' STOP t'2026-02-01T00:00:00Z'",
            "START and STOP",
        ),
        ("[ipv4-addr:value != '198.51.100.1']", "!="),
        ("[ipv4-addr:value NOT = '198.51.100.1']", "NOT"),
        ("[ipv4-addr:value LIKE '198.51.%']", "LIKE"),
        ("[domain-name:value MATCHES '^a+$']", "MATCHES"),
        ("[ipv4-addr:value ISSUPERSET '198.51.100.0/24']", "ISSUPERSET"),
        ("[EXISTS domain-name:value]", "EXISTS"),
        ("[network-traffic:dst_port > 1024]", "an order"),
        ("[network-traffic:dst_port = 1024]", "a value that is not text"),
        ("[file:name = 'evil.exe']", "file:name = is not looked for"),
        (
            "[domain-name:resolves_to_refs[*].value = '198.51.100.1']",
            r"domain-name:resolves_to_refs\.\*\.value",
        ),
        ("[x509-certificate:hashes.'SHA-1' = 'ab']", "SHA-256; the pattern has SHA-1"),
        ("[x509-certificate:hashes.'SHA-256' = 'ab']", "64 hexadecimal digits"),
        ("[ipv4-addr:value = '198.51.100.256']", "not an IPv4 or IPv6 address"),
        ("[ipv4-addr:value = '198.51.100.1/24']", "has host bits set"),
        ("[domain-name:value = 'a b']", "is not a domain name"),
        ("[network-traffic:x_ja4 = 'x']", "not a JA4 fingerprint"),
        ("[ipv4-addr:value = '198.51.100.1'", "not a STIX pattern"),
        ("", "not a STIX pattern"),
        ("[" * 100_000, "longer than 64 KiB"),
        # One value that is not taken and the whole is not: half of an indicator would be another one.
        ("[ipv4-addr:value = '198.51.100.1' OR file:name = 'evil.exe']", "file:name"),
    ],
)
def test_says_why_it_does_not_take_the_others(pattern: str, reason: str) -> None:
    with pytest.raises(NotTaken, match=reason):
        values_of(pattern)
