"""The checks of the policy: one a file, registered here."""

from __future__ import annotations

from typing import Final

from policy.checks.base import Check
from policy.checks.chg_01 import UnplannedChange
from policy.checks.chg_02 import OutOfScope
from policy.checks.chg_03 import LastingDrift
from policy.checks.cov_01 import PoorSight
from policy.checks.cov_02 import ClockOff
from policy.checks.ra_01 import PastTheJumpHost
from policy.checks.ra_02 import OutOfHours
from policy.checks.ra_03 import Unapproved
from policy.checks.ra_04 import TooLongOrIdle
from policy.checks.ra_05 import TooManyAtOnce
from policy.checks.ra_06 import BrokenChain
from policy.checks.ra_07 import UnsanctionedTool
from policy.checks.ra_08 import OnFromTheTarget
from policy.checks.ra_09 import FailedLogins
from policy.checks.seg_01 import UndeclaredConversation
from policy.checks.seg_02 import SkippedLevel
from policy.checks.seg_03 import AgainstTheConduit
from policy.checks.seg_04 import ServiceNotAllowed
from policy.checks.seg_05 import OperationNotAllowed
from policy.checks.seg_06 import PublicAddress
from policy.checks.seg_07 import TwoZones
from policy.checks.seg_08 import AroundTheAccessPoint
from policy.checks.seg_09 import UndeclaredDevice
from policy.checks.seg_10 import AddressClaimedTwice
from policy.checks.seg_11 import UnusedRule
from policy.checks.seg_12 import ExpiredRuleInUse
from policy.checks.seg_13 import Cleartext
from policy.checks.seg_14 import Pastime

CHECKS: Final[tuple[Check, ...]] = (
    UndeclaredConversation(),
    SkippedLevel(),
    AgainstTheConduit(),
    ServiceNotAllowed(),
    OperationNotAllowed(),
    PublicAddress(),
    TwoZones(),
    AroundTheAccessPoint(),
    UndeclaredDevice(),
    AddressClaimedTwice(),
    UnusedRule(),
    ExpiredRuleInUse(),
    Cleartext(),
    Pastime(),
    PastTheJumpHost(),
    OutOfHours(),
    Unapproved(),
    TooLongOrIdle(),
    TooManyAtOnce(),
    BrokenChain(),
    UnsanctionedTool(),
    OnFromTheTarget(),
    FailedLogins(),
    UnplannedChange(),
    OutOfScope(),
    LastingDrift(),
    PoorSight(),
    ClockOff(),
)
