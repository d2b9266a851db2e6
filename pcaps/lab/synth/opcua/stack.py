"""asyncua, as these blocks use it: untyped, because its annotations refuse what its own calls pass."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final, TypeAlias

#: Structures, enumerations and identifiers of OPC UA.
ua: Final[Any] = import_module("asyncua.ua")
#: Structures in, bytes out.
binary: Final[Any] = import_module("asyncua.ua.ua_binary")
#: A channel's chunks and sequence numbers.
connection: Final[Any] = import_module("asyncua.common.connection")
#: What signs and encrypts them.
policies: Final[Any] = import_module("asyncua.crypto.security_policies")

#: An object of one of asyncua's classes.
Structure: TypeAlias = Any
