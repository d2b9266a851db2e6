"""The checks of the policy: one a file, registered here."""

from __future__ import annotations

from typing import Final

from policy.checks.base import Check
from policy.checks.seg_01 import UndeclaredConversation
from policy.checks.seg_02 import SkippedLevel
from policy.checks.seg_03 import AgainstTheConduit
from policy.checks.seg_04 import ServiceNotAllowed
from policy.checks.seg_05 import OperationNotAllowed

CHECKS: Final[tuple[Check, ...]] = (
    UndeclaredConversation(),
    SkippedLevel(),
    AgainstTheConduit(),
    ServiceNotAllowed(),
    OperationNotAllowed(),
)
