"""Which cases a property is tried on."""

from __future__ import annotations

from hypothesis import settings

# The same cases in every run: a run judges what has changed and nothing else. Other ones, to search for faults:
# make test-python PYTEST_FLAGS="--hypothesis-profile=default"
settings.register_profile("same cases", derandomize=True, database=None, deadline=None)
settings.load_profile("same cases")
