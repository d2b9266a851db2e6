"""How the suite is shared out among processes (`pytest -n 2 --dist loadgroup`)."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays in one process, as its fixtures are made once; so does all that changes the machine."""
    for item in items:
        alone = item.get_closest_marker("root") is not None
        item.add_marker(pytest.mark.xdist_group("the machine" if alone else str(item.path)))
