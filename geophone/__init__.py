"""The application shell: the only place that wires the parts together."""

from importlib.metadata import version as _version

__version__ = _version("geophone")
