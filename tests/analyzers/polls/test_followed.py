"""What a batch does to many relations at once is what its answers do to each, one by one, in whatever cut."""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field

import numpy as np
import pytest

from analyzers.polls.followed import Followed
from analyzers.polls.periods import WINDOW, period_of, slots_between
from analyzers.polls.relation import Bad, Good, Relation, Stretch, Subject
from analyzers.polls.silences import Silences
from tests.policy.factories import NOON, SECOND

_MS = SECOND // 1000


def subject(number: int) -> Subject:
    """Who asks whom for what; only the number matters."""
    return Subject(bytes([number]) * 16, bytes(16), 6, 502, "modbus", f"unit {number}", "", "", "", "syn")


@dataclass
class OneByOne:
    """The rules of docs/polls.md, an answer at a time."""

    declared: bool
    period_ns: int
    answers: list[Good] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    first: Good | None = None
    last: Good | None = None
    good: int = 0
    streak: int = 0
    intervals: int = 0
    jitter_max_ns: int = 0
    clock_set_back: int = 0

    def run(self) -> None:
        """Every answer in turn; one that nine begin with may begin a period."""
        for place, answer in enumerate(self.answers):
            nine = [one.ts_ns for one in self.answers[place : place + WINDOW]]
            if not self.declared and len(nine) == WINDOW:
                found = period_of(nine)
                if found and (not self.period_ns or found * 4 < self.period_ns * 3):
                    self.period_ns = found
            if self.period_ns:
                self.advance(answer)

    def advance(self, answer: Good) -> None:
        """One answer more."""
        if self.last is None:
            self.first = self.last = answer
            self.good = 1
            return
        slots = slots_between(self.last.ts_ns, answer.ts_ns, self.period_ns)
        if slots == 0:
            return
        if slots == 1:
            self.intervals += 1
            self.jitter_max_ns = max(self.jitter_max_ns, abs(answer.ts_ns - self.last.ts_ns - self.period_ns))
        elif slots < 0:
            self.clock_set_back += 1
        else:
            self.stretches.append(Stretch(self.last, answer, slots, self.streak))
        self.streak = self.streak + 1 if slots == 1 else 0
        self.last, self.good = answer, self.good + 1


