"""Findings in; the same findings out, those under a suppression tagged with who answers for them, why and until when.

None is dropped and nothing else of it changes. A finding that only an expired suppression would cover says so, and
stays in the open queue.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from analyzers.findings import Finding, SuppressedBy
from policy.model import Site, epoch_ns
from policy.suppressions import Suppression
from policy.values import IpNetwork


@dataclass(frozen=True, slots=True)
class SuppressionUse:
    """What became of one suppression: how many findings it covers, and how many it would if it had not expired."""

    id: str
    owner: str
    until: str
    suppressed: int
    expired: int

    @property
    def idle(self) -> bool:
        """It met nothing: what it was made for was not seen."""
        return not self.suppressed and not self.expired


class Suppressions:
    """The suppressions of one policy, and what they met so far."""

    def __init__(self, site: Site) -> None:
        zone = ZoneInfo(site.tz)
        self._all = [_Compiled(one, zone) for one in site.suppressions]
        self._suppressed: Counter[str] = Counter()
        self._expired: Counter[str] = Counter()

    def tagged(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings in their order, each counted once; give each of them once."""
        return [self._tagged(finding) for finding in findings] if self._all else list(findings)

    def uses(self) -> list[SuppressionUse]:
        """What became of each, in the order of the policy."""
        return [
            SuppressionUse(
                one.rule.id,
                one.rule.owner,
                one.rule.expires.isoformat(),
                self._suppressed[one.rule.id],
                self._expired[one.rule.id],
            )
            for one in self._all
        ]

    def _tagged(self, finding: Finding) -> Finding:
        covering = [one for one in self._all if one.covers(finding)]
        for one in covering:
            if finding.first_ns < one.end_ns:
                self._suppressed[one.rule.id] += 1
                return finding.model_copy(update={"suppression": one.tag})
        if not covering:
            return finding
        for one in covering:
            self._expired[one.rule.id] += 1
        late = covering[0].rule
        words = f"Suppression {late.id} ({late.owner}) covered this until {late.expires} and has expired."
        return finding.model_copy(update={"why": f"{finding.why} {words}"})


class _Compiled:
    """One suppression, ready to be held against findings."""

    def __init__(self, rule: Suppression, zone: ZoneInfo) -> None:
        self.rule = rule
        #: Midnight of the site's clock at which the day of `expires` begins.
        self.end_ns = epoch_ns(datetime.combine(rule.expires, time(), zone))
        self.tag = SuppressedBy(
            id=rule.id, owner=rule.owner, reason=rule.reason, until=rule.expires.isoformat()
        )
        self._client, self._server = _networks(rule.scope.client), _networks(rule.scope.server)

    def covers(self, finding: Finding) -> bool:
        scope = self.rule.scope
        ends = (
            (scope.zones, {finding.src_zone, finding.dst_zone}),
            (scope.conduits, {finding.conduit}),
            (scope.assets, {finding.src_asset, finding.dst_asset}),
            (scope.service, {finding.service}),
        )
        return (
            finding.kind in self.rule.what
            and all(wanted is None or not seen.isdisjoint(wanted) for wanted, seen in ends)
            and _is_one_of(scope.client, self._client, finding.src_asset, finding.src_ip)
            and _is_one_of(scope.server, self._server, finding.dst_asset, finding.dst_ip)
        )


def _networks(selectors: tuple[str, ...] | None) -> list[IpNetwork]:
    found = []
    for selector in selectors or ():
        try:
            found.append(ipaddress.ip_network(selector))
        except ValueError:
            continue  # an asset's id
    return found


def _is_one_of(selectors: tuple[str, ...] | None, networks: list[IpNetwork], asset: str, ip: str) -> bool:
    if selectors is None or (asset and asset in selectors):
        return True
    if not ip:
        return False
    address = ipaddress.ip_address(ip)
    return any(address in network for network in networks)
