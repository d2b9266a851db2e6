"""Facts are written and read back the same, whatever is in them."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from analyzers.baseline.facts import KINDS
from analyzers.baseline.wording import fact_id, fact_text, parse_fact
from policy.prefixes import address_bytes

ADDRESSES = st.ip_addresses().map(lambda one: address_bytes(ipaddress.ip_address(str(one))))
FACTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from([kind.name for kind in KINDS]),
        "client_ip": ADDRESSES,
        "server_ip": ADDRESSES,
        "ip_proto": st.integers(0, 255),
        "server_port": st.integers(0, 65_535),
        "what": st.sampled_from(["", "unit 1, holding 300-303", "a/b: c/#", "ns=2;s=A B"]),
    }
)


@given(FACTS)
def test_a_fact_is_read_as_it_is_written(fact: dict[str, object]) -> None:
    again = parse_fact(fact_text(fact))
    assert again == fact
    assert fact_id(again) == fact_id(fact)