def story(chance: random.Random) -> list[int]:
    """Times of one relation: a steady poll, with what spoils one."""
    period, now, times = chance.choice([20, 500, 1_000]) * _MS, NOON, []
    for _ in range(chance.choice([3, 30, 120])):
        kind = chance.random()
        if kind < 0.03:
            now += chance.randrange(2, 9) * period
        elif kind < 0.05:
            now -= chance.randrange(1, 5) * period
        elif kind < 0.06:
            period = chance.choice([20, 200, 500, 1_000, 3_000]) * _MS
        now += period if kind > 0.1 else chance.randrange(-period, 2 * period)
        times.append(now + chance.randrange(period // 20 + 1))
    return times


@pytest.mark.parametrize("seed", range(8))
def test_many_at_once_are_each_one_by_one(seed: int) -> None:
    chance = random.Random(seed)
    stories = [story(chance) for _ in range(12)]
    declared = [chance.choice([0, 0, 500 * _MS]) for _ in stories]
    followed = Followed(marks_limit=1_000)
    followed.add([SECOND] * len(stories), declared)
    alone = [OneByOne(declared=period_ns > 0, period_ns=period_ns) for period_ns in declared]
    queue = sorted(
        (place / len(one), number, at) for number, one in enumerate(stories) for place, at in enumerate(one)
    )
    rows = [(number, at, frame % 5, frame) for frame, (_, number, at) in enumerate(queue, 1)]
    while rows:
        cut = chance.randrange(1, 90)
        batch, rows = np.array(rows[:cut], dtype=np.int64), rows[cut:]
        followed.take(batch[:, 0], batch[:, 1:])
        for number, *answer in batch.tolist():
            alone[number].answers.append(Good(*answer))
        if chance.random() < 0.2:
            followed.up_to_now(followed.judgeable(), lambda asked: [subject(one) for one in asked])
    for one in alone:
        one.run()
    found = followed.up_to_now(followed.judgeable(), lambda numbers: [subject(one) for one in numbers])
    assert found == [
        Relation(
            subject(number), SECOND, one.declared, one.period_ns, one.answers[0].ts_ns, one.good, one.first,
            one.last, one.streak, one.intervals, one.jitter_max_ns, one.clock_set_back, one.stretches, [],
        )
        for number, one in enumerate(alone)
        if one.period_ns
    ]  # fmt: skip
    assert any(one.stretches for one in alone)
    assert any(one.clock_set_back for one in alone)


def test_times_centuries_apart_are_told_apart() -> None:
    followed = Followed(marks_limit=10)
    followed.add([SECOND], [SECOND])
    late = (1 << 63) - 1
    followed.take(np.zeros(3, dtype=np.int64), np.array([[-late, 1, 1], [0, 1, 2], [late, 1, 3]]))
    (one,) = followed.up_to_now(followed.judgeable(), lambda _: [subject(0)])
    slots = (2 * late + SECOND) // (2 * SECOND)
    assert [(stretch.slots, stretch.before.frame) for stretch in one.stretches] == [(slots, 1), (slots, 2)]


def test_marks_that_find_no_room_are_counted() -> None:
    followed = Followed(marks_limit=2)
    followed.add([SECOND], [SECOND])
    times = [NOON + 5 * place * SECOND for place in range(5)]
    followed.take(np.zeros(5, dtype=np.int64), np.array([[at, 1, 1] for at in times]))
    followed.fail((0, Bad(at, "late", 1)) for at in times[:3])
    (one,) = followed.up_to_now(followed.judgeable(), lambda _: [subject(0)])
    assert (len(one.stretches), len(one.bad), followed.evicted) == (2, 2, 3)


def test_what_is_open_is_not_forgotten() -> None:
    followed = Followed(marks_limit=10)
    followed.add([SECOND], [SECOND])
    times = [NOON, NOON + 5 * SECOND, NOON + 10 * SECOND]
    followed.take(np.zeros(3, dtype=np.int64), np.array([[at, 1, 1] for at in times]))
    followed.fail((0, Bad(at + SECOND, "unanswered", 1)) for at in times)
    followed.forget(NOON + 7 * SECOND)
    (one,) = followed.up_to_now(followed.judgeable(), lambda _: [subject(0)])
    assert [stretch.before.ts_ns for stretch in one.stretches] == [NOON + 5 * SECOND]
    followed.forget(NOON + 60 * SECOND)
    (one,) = followed.up_to_now(followed.judgeable(), lambda _: [subject(0)])
    assert (one.stretches, [mark.ts_ns for mark in one.bad]) == ([], [NOON + 11 * SECOND])


@pytest.mark.parametrize("seed", range(4))
def test_silences_are_those_of_each_conversation_alone(seed: int) -> None:
    chance = random.Random(seed)
    conversations = [(bytes([one]) * 16, bytes(16), 6, 502) for one in range(5)]
    silences = Silences(limit=1_000)
    numbers = [silences.number(one) for one in conversations]
    said: dict[int, list[int]] = {number: [] for number in numbers}
    now = NOON
    for _ in range(30):
        rows = []
        for _ in range(chance.randrange(1, 20)):
            now += chance.choice([0, 1, 4]) * SECOND - chance.randrange(2) * SECOND
            rows.append((chance.choice(numbers), now))
        silences.take(
            np.array([number for number, _ in rows]),
            np.array([at for _, at in rows]),
            np.full(len(rows), SECOND),
        )
        for number, at in rows:
            said[number].append(at)
    for number, conversation in zip(numbers, conversations, strict=True):
        last, kept = said[number][0], []
        for at in said[number][1:]:
            if at > last + 5 * SECOND // 2:
                kept.append((last, at))
            last = max(last, at)
        heard = silences.of(conversation)
        assert (heard.last_ns, list(heard.silences)) == (last, kept)
        for moment in range(NOON, last + 3 * SECOND, SECOND // 2):
            place = bisect_right(kept, (moment,)) - 1
            inside = place >= 0 and kept[place][0] < moment < kept[place][1]
            assert heard.silent_at(moment) is (inside or moment > last)
    assert any(silences.of(one).silences for one in conversations)
    assert silences.of((bytes([9]) * 16, bytes(16), 6, 502)).silent_at(NOON)
