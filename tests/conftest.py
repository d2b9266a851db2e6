"""How the suite is shared out among processes (`pytest -n 2 --dist loadgroup`); which cases a property is tried on."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The same cases in every run: a run judges what has changed and nothing else. Other ones, to search for faults:
# make test-python PYTEST_FLAGS="--hypothesis-profile=default"
settings.register_profile("same cases", derandomize=True, database=None, deadline=None)
settings.load_profile("same cases")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays in one process, as its fixtures are made once; so does all that changes the machine."""
    for item in items:
        alone = item.get_closest_marker("root") is not None
        item.add_marker(pytest.mark.xdist_group("the machine" if alone else str(item.path)))
