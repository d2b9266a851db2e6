"""Q7: Sparkplug messages beside what they should have been: births begin with 0, 255 goes on with 0 (3.0, 6.4)."""

from __future__ import annotations

from typing import Any

import pytest

from sensors.records import MQTT
from tests.analyzers.detections.looking import of, only
from tests.policy.factories import NOON, PLANT_HOST, SECOND, Wire

BROKER = "10.35.0.30"
#: Kind, device, sequence number, bdSeq.
Message = tuple[str, str, int | None, int | None]
NODE_BORN: Message = ("nbirth", "", 0, 7)
BORN: list[Message] = [NODE_BORN, ("dbirth", "belt", 1, None)]


def said(*messages: Message, **more: Any) -> Wire:
    """These messages of one node, a second apart; `more` is of the last one."""
    wire = Wire()
    flow = wire.flow(PLANT_HOST, BROKER, 1883)
    for number, (kind, device, seq, life) in enumerate(messages):
        columns: dict[str, Any] = {
            "packet_type": "publish",
            "direction": "client_to_broker",
            "outcome": "one_way",
            "confidence": "structure",
            "sparkplug_group": "mine",
            "sparkplug_node": "edge1",
        }
        columns |= more if number == len(messages) - 1 else {}
        wire.add(
            MQTT,
            flow,
            ts=NOON + number * SECOND,
            request_frame=number + 1,
            topic=f"spBv1.0/mine/{kind}/edge1",
            sparkplug_type=kind,
            sparkplug_device=device,
            sparkplug_seq=seq,
            sparkplug_bd_seq=life,
            **columns,
        )
    return wire


@pytest.mark.parametrize(
    ("messages", "said_of_it"),
    [
        ([*BORN, ("ddata", "belt", 6, None)], "sequence number 6 where 2 was due"),
        ([*BORN, ("ddata", "belt", 1, None)], "sequence number 1 again"),
        ([("ndata", "", 255, None), ("ndata", "", 1, None)], "sequence number 1 where 0 was due"),
        ([("nbirth", "", 40, 7)], "a birth with sequence number 40 instead of 0"),
        ([("nbirth", "", 0, None)], "a birth without bdSeq"),
        ([*BORN, ("ndeath", "", None, 3)], "the death of life 3, while the node is in life 7"),
        ([*BORN, ("ndeath", "", None, 7), ("ndata", "", 2, None)], "from a node that is dead"),
        ([*BORN, ("ddata", "pump", 2, None)], "data of device pump, which was not born"),
        (
            [*BORN, ("ddeath", "belt", 2, None), ("ddata", "belt", 3, None)],
            "data of device belt, which is dead",
        ),
        (
            [*BORN, ("nbirth", "", 0, 8), ("ddata", "belt", 1, None)],
            "data of device belt, which was not born",
        ),
    ],
)
def test_reports_what_is_out_of_order(messages: list[Message], said_of_it: str) -> None:
    finding = only("Q7", said(*messages))
    assert said_of_it in finding.why
    assert (finding.count, finding.evidence.operations[0].frame) == (1, len(messages))


@pytest.mark.parametrize(
    "messages",
    [
        [*BORN, ("ddata", "belt", 2, None), ("ndata", "", 3, None)],
        [("ndata", "", 255, None), ("ndata", "", 0, None)],
        # Begun before the capture: nobody knows what was born.
        [("ddata", "belt", 17, None), ("ddata", "belt", 18, None)],
        [*BORN, ("ndeath", "", None, 7), ("nbirth", "", 0, 8), ("dbirth", "belt", 1, None)],
        [*BORN, ("ddeath", "belt", 2, None), ("dbirth", "belt", 3, None), ("ddata", "belt", 4, None)],
    ],
)
def test_ignores_what_is_in_order(messages: list[Message]) -> None:
    assert of("Q7", said(*messages)) == []


def test_what_a_gap_in_the_capture_touches_is_a_beginning() -> None:
    assert of("Q7", said(*BORN, ("ddata", "belt", 90, None), after_gap=True)) == []


def test_what_is_sent_again_on_purpose_is_no_repetition() -> None:
    assert of("Q7", said(*BORN, ("dbirth", "belt", 1, None), dup=True)) == []


def test_the_broker_tells_of_a_death_by_the_will() -> None:
    late = said(*BORN, ("ndeath", "", None, 6), direction="broker_to_client")
    assert of("Q7", late) == []
    true = said(*BORN, ("ndeath", "", None, 7), direction="broker_to_client")
    after = said(("ndata", "", 2, None))
    for message in after.others["mqtt"][1]:
        message["ts"] += 60 * SECOND
        true.others["mqtt"][1].append(message)
    assert "a node that is dead" in only("Q7", true).why


def test_a_copy_by_the_broker_is_not_a_repetition() -> None:
    assert of("Q7", said(*BORN, ("dbirth", "belt", 1, None), direction="broker_to_client")) == []
