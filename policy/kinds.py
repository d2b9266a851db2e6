"""The ids that a finding can have, as a policy names them; a test holds them to the catalogue of what is judged."""

from __future__ import annotations

from typing import Final

from policy.detection_settings import DETECTION_IDS

CHECK_IDS: Final = (
    *(f"SEG-{number:02}" for number in range(1, 15)),
    *(f"RA-{number:02}" for number in range(1, 10)),
)
SLA_IDS: Final = ("SLA-01", "SLA-02", "SLA-03", "SLA-04")

KIND_IDS: Final = (*CHECK_IDS, *DETECTION_IDS, *SLA_IDS)
"""Every id, checks first."""
