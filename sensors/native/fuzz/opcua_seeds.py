"""Seeds for the fuzz target `opcua`, made here: every service that is read, asked and answered."""

from __future__ import annotations

#: What a body is made of, as src/opcua/body.rs has it: a count, a node, a value, a structure's fields, a text.
_PIECES = (
    b"\xfe\x01\xfd\xfc\x2a\xff",
    b"\xfe\x02\xfd\xf8\xfd\xf8\xff\xff",
    b"\xf9\xfe\x01\xfa\x05Pump1\xff\xf7",
    b"\xfe\x01\xfb\x03\xfd\xfc\x01\xff\xff",
)

#: The places of services in the target's list.
_SERVICES = range(32)

#: Actions: a message in one chunk, in several, one of which a part is lost.
_WHOLE, _CHUNKED, _BROKEN = 2, 4, 10

#: A channel that encrypts, one that the server opened, one on another port.
_OPTIONS = (0, 16, 8, 1)


def made_opcua_seeds() -> list[bytes]:
    """Options; then for each action what it is and who sends it (1: the server), its length, its bytes."""
    seeds = []
    for service in _SERVICES:
        pieces = _PIECES[service % len(_PIECES)]
        said = bytes([service]) + pieces
        seed = b"".join(
            _action(action, said) for action in (_WHOLE, _WHOLE | 1, _CHUNKED, _CHUNKED | 1, _BROKEN)
        )
        seeds.append(bytes([_OPTIONS[service % len(_OPTIONS)]]) + seed)
    return seeds


def _action(action: int, said: bytes) -> bytes:
    return bytes([action, len(said)]) + said
