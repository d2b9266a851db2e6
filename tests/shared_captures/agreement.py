"""Our numbers beside Wireshark's; `python -m tests.shared_captures.agreement` writes the page of the docs.

`DIFFERENCES` holds every number on which we and Wireshark do not agree, and the reason who is right.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sensors.stats import stats
from tests.shared_captures.captures import FOLDER, NAMES, oracle

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "agreement.md"

#: capture -> number -> (ours, Wireshark's, who is right and why)
DIFFERENCES: Final[dict[str, dict[str, tuple[int, int, str]]]] = {
    "03-ICS-Security-Tools-mb2.pcap": {
        "handshake RTT samples": (
            4,
            5,
            "ours: frame 3733 is a SYN that a reset refused; Wireshark takes SYN to RST for a handshake",
        ),
    },
    "12-tcptrace-discard.solaris.dmp.gz": {
        "handshake RTT samples": (
            3,
            5,
            "ours: two SYNs to port 9 were refused by a reset; Wireshark takes SYN to RST for a handshake",
        ),
    },
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One number of one capture."""

    capture: str
    number: str
    ours: int
    wireshark: int

    @property
    def reason(self) -> str:
        """Why the two differ, where that is known."""
        known = DIFFERENCES.get(self.capture, {}).get(self.number)
        return known[2] if known and known[:2] == (self.ours, self.wireshark) else ""


def compare(name: str) -> Iterator[Comparison]:
    """Every number that both know of a capture."""
    ours, theirs = _numbers(stats(FOLDER / name)), _numbers(oracle()[name])
    for number in sorted(ours.keys() | theirs.keys()):
        yield Comparison(name, number, ours.get(number, 0), theirs.get(number, 0))


def _numbers(answer: dict[str, Any]) -> dict[str, int]:
    """The counts that are compared, from an answer in the oracle's form."""
    numbers = {
        "frames": answer["frames"],
        "truncated frames": answer["truncated_frames"],
        "frames back in time": answer["time_goes_back"],
        "VLAN tags at most": answer["max_vlan_tags"],
        "TCP flows": answer["tcp"]["flows"],
        "TCP flows with SYN": answer["tcp"]["flows_with_syn"],
        "UDP flows": answer["tcp"]["udp_flows"],
        "handshake RTT samples": answer["tcp"]["handshake_rtt_s"]["n"],
    }
    if (modbus := answer["modbus"]) is not None:
        numbers |= {
            "Modbus messages": modbus["messages"],
            "Modbus responses matched": modbus["responses_matched"],
            "Modbus responses without request": modbus["responses_unmatched"],
            "Modbus requests without response": modbus["requests_unanswered"],
            **{f"Modbus function {kind}": count for kind, count in modbus["by_fc"].items()},
            **{f"Modbus exception {kind}": count for kind, count in modbus["exceptions"].items()},
        }
    if (mqtt := answer["mqtt"]) is not None:
        numbers |= {
            "MQTT packets": mqtt["messages"],
            "MQTT retained publications": mqtt["publish_retain"],
            "MQTT repeated publications": mqtt["publish_dup"],
            "MQTT topics": mqtt["topics_distinct"],
            "MQTT frames with several packets": mqtt["frames_multi_pdu"],
            **{f"MQTT {kind}": count for kind, count in mqtt["by_type"].items()},
            **{f"MQTT publications of QoS {qos}": count for qos, count in mqtt["publish_qos"].items()},
            **{f"MQTT CONNECT of level {level}": n for level, n in mqtt["versions_in_connect"].items()},
            **{f"MQTT CONNACK code {code}": count for code, count in mqtt["connack_codes"].items()},
        }
    if (opcua := answer["opcua"]) is not None:
        numbers |= {
            "OPC UA messages": opcua["messages"],
            "OPC UA frames with several messages": opcua["frames_multi_pdu"],
            "OPC UA bad service results": opcua["service_results_bad"],
            **{f"OPC UA chunk {kind}": count for kind, count in opcua["by_type_chunk"].items()},
            **{f"OPC UA type {kind}": count for kind, count in opcua["services"].items()},
            **{f"OPC UA policy {name}": count for name, count in opcua["policies"].items()},
            **{f"OPC UA error {code}": count for code, count in opcua["errors"].items()},
        }
    return numbers


def page() -> str:
    """The agreement as Markdown."""
    lines = [
        "# Agreement with Wireshark",
        "",
        "Counts of the twelve shared public captures, ours and tshark's (4.0.17, both reassembly modes, the better",
        "one of each capture). Written by `python -m tests.shared_captures.agreement`; a test fails on any difference",
        "that is not explained here, and on any explanation that is no longer needed.",
        "",
        "| capture | numbers compared | equal | different |",
        "|---|---|---|---|",
    ]
    different: list[Comparison] = []
    for name in NAMES:
        compared = list(compare(name))
        unequal = [one for one in compared if one.ours != one.wireshark]
        different += unequal
        lines.append(f"| {name} | {len(compared)} | {len(compared) - len(unequal)} | {len(unequal)} |")
    lines += ["", "## Differences", ""]
    if different:
        lines += [
            "| capture | number | ours | Wireshark's | who is right, and why |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {one.capture} | {one.number} | {one.ours} | {one.wireshark} | {one.reason or '**unexplained**'} |"
            for one in different
        ]
    else:
        lines.append("None.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    text = page()
    PAGE.write_text(text)
    sys.stdout.write(text)
