"""The lab's stacks are an extra of the product: where they are missing, one line says so."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from geophone.errors import UsageProblem

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")
#: What the stations run.
_PACKAGES: Final = frozenset({"asyncua", "cryptography", "paho", "pymodbus"})


def with_lab_packages(work: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """A missing package of the extra becomes a UsageProblem that names it."""

    @functools.wraps(work)
    def checked(*arguments: _Parameters.args, **options: _Parameters.kwargs) -> _Result:
        import importlib.util

        for package in sorted(_PACKAGES):
            if importlib.util.find_spec(package) is None:
                raise UsageProblem(
                    f"the lab needs {package}: install the `lab` extra: pip install 'geophone[lab]'"
                )
        return work(*arguments, **options)

    return checked
