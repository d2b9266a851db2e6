"""A second opinion: the same capture through Wireshark's dissectors, compared field by field.

`crosscheck` is the way in. tshark reads the capture up to three times: frames and TCP verdicts, the count of
messages under the other way of reassembly, then the messages themselves, protocol by protocol. Our engine reads
it beside, in step, so that neither side's rows pile up.
"""

from __future__ import annotations

from sensors.crosscheck.agreement import Difference, FieldAgreement
from sensors.crosscheck.compare import PROTOCOL_NAMES, Crosscheck, crosscheck
from sensors.crosscheck.wireshark import NoWireshark, WiresharkFailed

__all__ = [
    "PROTOCOL_NAMES",
    "Crosscheck",
    "Difference",
    "FieldAgreement",
    "NoWireshark",
    "WiresharkFailed",
    "crosscheck",
]
