"""Why a scope is slow, lossy or without a verdict, in words: figures in, the owner of each problem out.

The network, the device or our own blind spot: each sentence names one, with the numbers that it rests on. Where the
figure that would tell is missing, the sentence says which one and why, and blames nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from analyzers.causes import Causes
from analyzers.sla import milliseconds
from policy.sla_classes import SlaTarget

#: From this share of the time or the loss on, one side is held to be the cause.
_MOST: Final = 0.5
#: Server times of fewer transactions than this share of all do not speak for the others.
_SPEAKS_FOR_ALL: Final = 0.5
#: A shortest round trip of this share of the slow ones is a long way; below, packets wait on it.
_LONG_WAY: Final = 0.5


def because(
    target: SlaTarget,
    causes: Causes,
    client_side: str = "the clients",
    server_side: str = "the servers",
) -> tuple[str, ...]:
    """Sentences on what is over its target and on what could not be measured; none where there is nothing to say."""
    return (
        *_slow(target, causes),
        *_unavailable(causes),
        *_far(target, causes),
        *_lossy(target, causes, client_side, server_side),
        *_blind(causes),
        *_not_measurable(causes),
    )


def _slow(target: SlaTarget, causes: Causes) -> Iterator[str]:
    slowest, own = causes.transaction_p99_ns, causes.server_time_p99_ns
    if slowest is None or slowest <= target.transaction_p99_ns:
        return
    if own is None or causes.server_time_samples < _SPEAKS_FOR_ALL * causes.transaction_samples:
        yield (
            "slow; device or network is not measurable: no handshake and no acknowledgement without data "
            "shows the way to who answers"
        )
        return
    # Percentiles of two histograms: the server's may read a bucket above the whole.
    times = f"server time {milliseconds(min(own, slowest))} of {milliseconds(slowest)}"
    yield f"slow because of the {'device' if own >= _MOST * slowest else 'network'} ({times})"


def _unavailable(causes: Causes) -> Iterator[str]:
    bad = [
        f"{count:,} {what}"
        for count, what in (
            (causes.unanswered, "not answered"),
            (causes.exceptions, "answered with an exception"),
            (causes.late, "answered too late"),
            (causes.missed, "due and never asked"),
        )
        if count
    ]
    if bad:
        yield f"of {_count(causes.transactions + causes.missed, 'request')}: {', '.join(bad)}"


def _far(target: SlaTarget, causes: Causes) -> Iterator[str]:
    slowest, shortest, jitter = causes.rtt_p99_ns, causes.rtt_min_ns, causes.jitter_ns
    if slowest is None or shortest is None or jitter is None or slowest <= target.rtt_p99_ns:
        return
    why = "the way is long" if shortest >= _LONG_WAY * slowest else "packets wait on the way"
    yield f"round trips: {why} (shortest {milliseconds(shortest)}, jitter {milliseconds(jitter)})"


def _lossy(target: SlaTarget, causes: Causes, client_side: str, server_side: str) -> Iterator[str]:
    lost = causes.lost_segments
    if not lost or not causes.data_segments or lost / causes.data_segments <= target.loss:
        return
    if causes.lost_client_side + causes.lost_server_side != lost:
        yield "loss; on which side of the tap was not kept for all minutes"
        return
    where = "before the tap" if causes.lost_before_tap > _MOST * lost else "behind the tap"
    for share, side in (
        (causes.lost_server_side, f"between the tap and {server_side}"),
        (causes.lost_client_side, f"between {client_side} and the tap"),
    ):
        if share > _MOST * lost:
            yield f"loss {side}: {share:,} of {_count(lost, 'segment')}, most {where} as they travel"
            return
    yield f"loss on both sides of the tap: {causes.lost_client_side:,} and {causes.lost_server_side:,} segments"


def _blind(causes: Causes) -> Iterator[str]:
    if causes.minutes_invalid:
        share = "" if causes.capture_loss is None else f" {causes.capture_loss:.1%}"
        yield f"the sensor missed{share}: no verdict for {_count(causes.minutes_invalid, 'minute')}"
    if causes.minutes_excluded:
        yield f"{_count(causes.minutes_excluded, 'minute')} of a planned change left out"


def _not_measurable(causes: Causes) -> Iterator[str]:
    if causes.one_sided_minutes:
        yield (
            f"only one direction was seen in {_count(causes.one_sided_minutes, 'minute')} of conversations: their "
            f"{_count(causes.one_sided, 'request')} and round trips are not measurable"
        )
    for count, why in (
        (causes.encrypted, "encrypted"),
        (causes.unmatched, "answered, but their questions were not seen"),
        (causes.clock, "the capture's clock was set back"),
    ):
        if count:
            yield f"{_count(count, 'request')} not measurable: {why}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
