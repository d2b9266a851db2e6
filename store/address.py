"""Where a store is: a folder for the embedded engine, or a server's URL. Passwords never leave `password`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from store.errors import StoreError

DEFAULT_DATABASE: Final = "geophone"
_DEFAULT_PORTS: Final = {"http": 8123, "https": 8443}
#: What people write when they mean a server, for example localhost:8123.
_HOST_AND_PORT: Final = re.compile(r"[\w.-]+:\d+")
_FORMS: Final = "use a folder, chdb:///folder, or http(s)://user:password@host:port/database"


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """A folder of this machine that the embedded engine keeps its data in."""

    path: Path

    @property
    def shown(self) -> str:
        """The address as messages and pages show it."""
        return f"chdb://{self.path}"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A ClickHouse server's HTTP interface."""

    scheme: str
    host: str
    port: int
    user: str
    database: str
    password: str = field(default="", repr=False)

    @property
    def shown(self) -> str:
        """The address as messages and pages show it: without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{quote(self.user, safe='')}@" if self.user else ""
        return f"{self.scheme}://{user}{host}:{self.port}/{quote(self.database, safe='')}"


def parse_address(url: str | Path) -> FolderAddress | ServerAddress:
    """A folder, `chdb:///folder` or an HTTP URL in; the address out. StoreError where it is none of them."""
    if isinstance(url, Path):
        return FolderAddress(_folder(url))
    if "://" not in url:
        if not url.strip():
            raise StoreError(f"the store's address is empty; {_FORMS}")
        if url.lower().startswith(("chdb:", "http:", "https:")):
            # Taken for a folder, it would be made, password and all.
            raise StoreError(f"the store's address lacks the two slashes after its first colon; {_FORMS}")
        if _HOST_AND_PORT.fullmatch(url):
            raise StoreError(
                f"{url}: a server needs its scheme: http://{url}; a folder of that name: ./{url}"
            )
        return FolderAddress(_folder(Path(url)))
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # the message of urlsplit quotes the part it cannot read, which may be a piece of the password
        raise StoreError(
            "the store's address cannot be read: its host or port is not valid, or the password holds one of "
            f"/ ? # @ : that is not percent-encoded; {_FORMS}"
        ) from None
    if parts.scheme == "chdb":
        if parts.netloc or len(parts.path) < 2:
            raise StoreError("a chdb address names a whole path: chdb:///var/lib/geophone (three slashes)")
        return FolderAddress(_folder(Path(unquote(parts.path))))
    if parts.scheme not in _DEFAULT_PORTS:
        raise StoreError(f"{parts.scheme}:// is not an address of a store; {_FORMS}")
    if not parts.hostname:
        raise StoreError(f"the store's address names no host; {_FORMS}")
    if parse_qsl(parts.query) or parts.fragment:
        raise StoreError(f"the store's address takes no options after ? or #; {_FORMS}")
    database = unquote(parts.path.strip("/")) or DEFAULT_DATABASE
    if "/" in database or "`" in database or "\\" in database:
        raise StoreError("the store's address names a database with / ` or \\ in it: choose another name")
    return ServerAddress(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _DEFAULT_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        database=database,
        password=unquote(parts.password or ""),
    )


def _folder(path: Path) -> Path:
    return path.expanduser().resolve()
