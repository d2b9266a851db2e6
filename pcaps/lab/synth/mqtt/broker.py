"""A broker and its clients: who connects, subscribes and publishes in; the lines of every connection out.

What a client publishes reaches whoever subscribed, retained messages reach whoever subscribes later, a lost client's
will is published: as MQTT has it (3.1.1 and 5, chapters 3 and 4). Calls are made in the order of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pcaps.lab.synth.clock import MILLISECOND
from pcaps.lab.synth.dialogue import End, Line, Side
from pcaps.lab.synth.mqtt import packets
from pcaps.lab.synth.mqtt.packets import Properties, Version, Will

#: How long the broker takes to answer, and to hand a publication on.
_SERVICE_NS: Final = MILLISECOND
_FORWARD_NS: Final = 2 * MILLISECOND


class Connection:
    """One client's connection: the lines of both sides."""

    def __init__(self, client_id: str, version: Version) -> None:
        self.client_id, self.version = client_id, version
        self.lines: list[Line] = []
        self.filters: dict[str, int] = {}
        self.will: Will | None = None
        self.open = False
        #: How the connection ends, and when at the soonest.
        self.end, self.end_ns = End.CLIENT_CLOSES, 0
        self._packet_id = 0
        self._brokers_packet_id = 0

    def client_says(self, data: bytes, at_ns: int) -> None:
        """The client sends this."""
        self.lines.append(Line(Side.CLIENT, data, at_ns, _SERVICE_NS))

    def broker_says(self, data: bytes, at_ns: int = 0) -> None:
        """The broker sends this."""
        self.lines.append(Line(Side.SERVER, data, at_ns, _SERVICE_NS))

    def next_packet_id(self, side: Side) -> int:
        """Each side counts its own (2.3.1)."""
        if side is Side.CLIENT:
            self._packet_id += 1
            return self._packet_id
        self._brokers_packet_id += 1
        return self._brokers_packet_id


