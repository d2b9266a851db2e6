"""An edge node's Sparkplug B payloads, by the protobuf package (Eclipse Sparkplug 3.0, 6 and its schema)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from pcaps.lab.synth.clock import MILLISECOND

_Field: Final = descriptor_pb2.FieldDescriptorProto

#: Field of a metric -> number and type; the schema has more, for what is not used here.
_METRIC: Final = (
    ("name", 1, _Field.TYPE_STRING),
    ("alias", 2, _Field.TYPE_UINT64),
    ("timestamp", 3, _Field.TYPE_UINT64),
    ("datatype", 4, _Field.TYPE_UINT32),
    ("int_value", 10, _Field.TYPE_UINT32),
    ("long_value", 11, _Field.TYPE_UINT64),
    ("float_value", 12, _Field.TYPE_FLOAT),
    ("double_value", 13, _Field.TYPE_DOUBLE),
    ("boolean_value", 14, _Field.TYPE_BOOL),
    ("string_value", 15, _Field.TYPE_STRING),
)
_INT64, _UINT64 = 4, 8
#: Python's type -> datatype (6.4.16) and the field that holds the value.
_TYPES: Final = {
    bool: (11, "boolean_value"),
    int: (_INT64, "long_value"),
    float: (10, "double_value"),
    str: (12, "string_value"),
}

Metric = bool | int | float | str


def _payload_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="lab_sparkplug_b.proto", package="lab.sparkplug", syntax="proto2"
    )
    payload = file.message_type.add(name="Payload")
    metric = payload.nested_type.add(name="Metric")
    for name, number, kind in _METRIC:
        metric.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    payload.field.add(name="timestamp", number=1, type=_Field.TYPE_UINT64, label=_Field.LABEL_OPTIONAL)
    payload.field.add(
        name="metrics",
        number=2,
        type=_Field.TYPE_MESSAGE,
        label=_Field.LABEL_REPEATED,
        type_name=".lab.sparkplug.Payload.Metric",
    )
    payload.field.add(name="seq", number=3, type=_Field.TYPE_UINT64, label=_Field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("lab.sparkplug.Payload"))


_PAYLOAD: Final = _payload_class()


@dataclass(slots=True)
class EdgeNode:
    """An edge node: its topics, and the sequence number that it counts from birth to birth (6.4.2)."""

    group: str
    node: str
    birth: int = 0
    seq: int = 0
    #: How far its clock is ahead of everybody's.
    ahead_ns: int = 0

    def topic(self, kind: str, device: str = "") -> str:
        """`spBv1.0/group/kind/node`, and the device where it is about one (4.1)."""
        return "/".join(filter(None, ("spBv1.0", self.group, kind, self.node, device)))

    def will(self) -> bytes:
        """NDEATH: it says only which birth it ends."""
        return _payload([_birth_number(self.birth)])

    def born(self, metrics: dict[str, Metric], now_ns: int) -> bytes:
        """NBIRTH: everything the node has; the sequence begins at 0."""
        self.seq = 0
        said_ns = now_ns + self.ahead_ns
        made = [_birth_number(self.birth), *_metrics(metrics, said_ns)]
        return _payload(made, said_ns, self.seq)

    def device_born(self, metrics: dict[str, Metric], now_ns: int) -> bytes:
        """DBIRTH: everything a device has."""
        return self._next(_metrics(metrics, now_ns + self.ahead_ns), now_ns)

    def data(self, metrics: dict[str, Metric], now_ns: int) -> bytes:
        """NDATA or DDATA: what changed."""
        return self._next(_metrics(metrics, now_ns + self.ahead_ns), now_ns)

    def device_dead(self, now_ns: int) -> bytes:
        """DDEATH."""
        return self._next((), now_ns)

    def _next(self, metrics: Iterable[dict[str, Any]], now_ns: int) -> bytes:
        self.seq = (self.seq + 1) % 256
        return _payload(metrics, now_ns + self.ahead_ns, self.seq)


def command(metrics: dict[str, Metric], now_ns: int) -> bytes:
    """NCMD or DCMD: what a host application wants written; it has no sequence number."""
    return _payload(_metrics(metrics, now_ns), now_ns)


def _birth_number(birth: int) -> dict[str, Any]:
    return {"name": "bdSeq", "datatype": _UINT64, "long_value": birth}


def _metrics(metrics: dict[str, Metric], now_ns: int) -> list[dict[str, Any]]:
    made = []
    for name, value in metrics.items():
        datatype, holder = _TYPES[type(value)]
        if datatype == _INT64:
            value = int(value) & 0xFFFF_FFFF_FFFF_FFFF  # two's complement: the field has no sign (6.4.16)
        made.append({"name": name, "timestamp": now_ns // MILLISECOND, "datatype": datatype, holder: value})
    return made


def _payload(metrics: Iterable[dict[str, Any]], now_ns: int | None = None, seq: int | None = None) -> bytes:
    made = _PAYLOAD()
    if now_ns is not None:
        made.timestamp = now_ns // MILLISECOND
    for metric in metrics:
        made.metrics.add(**metric)
    if seq is not None:
        made.seq = seq
    return bytes(made.SerializeToString(deterministic=True))
