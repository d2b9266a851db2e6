"""What an error of the engine or the network means: retry, full disk, refused, unreachable, or our own mistake."""

from __future__ import annotations

import errno
from enum import Enum
from typing import Final


class Fault(Enum):
    """The kinds of trouble that differ in what to do next."""

    TRANSIENT = "the same request may succeed when sent again"
    FULL = "the disk is full"
    DENIED = "user, password or rights"
    OTHER = "anything else"


# ClickHouse error codes (src/Common/ErrorCodes.cpp)
_FULL_CODES: Final = frozenset({243})  # NOT_ENOUGH_SPACE
_DENIED_CODES: Final = frozenset(
    {192, 193, 194, 497, 516}
)  # UNKNOWN_USER … ACCESS_DENIED, AUTHENTICATION_FAILED
_TRANSIENT_CODES: Final = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        236,  # ABORTED: the server shuts down
        241,  # MEMORY_LIMIT_EXCEEDED
        252,  # TOO_MANY_PARTS: merges are behind
        425,  # SYSTEM_ERROR
        999,  # KEEPER_EXCEPTION
    }
)
#: How the engine and the C library say it when the code is a general one.
_FULL_WORDS: Final = ("No space left on device", "Cannot reserve", "NOT_ENOUGH_SPACE", "Disk quota exceeded")


def classify(error: BaseException) -> Fault:
    """The kind of trouble behind an exception of clickhouse-connect, PyArrow or the operating system."""
    text = str(error)
    code = getattr(error, "code", None)
    if code in _FULL_CODES or any(words in text for words in _FULL_WORDS):
        return Fault.FULL
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Fault.FULL
    if code in _DENIED_CODES or "response code 401" in text or "response code 403" in text:
        return Fault.DENIED
    if code in _TRANSIENT_CODES:
        return Fault.TRANSIENT
    return Fault.TRANSIENT if code is None and _is_transport(error) else Fault.OTHER


def _is_transport(error: BaseException) -> bool:
    """True where no answer of the engine came back whole: the network, a proxy, a cut reply."""
    import pyarrow as pa
    import urllib3
    from clickhouse_connect.driver import exceptions

    # a reply that is not Arrow was cut short or came from something in between
    kinds = (OSError, urllib3.exceptions.HTTPError, pa.ArrowInvalid, exceptions.OperationalError)
    return isinstance(error, kinds) or type(error) is exceptions.DatabaseError
