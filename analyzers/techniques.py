"""The techniques of MITRE ATT&CK for ICS that findings cite: id -> name and tactics.

No package that can be installed carries the official data: this table is written by hand, as of ATT&CK v18.1, and
was not compared with the STIX bundle yet. A test holds every id that is cited against it. Ids that ATT&CK has
withdrawn are listed too, so that none comes back.
"""

from __future__ import annotations

from typing import Final

#: id -> name, tactics.
TECHNIQUES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "T0802": ("Automated Collection", ("collection",)),
    "T0804": ("Block Reporting Message", ("inhibit-response-function",)),
    "T0806": ("Brute Force I/O", ("impair-process-control",)),
    "T0809": ("Data Destruction", ("inhibit-response-function",)),
    "T0812": ("Default Credentials", ("lateral-movement",)),
    "T0814": ("Denial of Service", ("inhibit-response-function",)),
    "T0816": ("Device Restart/Shutdown", ("inhibit-response-function",)),
    "T0822": ("External Remote Services", ("initial-access",)),
    "T0830": ("Adversary-in-the-Middle", ("collection",)),
    "T0832": ("Manipulation of View", ("impact",)),
    "T0836": ("Modify Parameter", ("impair-process-control",)),
    "T0838": ("Modify Alarm Settings", ("inhibit-response-function",)),
    "T0842": ("Network Sniffing", ("discovery",)),
    "T0843": ("Program Download", ("lateral-movement",)),
    "T0846": ("Remote System Discovery", ("discovery",)),
    "T0848": ("Rogue Master", ("initial-access",)),
    "T0849": ("Masquerading", ("evasion",)),
    "T0855": ("Unauthorized Command Message", ("impair-process-control",)),
    "T0856": ("Spoof Reporting Message", ("evasion", "impair-process-control")),
    "T0857": ("System Firmware", ("inhibit-response-function", "persistence")),
    "T0859": ("Valid Accounts", ("lateral-movement", "persistence")),
    "T0861": ("Point & Tag Identification", ("collection",)),
    "T0864": ("Transient Cyber Asset", ("initial-access",)),
    "T0866": ("Exploitation of Remote Services", ("initial-access", "lateral-movement")),
    "T0867": ("Lateral Tool Transfer", ("lateral-movement",)),
    "T0869": ("Standard Application Layer Protocol", ("command-and-control",)),
    "T0871": ("Execution through API", ("execution",)),
    "T0878": ("Alarm Suppression", ("inhibit-response-function",)),
    "T0883": ("Internet Accessible Device", ("initial-access",)),
    "T0884": ("Connection Proxy", ("command-and-control",)),
    "T0886": ("Remote Services", ("initial-access", "lateral-movement")),
    "T0888": ("Remote System Information Discovery", ("discovery",)),
}

#: Deprecated or revoked: no finding may cite them.
WITHDRAWN: Final = frozenset(
    {
        "T0808", "T0810", "T0818", "T0824", "T0825", "T0833", "T0841", "T0844", "T0850", "T0854", "T0870", "T0875",
    }
)  # fmt: skip
