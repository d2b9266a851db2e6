"""The options by which commands are given rules and indicators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from geophone.guarded import PATH


def given_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --rules and --indicators, as `rules_path` and `indicator_files`."""
    command = click.option(
        "--indicators",
        "indicator_files",
        multiple=True,
        type=PATH,
        metavar="FILE",
        help="Look for the threat indicators of this STIX 2.1 bundle or CSV file. May be repeated.",
    )(command)
    return click.option(
        "--rules",
        "rules_path",
        type=PATH,
        metavar="DIR",
        help="Run the Sigma rules of this folder (docs/rules.md).",
    )(command)
