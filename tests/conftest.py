"""Which cases a property is tried on, and how the tests are shared out among processes."""

from __future__ import annotations

import resource
import signal

from hypothesis import settings

from tests.support.sharing_out import pytest_collection_modifyitems, pytest_xdist_make_scheduler

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]

# The same cases in every run: a run judges what has changed and nothing else. Other ones, to search for faults:
# make test-python PYTEST_FLAGS="--hypothesis-profile=default"
settings.register_profile("same cases", derandomize=True, database=None, deadline=None)
settings.load_profile("same cases")

#: What the embedded engine leaves open, after a few hundred stores in one process.
_DESCRIPTORS = 16_384


def pytest_configure() -> None:
    # A shell without job control has what it starts in the background ignore Ctrl-C, and so would all that we start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _DESCRIPTORS if hard == resource.RLIM_INFINITY else min(_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
