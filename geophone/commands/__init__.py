"""The commands, one file each: `geophone NAME` is in NAME.py, with what it takes; the work is elsewhere."""

from __future__ import annotations

from typing import Final

import click

from geophone.commands.access import access
from geophone.commands.approvals import approvals
from geophone.commands.attack import attack
from geophone.commands.baseline import baseline
from geophone.commands.crosscheck import crosscheck
from geophone.commands.decode import decode
from geophone.commands.demo import demo
from geophone.commands.evidence import evidence
from geophone.commands.gateway import gateway
from geophone.commands.incidents import incidents
from geophone.commands.indicators import indicators
from geophone.commands.inventory import inventory
from geophone.commands.lab import lab
from geophone.commands.limits import limits
from geophone.commands.policy import policy
from geophone.commands.registers import registers
from geophone.commands.replay import replay
from geophone.commands.rules import rules
from geophone.commands.run import run
from geophone.commands.sensor import sensor
from geophone.commands.serve import serve
from geophone.commands.sla import sla
from geophone.commands.stats import stats

COMMANDS: Final[tuple[click.Command, ...]] = (
    access,
    approvals,
    attack,
    baseline,
    crosscheck,
    decode,
    demo,
    evidence,
    gateway,
    incidents,
    indicators,
    inventory,
    lab,
    limits,
    policy,
    registers,
    replay,
    rules,
    run,
    sensor,
    serve,
    sla,
    stats,
)
