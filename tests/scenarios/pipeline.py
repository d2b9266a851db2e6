"""Each sample goes through the real pipeline once; the tests look at what came out."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from analyzers.baseline.comparing import Baseline
from analyzers.conversations import Conversations
from analyzers.findings import Finding
from analyzers.sla import Meter
from geophone.baselining import learn
from geophone.runner import ReplayResult, replay
from pcaps import sample
from policy.loader import load
from policy.zoning import compile_site
from sensors.capture import open_capture
from sensors.engine import decode


@dataclass(frozen=True)
class Outcome:
    """What the pipeline made of one sample."""

    result: ReplayResult
    #: Rows of SLA_MINUTES.
    minutes: pl.DataFrame


@cache
def outcome(name: str) -> Outcome:
    """Replay a sample under its policy, and measure it."""
    one = sample(name)
    site = compile_site(load(one.policy).site)
    conversations, meter = Conversations(site), Meter(site)
    with decode(open_capture(one.capture)) as run:
        for batches in run:
            meter.feed(conversations.enrich(batches))
    return Outcome(result=replayed(name), minutes=pl.DataFrame(meter.finish()))


def replayed(name: str, threads: int = 1) -> ReplayResult:
    """Replay a sample under its policy, anew."""
    one = sample(name)
    baseline = learned(one.baseline) if one.baseline else None
    return replay(open_capture(one.capture), load(one.policy), baseline=baseline, threads=threads)


@cache
def learned(name: str) -> Baseline:
    """What a sample teaches: samples are short, so what they show once counts."""
    one = sample(name)
    return learn([open_capture(one.capture)], load(one.policy), min_count=1)


def mapped(ip: str) -> bytes:
    """An IPv4 address as the wire tables carry it."""
    return bytes(10) + b"\xff\xff" + ipaddress.IPv4Address(ip).packed


def conversation(minutes: pl.DataFrame, one: dict[str, Any]) -> pl.DataFrame:
    """The rows of the TCP conversations between a client and a server."""
    return minutes.filter(
        (pl.col("client_ip") == mapped(one["client"])) & (pl.col("server_ip") == mapped(one["server"]))
    )


def structure(finding: Finding) -> tuple[str, str, str, int, str, str, int]:
    """What a finding says, without its prose."""
    return (
        finding.kind,
        finding.src_ip,
        finding.dst_ip,
        finding.dst_port,
        finding.conduit,
        finding.service,
        int(finding.severity),
    )
