"""The bounds of what is remembered of polls, so that no network can take all memory."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class PollLimits:
    """What finds no room is counted (`Polls.evicted`), never silently forgotten. First come, first kept."""

    #: Relations followed: client, server, port and what is asked.
    relations: int = 65_536
    #: Of these, of one client: a scanner must not take the room of everybody's polls.
    relations_per_client: int = 4_096
    #: Stretches without a good answer, and requests that came to nothing, each, of one relation.
    marks_per_relation: int = 16_384
    #: Silences of one conversation.
    silences_per_conversation: int = 16_384
