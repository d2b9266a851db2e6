"""What can go wrong between us and the store, in words that say how to repair it.

The command line and the API print these messages as they are: none holds a password or a stored value.
"""

from __future__ import annotations


class StoreError(Exception):
    """The store could not do what was asked. Nothing that was stored before is lost."""


class StoreInUse(StoreError):
    """Another process (or another part of this one) has the folder or the replay."""


class StoreUnreachable(StoreError):
    """The server does not answer, or not in time."""


class StoreDenied(StoreError):
    """The server, or the file system, refuses us."""


class StoreFull(StoreError):
    """The disk of the store is full."""


class StoreTooNew(StoreError):
    """The schema was made by a newer version of this software, or changed since."""


class UnknownAlert(LookupError):
    """No alert has this id."""


class InvalidTransition(ValueError):
    """The alert's state does not allow this action, or the action lacks what it needs."""
