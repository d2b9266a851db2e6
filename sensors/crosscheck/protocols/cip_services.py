"""CIP services by their numbers (CIP Networks Library, volume 1, appendix A and the objects' chapters)."""

from __future__ import annotations

from typing import Final

_CONNECTION_MANAGER, _FILE, _PCCC = 0x06, 0x37, 0x67

#: Classes of tags and their templates (Rockwell Automation, Logix 5000 Data Access): their services are the tags'.
_TAG_CLASSES: Final = (None, 0x6B, 0x6C, 0xB2)

#: What every object may have.
_COMMON: Final = {
    0x01: "get attributes all",
    0x02: "set attributes all",
    0x03: "get attribute list",
    0x04: "set attribute list",
    0x05: "reset",
    0x06: "start",
    0x07: "stop",
    0x08: "create",
    0x09: "delete",
    0x0A: "multiple service packet",
    0x0D: "apply attributes",
    0x0E: "get attribute single",
    0x10: "set attribute single",
    0x11: "find next object instance",
    0x15: "restore",
    0x16: "save",
    0x17: "no operation",
    0x18: "get member",
    0x19: "set member",
    0x1A: "insert member",
    0x1B: "remove member",
    0x1C: "group sync",
}

_OF_CLASS: Final = {
    (_CONNECTION_MANAGER, 0x4E): "forward close",
    (_CONNECTION_MANAGER, 0x52): "unconnected send",
    (_CONNECTION_MANAGER, 0x54): "forward open",
    (_CONNECTION_MANAGER, 0x56): "get connection data",
    (_CONNECTION_MANAGER, 0x57): "search connection data",
    (_CONNECTION_MANAGER, 0x5A): "get connection owner",
    (_CONNECTION_MANAGER, 0x5B): "large forward open",
    (_FILE, 0x4B): "initiate upload",
    (_FILE, 0x4C): "initiate download",
    (_FILE, 0x4D): "initiate partial read",
    (_FILE, 0x4E): "initiate partial write",
    (_FILE, 0x4F): "upload transfer",
    (_FILE, 0x50): "download transfer",
    (_FILE, 0x51): "clear file",
    (_PCCC, 0x4B): "execute PCCC",
}

_OF_TAGS: Final = {
    0x4C: "read tag",
    0x4D: "write tag",
    0x4E: "read modify write tag",
    0x52: "read tag fragmented",
    0x53: "write tag fragmented",
    0x55: "get instance attribute list",
}


def name(service: int, class_id: int | None) -> str:
    """The name of a service of a class; `class_id` is None where the path names a tag."""
    if known := _OF_CLASS.get((class_id or 0, service)):
        return known
    if class_id in _TAG_CLASSES and (known := _OF_TAGS.get(service)):
        return known
    if known := _COMMON.get(service):
        return known
    of = "" if class_id is None else f" of class 0x{class_id:02x}"
    return f"service 0x{service:02x}{of}"
