"""OPC UA as rules speak of it: groups of services, security modes, kinds of users.

Source: OPC 10000-4, clause 5 (service sets), 7.20 (message security mode), 7.36 (user identity tokens).
"""

from __future__ import annotations

from typing import Final

#: Service -> the group that rules name it by. What opens channels and sessions, and what finds servers, is in no
#: group: a client that may do anything at all needs it.
GROUPS: Final = {
    "Read": "read",
    "Write": "write",
    "Call": "call",
    "SessionlessInvoke": "call",
    "CreateSubscription": "subscribe",
    "ModifySubscription": "subscribe",
    "SetPublishingMode": "subscribe",
    "Publish": "subscribe",
    "Republish": "subscribe",
    "TransferSubscriptions": "subscribe",
    "DeleteSubscriptions": "subscribe",
    "CreateMonitoredItems": "subscribe",
    "ModifyMonitoredItems": "subscribe",
    "SetMonitoringMode": "subscribe",
    "SetTriggering": "subscribe",
    "DeleteMonitoredItems": "subscribe",
    "Browse": "browse",
    "BrowseNext": "browse",
    "TranslateBrowsePathsToNodeIds": "browse",
    "RegisterNodes": "browse",
    "UnregisterNodes": "browse",
    "QueryFirst": "browse",
    "QueryNext": "browse",
    "HistoryRead": "history",
    "HistoryUpdate": "history",
    "AddNodes": "configure",
    "AddReferences": "configure",
    "DeleteNodes": "configure",
    "DeleteReferences": "configure",
    "RegisterServer": "configure",
    "RegisterServer2": "configure",
}

#: Services that change something in the server: their confirmation raises the severity.
CHANGING: Final = frozenset(
    {"Write", "Call", "SessionlessInvoke", "HistoryUpdate"}
    | {name for name, group in GROUPS.items() if group == "configure"}
)

#: A rule's word for a mode -> how strong it is.
RULE_MODES: Final = {"None": 0, "Sign": 1, "SignAndEncrypt": 2}
#: The decoder's word for a mode -> how strong it may be; one that is not here is not known.
SEEN_MODES: Final = {"none": 0, "sign": 1, "sign_and_encrypt": 2, "sign_or_encrypt": 2}

#: A rule's word for a kind of user -> the decoder's.
RULE_USERS: Final = {
    "anonymous": "anonymous",
    "username": "user_name",
    "certificate": "certificate",
    "issued": "issued",
}


def node_text(node: str) -> str:
    """A node id as rules and rows are compared: namespace 0 is left out (OPC 10000-6, 5.3.1.10)."""
    return node.removeprefix("ns=0;")