class Broker:
    """One broker; `counted` is the truth: packets that open an exchange, by kind."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self._connections: list[Connection] = []
        self._retained: dict[str, tuple[bytes, int]] = {}

    def connect(
        self,
        at_ns: int,
        client_id: str,
        version: Version = 4,
        *,
        user_name: str | None = None,
        password: str | None = None,
        will: Will | None = None,
        clean: bool = True,
        properties: Properties | None = None,
        answer: int = packets.SUCCESS,
        answer_properties: Properties | None = None,
    ) -> Connection:
        """A new connection. The same client id again ends the one before (3.1.4)."""
        self.counted["connect"] += 1
        made = Connection(client_id, version)
        sent = packets.connect(
            version,
            client_id,
            user_name=user_name,
            password=password,
            will=will,
            clean=clean,
            properties=properties,
        )
        made.client_says(sent, at_ns)
        made.broker_says(packets.connack(version, answer, properties=answer_properties))
        if answer == packets.SUCCESS:
            for other in [one for one in self._connections if one.client_id == client_id]:
                self._take_over(other, at_ns)
            made.open, made.will = True, will
            self._connections.append(made)
        else:
            made.end = End.SERVER_CLOSES
        return made

    def subscribe(self, who: Connection, at_ns: int, filters: Sequence[tuple[str, int]]) -> None:
        """Granted as asked; retained messages that match follow."""
        self.counted["subscribe"] += 1
        number = who.next_packet_id(Side.CLIENT)
        who.client_says(packets.subscribe(who.version, number, filters), at_ns)
        who.broker_says(packets.suback(who.version, number, [qos for _, qos in filters]))
        who.filters.update(filters)
        for topic, (payload, qos) in self._retained.items():
            if any(matches(one, topic) for one, _ in filters):
                self._deliver(who, at_ns + _FORWARD_NS, topic, payload, qos, retain=True)

    def unsubscribe(self, who: Connection, at_ns: int, filters: Sequence[str]) -> None:
        """No more of these."""
        self.counted["unsubscribe"] += 1
        number = who.next_packet_id(Side.CLIENT)
        who.client_says(packets.unsubscribe(who.version, number, filters), at_ns)
        who.broker_says(packets.unsuback(who.version, number, len(filters)))
        for one in filters:
            who.filters.pop(one, None)

    def publish(
        self,
        who: Connection,
        at_ns: int,
        topic: str,
        payload: bytes,
        *,
        qos: int = 0,
        retain: bool = False,
        properties: Properties | None = None,
        on_the_wire: str | None = None,
    ) -> None:
        """From a client to all who subscribed; `on_the_wire`: the topic as sent, empty where an alias stands for it."""
        self.counted["publish"] += 1
        number = who.next_packet_id(Side.CLIENT) if qos else 0
        sent = packets.publish(
            who.version,
            topic if on_the_wire is None else on_the_wire,
            payload,
            qos=qos,
            packet_id=number,
            retain=retain,
            properties=properties,
        )
        who.client_says(sent, at_ns)
        if qos == 1:
            who.broker_says(packets.puback(number))
        if qos == 2:
            who.broker_says(packets.pubrec(number))
            who.client_says(packets.pubrel(number), at_ns)
            who.broker_says(packets.pubcomp(number))
        self._hand_on(at_ns + _FORWARD_NS, topic, payload, qos, retain=retain)

    def ping(self, who: Connection, at_ns: int) -> None:
        """A sign of life."""
        self.counted["pingreq"] += 1
        who.client_says(packets.pingreq(), at_ns)
        who.broker_says(packets.pingresp())

    def disconnect(self, who: Connection, at_ns: int) -> None:
        """A client that goes in good order: its will is forgotten."""
        self.counted["disconnect"] += 1
        who.client_says(packets.disconnect(who.version), at_ns)
        self._leave(who)

    def lose(self, who: Connection, at_ns: int) -> None:
        """A client that is gone without a word: its will is published."""
        self._leave(who)
        who.end, who.end_ns = End.CLIENT_RESETS, at_ns
        if who.will:
            self._hand_on(at_ns, who.will.topic, who.will.payload, who.will.qos, retain=who.will.retain)

    def _take_over(self, other: Connection, at_ns: int) -> None:
        # Before version 5 the broker can only close the connection.
        if other.version == 5:
            self.counted["disconnect"] += 1
            other.broker_says(packets.disconnect(5, packets.SESSION_TAKEN_OVER), at_ns)
        self.lose(other, at_ns)
        other.end = End.SERVER_CLOSES

    def _leave(self, who: Connection) -> None:
        who.open = False
        self._connections.remove(who)

    def _hand_on(self, at_ns: int, topic: str, payload: bytes, qos: int, *, retain: bool) -> None:
        if retain:
            self._retained.pop(topic, None)
            if payload:
                self._retained[topic] = (payload, qos)
        for one in self._connections:
            granted = [most for wanted, most in one.filters.items() if matches(wanted, topic)]
            if granted:
                self._deliver(one, at_ns, topic, payload, min(qos, max(granted)))

    def _deliver(
        self, who: Connection, at_ns: int, topic: str, payload: bytes, qos: int, *, retain: bool = False
    ) -> None:
        self.counted["publish"] += 1
        number = who.next_packet_id(Side.SERVER) if qos else 0
        sent = packets.publish(who.version, topic, payload, qos=qos, packet_id=number, retain=retain)
        who.broker_says(sent, at_ns)
        if qos == 1:
            who.client_says(packets.puback(number), at_ns)
        if qos == 2:
            who.client_says(packets.pubrec(number), at_ns)
            who.broker_says(packets.pubrel(number))
            who.client_says(packets.pubcomp(number), at_ns)


def matches(wanted: str, topic: str) -> bool:
    """Whether a filter takes a topic (4.7): `+` is one level, `#` the rest, neither begins with `$` unasked."""
    wants, has = wanted.split("/"), topic.split("/")
    if topic.startswith("$") and wants[0] in ("+", "#"):
        return False
    for place, want in enumerate(wants):
        if want == "#":
            return True
        if place >= len(has) or want not in ("+", has[place]):
            return False
    return len(wants) == len(has)
