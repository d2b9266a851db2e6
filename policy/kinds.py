"""The ids that a finding can have, as a policy names them; a test holds them to the catalogue of what is judged."""

from __future__ import annotations

from typing import Final

from policy.detection_settings import DETECTION_IDS

CHECK_IDS: Final = (
    *(f"SEG-{number:02}" for number in range(1, 15)),
    *(f"RA-{number:02}" for number in range(1, 10)),
    *("CHG-01", "CHG-02", "CHG-03"),
    *("COV-01", "COV-02"),
)
SLA_IDS: Final = ("SLA-01", "SLA-02", "SLA-03", "SLA-04")
#: Findings of threat indicators that somebody gives.
INDICATOR_IDS: Final = ("TI-01", "TI-02", "TI-03", "TI-04", "TI-05")
#: A rule that somebody wrote has its own name behind it.
RULE_PREFIX: Final = "rule:"

#: Every id that is known beforehand, checks first.
KIND_IDS: Final = (*CHECK_IDS, *DETECTION_IDS, *SLA_IDS, *INDICATOR_IDS)


def is_kind(name: str) -> bool:
    """Whether a finding can have that id."""
    return name in KIND_IDS or (name.startswith(RULE_PREFIX) and len(name) > len(RULE_PREFIX))
