"""Sites of any size for the generated captures: so many assets, so many rules, and the capture's own zones."""

from __future__ import annotations

from typing import Any, Final

from policy.model import Site
from policy.zoning import CompiledSite, compile_site

#: The networks of the generated captures: who asks is in one, who answers in another.
_ZONES: Final = {
    "scada": "10.0.0.0/16",
    "controllers": "10.1.0.0/16",
    "gateways": "10.2.0.0/16",
    "servers": "10.3.0.0/16",
    "office": "10.4.0.0/16",
    "outside": "10.5.0.0/16",
    "elsewhere": "10.64.0.0/12",
}
#: What the captures hold: from zone, to zone, service, port.
_ALLOWED: Final = (
    ("scada", "controllers", "modbus", 502),
    ("gateways", "scada", "mqtt", 1883),
    ("scada", "servers", "opcua", 4840),
    ("office", "scada", "dns", 53),
    ("office", "outside", None, None),
)


def _tuples(value: Any) -> Any:
    """As the loader hands a file's lists over."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def site(assets: int, rules: int) -> CompiledSite:
    """A site that allows what the captures hold, by the last rule of each conduit, and has so many rules beside.

    The first assets are at the addresses of the captures. The rules name two assets each, and all are in a conduit
    that the captures use, so that none can be set aside for its zones.
    """
    places = [(number % 2, number // 2) for number in range(assets)]
    declared = [
        {
            "id": f"a{side}-{number}",
            "zone": ("scada", "controllers")[side],
            "ip": f"10.{side}.{number // 250}.{number % 250 + 1}",
            "role": "other",
        }
        for side, number in places
    ]
    named = [
        {
            "id": f"r{number}",
            "owner": "ot",
            "src": [f"a0-{number % (assets // 2)}"],
            "dst": [f"a1-{number * 7 % (assets // 2)}"],
            "service": "modbus",
            "port": 502,
            "functions": [3, 4],
        }
        for number in range(rules)
    ]
    conduits = [
        {
            "id": f"c-{number}",
            "from": source,
            "to": target,
            "allow": [
                *(named if number == 0 else ()),
                {"id": f"all-{number}", "owner": "ot", "service": service, "port": port},
            ],
        }
        for number, (source, target, service, port) in enumerate(_ALLOWED)
    ]
    body: dict[str, Any] = {
        "schema": 1,
        "site": {"id": "bench", "name": "Benchmark", "tz": "UTC"},
        "zones": [
            {"id": zone, "domain": "plant", "purdue": 2, "cidrs": [network]}
            for zone, network in _ZONES.items()
        ],
        "assets": declared,
        "conduits": conduits,
    }
    return compile_site(Site.model_validate(_tuples(body)))
