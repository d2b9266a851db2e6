"""A rule in; what it allows inside a conversation, in words, out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policy.modbus import functions_allowed, joined_ranges
from policy.model import AllowRule


def limits_text(rule: AllowRule) -> str:
    """The rule's limits on operations, like `services read, browse; writes nothing`; empty where it has none."""
    return "; ".join((*_modbus(rule), *_opcua(rule), *_mqtt(rule), *_named(rule)))


def _modbus(rule: AllowRule) -> Iterator[str]:
    if rule.units is not None:
        yield f"units {_listed(rule.units)}"
    if rule.functions is not None:
        yield f"functions {_listed(functions_allowed(rule) or ())}"
    if rule.read is not None:
        yield f"reads {_ranges(rule.read)}"
    if rule.write is not None:
        yield f"writes {_ranges(rule.write)}"


def _opcua(rule: AllowRule) -> Iterator[str]:
    if rule.min_mode not in (None, "None"):
        yield f"mode {rule.min_mode}{'' if rule.min_mode == 'SignAndEncrypt' else ' or better'}"
    if rule.auth is not None:
        yield f"users by {_listed(rule.auth)}"
    if rule.services is not None:
        yield f"services {_listed(rule.services)}"
    if rule.write_nodes is not None:
        yield f"writes {_listed(rule.write_nodes, 'nothing')}"


def _mqtt(rule: AllowRule) -> Iterator[str]:
    if rule.tls:
        yield "in TLS"
    if rule.client_ids is not None:
        yield f"clients {_listed(rule.client_ids)}"
    if rule.publish is not None:
        yield f"publishes {_listed(rule.publish, 'nothing')}"
    if rule.subscribe is not None:
        yield f"subscribes to {_listed(rule.subscribe, 'nothing')}"


def _named(rule: AllowRule) -> Iterator[str]:
    if rule.operations is not None:
        yield f"operations {_listed(rule.operations, 'of sessions alone')}"


def _listed(values: Iterable[object], nothing: str = "none") -> str:
    return ", ".join(map(str, values)) or nothing


def _ranges(ranges: Iterable[tuple[int, int]]) -> str:
    texts = [str(first) if first == last else f"{first}–{last}" for first, last in joined_ranges(ranges)]
    return f"addresses {', '.join(texts)}" if texts else "nothing"
