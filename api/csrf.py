"""Form tokens: a page of ours proves itself by a token that only it and the visitor's cookie could have.

Signed double submit (OWASP cheat sheet on cross-site request forgery): the cookie holds a random visit id, the
form a nonce and an HMAC over both. The nonce changes with every page, so that compression tells nothing of it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Final

COOKIE: Final = "geophone_visit"
FIELD: Final = "token"
_VISIT: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class FormTokens:
    """Makes and checks form tokens; the key lives as long as the process."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)

    def visit(self, cookie: str | None) -> str:
        """The visit id of a request's cookie, or a new one where there is none or it is not one of ours."""
        return cookie if cookie and _VISIT.fullmatch(cookie) else secrets.token_urlsafe(32)

    def token(self, visit: str) -> str:
        """A fresh token for a form shown to that visit."""
        nonce = secrets.token_urlsafe(16)
        return f"{nonce}.{self._signature(visit, nonce)}"

    def accepts(self, cookie: str | None, token: str) -> bool:
        """Whether the token was made for the visit in the cookie."""
        nonce, dot, signature = token.partition(".")
        if not cookie or not dot:
            return False
        # bytes: compare_digest refuses text with other than ASCII characters
        return hmac.compare_digest(self._signature(cookie, nonce).encode(), signature.encode())

    def _signature(self, visit: str, nonce: str) -> str:
        return hmac.new(self._key, f"{visit}.{nonce}".encode(), hashlib.sha256).hexdigest()
