"""A privileged process in; one that may do nothing more than any other user out. For good.

After it, the process has another user, no capability, and no way to get one back (capabilities(7), prctl(2)).

What a thread renounces, the threads that it starts have renounced too: `renounce` comes first, before there is a
second thread. Becoming another user takes the capabilities of all threads; between the two, as root, is the time to
import what the other user may not be able to read.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from pathlib import Path
from typing import Final

# linux/prctl.h, linux/capability.h
_DROP_FROM_BOUNDING_SET: Final = 24
_NO_NEW_PRIVILEGES: Final = 38
_AMBIENT: Final = 47
_AMBIENT_CLEAR_ALL: Final = 4
_CAPABILITY_VERSION_3: Final = 0x20080522
_HIGHEST_CAPABILITY: Final = 63

#: Who a process of root becomes where nobody else is named.
DEFAULT_USER: Final = "nobody"


class PrivilegesKept(Exception):
    """Privileges cannot be given up as asked. Its text is one line, made for the user."""


def target_user(asked: str | None) -> pwd.struct_passwd | None:
    """Whom this process is to become: `asked`, or `nobody` where it is root; None: it stays who it is.

    Raises PrivilegesKept where there is no such user, or where only root could become one.
    """
    if asked is None and os.geteuid() != 0:
        return None
    name = asked or DEFAULT_USER
    try:
        user = pwd.getpwnam(name)
    except KeyError as error:
        raise PrivilegesKept(f"--user {name}: there is no such user on this machine") from error
    if os.geteuid() != 0 and user.pw_uid != os.geteuid():
        raise PrivilegesKept(f"--user {name}: only root can become another user; leave it out")
    return user


def renounce() -> None:
    """No new privileges from here on, whatever is run; those that the process has stay. Raises PrivilegesKept."""
    libc = _libc()
    if os.geteuid() == 0:
        for capability in range(_HIGHEST_CAPABILITY + 1):
            # Refused for capabilities that this kernel does not know.
            libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0)
    libc.prctl(_AMBIENT, _AMBIENT_CLEAR_ALL, 0, 0, 0)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise PrivilegesKept(f"cannot renounce new privileges: {os.strerror(ctypes.get_errno())}")


def drop(user: pwd.struct_passwd | None) -> None:
    """Become `user` (None: stay) and give up all capabilities.

    Raises PrivilegesKept where the system refuses, or where something is left all the same.
    """
    if user is not None and user.pw_uid != os.geteuid():
        try:
            os.initgroups(user.pw_name, user.pw_gid)
            os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
            os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
        except OSError as error:
            raise PrivilegesKept(f"cannot become {user.pw_name}: {error.strerror}") from error
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if _libc().capset(header, nothing) != 0:
        raise PrivilegesKept(f"cannot give up capabilities: {os.strerror(ctypes.get_errno())}")
    left = capabilities()
    if left:
        raise PrivilegesKept(f"capabilities are left after giving them up: {left:#x}")


def capabilities() -> int:
    """The capabilities that this thread has, or may take, as bits. Raises OSError."""
    bits = 0
    for line in Path("/proc/thread-self/status").read_text(errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name in ("CapEff", "CapPrm", "CapAmb", "CapInh"):
            bits |= int(value, 16)
    return bits


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
