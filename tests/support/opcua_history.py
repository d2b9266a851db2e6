"""What asyncua's client can ask and its server leaves out: history is changed, browsing goes on, a token is issued.

The missing answers are made of the stack's own types and written by its own encoder, so that the bytes are no
invention of ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from asyncua import ua as stack
from asyncua.client.client import Client
from asyncua.server import binary_server_asyncio
from asyncua.server.server import Server
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary

#: The stack's types, which fit its own encoder rather than a type checker.
ua: Any = stack

#: What an authorization service issued: a secret.
ISSUED_TOKEN: Final = b"header.claims-of-eng1.5ignature-0f-the-1ssuer"

#: When the changed values were measured.
MEASURED: Final = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)

#: What the server says of each of the changes that `change_history` asks for.
CHANGED: Final = ("Good", "BadEntryExists", "Good", "Good", "BadNoEntryExists", "Good")

_CONTINUED: Final = b"42 of 99"


class _Processor(UaProcessor):
    """The stack's own, with the two services that it has no answer for."""

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        untyped: Any = super()
        if typeid == ua.NodeId(ua.ObjectIds.HistoryUpdateRequest_Encoding_DefaultBinary):
            asked = struct_from_binary(ua.HistoryUpdateParameters, body)
            response = ua.HistoryUpdateResponse(Results=[_changed(one) for one in asked.HistoryUpdateDetails])
        elif typeid == ua.NodeId(ua.ObjectIds.BrowseNextRequest_Encoding_DefaultBinary):
            more = struct_from_binary(ua.BrowseNextParameters, body)
            response = ua.BrowseNextResponse()
            response.Parameters.Results = [_browsed(point) for point in more.ContinuationPoints]
        else:
            return await untyped._process_message(typeid, requesthdr, seqhdr, body)
        untyped.send_response(requesthdr.RequestHandle, seqhdr, response)
        return True


def _changed(details: Any) -> Any:
    """A replacement meets a value that is there already; a time to delete has no value."""
    good = ua.StatusCode(ua.StatusCodes.Good)
    if isinstance(details, ua.UpdateDataDetails):
        replaces = details.PerformInsertReplace == ua.PerformUpdateType.Replace
        second = ua.StatusCode(ua.StatusCodes.BadEntryExists) if replaces else good
        return ua.HistoryUpdateResult(good, [good, second])
    if isinstance(details, ua.DeleteAtTimeDetails):
        return ua.HistoryUpdateResult(good, [ua.StatusCode(ua.StatusCodes.BadNoEntryExists)])
    return ua.HistoryUpdateResult(good, [])


def _browsed(point: bytes) -> Any:
    """One more reference for the point that was given; another point is not valid."""
    if point != _CONTINUED:
        return ua.BrowseResult(ua.StatusCode(ua.StatusCodes.BadContinuationPointInvalid))
    reference = ua.ReferenceDescription(
        ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasComponent),
        NodeId=ua.ExpandedNodeId.from_string("ns=2;s=Pump1.Spare"),
        BrowseName=ua.QualifiedName("Spare", 2),
        DisplayName=ua.LocalizedText("Spare"),
        NodeClass=ua.NodeClass.Variable,
        TypeDefinition=ua.ExpandedNodeId(ua.ObjectIds.BaseDataVariableType),
    )
    return ua.BrowseResult(ua.StatusCode(ua.StatusCodes.Good), b"", [reference])


@contextmanager
def every_service(server: Server) -> Iterator[None]:
    """Let the server answer HistoryUpdate and BrowseNext, and take issued tokens, on connections made within."""
    rest: Any = binary_server_asyncio
    rest.UaProcessor = _Processor
    identities: Any = server.iserver
    identities.supported_tokens = (*identities.supported_tokens, ua.IssuedIdentityToken)
    try:
        yield
    finally:
        rest.UaProcessor = UaProcessor


class TokenClient(Client):
    """Its user is known by an issued token instead of by nothing."""

    def _add_anonymous_auth(self, params: Any) -> None:
        params.UserIdentityToken = ua.IssuedIdentityToken("issued", ISSUED_TOKEN, None)


async def change_history(client: Client, node: Any) -> dict[str, Any]:
    """Values are inserted, replaced and deleted, in one call."""
    later = MEASURED + timedelta(minutes=1)
    values = [ua.DataValue(ua.Variant(value), SourceTimestamp=MEASURED) for value in (1.25, 2.5)]
    details = [
        ua.UpdateDataDetails(node, ua.PerformUpdateType.Insert, values),
        ua.UpdateDataDetails(node, ua.PerformUpdateType.Replace, values),
        ua.UpdateStructureDataDetails(node, ua.PerformUpdateType.Update, values[:1]),
        ua.DeleteRawModifiedDetails(node, False, MEASURED, later),
        ua.DeleteAtTimeDetails(node, [MEASURED]),
        ua.DeleteEventDetails(node, [b"event 7"]),
    ]
    results = await client.uaclient.history_update(ua.HistoryUpdateParameters(details))
    return {"results": [result.StatusCode.name for result in results], "count": len(details)}


async def read_history(client: Client, node: Any) -> dict[str, Any]:
    """Every kind of history is asked for; asyncua's server has raw values only."""
    start, end = MEASURED - timedelta(days=1), datetime.now(UTC)
    kinds = {
        "raw": ua.ReadRawModifiedDetails(False, start, end, 10, False),
        "modified": ua.ReadRawModifiedDetails(True, start, end, 10, False),
        "processed": ua.ReadProcessedDetails(start, end, 1000.0, [ua.NodeId(2342)]),
        "at times": ua.ReadAtTimeDetails([start, end], True),
    }
    facts: dict[str, Any] = {}
    for kind, details in kinds.items():
        asked = ua.HistoryReadParameters(
            HistoryReadDetails=details,
            TimestampsToReturn=ua.TimestampsToReturn.Source,
            NodesToRead=[ua.HistoryReadValueId(node), ua.HistoryReadValueId(node)],
        )
        results = await client.uaclient.history_read(asked)
        facts[kind] = [
            (result.StatusCode.name, [value.Value.Value for value in _values(result)]) for result in results
        ]
    return facts


def _values(result: Any) -> list[Any]:
    return list(getattr(result.HistoryData, "DataValues", []))


async def browse_on(client: Client) -> dict[str, Any]:
    """Browsing goes on from a point that is known and one that is not; then the points are given up."""
    facts: dict[str, Any] = {}
    for release in (False, True):
        asked = ua.BrowseNextParameters(release, [_CONTINUED, b"nowhere"])
        results = await client.uaclient.browse_next(asked)
        facts["release" if release else "results"] = [result.StatusCode.name for result in results]
        facts["names"] = [str(one.BrowseName.Name) for result in results for one in result.References]
    return facts
