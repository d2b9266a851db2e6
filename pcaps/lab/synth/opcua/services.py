"""OPC UA's services: what is asked and what is answered, as structures (OPC 10000-4, 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from pcaps.lab.notes import moment
from pcaps.lab.synth.opcua.applications import (
    Node,
    Server,
    Value,
    expanded,
    node_id,
    number_node,
    variant,
)
from pcaps.lab.synth.opcua.stack import Structure, ua

GOOD: Final = 0
_ALL_RESULTS: Final = 63
_HIERARCHY: Final = 33  # HierarchicalReferences


class Pair(NamedTuple):
    """A request and its response, headers still to be filled in."""

    request: Structure
    response: Structure


def fault(request: Structure, status: int) -> Pair:
    """A request that the server refuses as a whole."""
    response = ua.ServiceFault()
    response.ResponseHeader.ServiceResult = _status(status)
    return Pair(request, response)


def find_servers(server: Server) -> Pair:
    """Ask which servers there are."""
    request = ua.FindServersRequest()
    request.Parameters.EndpointUrl = server.url
    return Pair(request, ua.FindServersResponse(Servers=[server.description()]))


def get_endpoints(server: Server) -> Pair:
    """Ask how this server may be spoken to."""
    request = ua.GetEndpointsRequest()
    request.Parameters.EndpointUrl = server.url
    return Pair(request, ua.GetEndpointsResponse(Endpoints=server.endpoints()))


def read(values: Mapping[str, Value], *, numbers_in_full: bool = False) -> Pair:
    """Read the Value of nodes."""
    request = ua.ReadRequest()
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    request.Parameters.NodesToRead = [
        ua.ReadValueId(_in_full(node) if numbers_in_full else node_id(node), ua.AttributeIds.Value)
        for node in values
    ]
    return Pair(request, ua.ReadResponse(Results=[_data_value(value) for value in values.values()]))


def write(values: Mapping[str, Value], statuses: Sequence[int] = ()) -> Pair:
    """Write the Value of nodes; all succeed if no statuses are given."""
    request = ua.WriteRequest()
    request.Parameters.NodesToWrite = [
        ua.WriteValue(node_id(node), ua.AttributeIds.Value, Value=_data_value(value))
        for node, value in values.items()
    ]
    results = [_status(status) for status in statuses or [GOOD] * len(values)]
    return Pair(request, ua.WriteResponse(Results=results))


def call(on: str, method: str, arguments: Sequence[Value] = (), status: int = GOOD) -> Pair:
    """Call a method of an object."""
    request = ua.CallRequest()
    inputs = [variant(argument) for argument in arguments]
    request.Parameters.MethodsToCall = [ua.CallMethodRequest(node_id(on), node_id(method), inputs)]
    result = ua.CallMethodResult(StatusCode=_status(status))
    return Pair(request, ua.CallResponse(Results=[result]))


def browse(nodes: Sequence[Node], *, at_most: int = 0, next_point: bytes = b"") -> Pair:
    """Ask what these nodes organise: `at_most` references each, and then a point to go on from."""
    request = ua.BrowseRequest()
    request.Parameters.View.Timestamp = ua.win_epoch_to_datetime(0)
    request.Parameters.RequestedMaxReferencesPerNode = at_most
    request.Parameters.NodesToBrowse = [
        ua.BrowseDescription(
            NodeId=node_id(node.node_id),
            ReferenceTypeId=ua.TwoByteNodeId(_HIERARCHY),
            ResultMask=_ALL_RESULTS,
        )
        for node in nodes
    ]
    results = [_browsed(node.children[: at_most or None], next_point) for node in nodes]
    return Pair(request, ua.BrowseResponse(Results=results))


def browse_next(point: bytes, rest: Sequence[Node]) -> Pair:
    """Go on from that point."""
    request = ua.BrowseNextRequest()
    request.Parameters.ReleaseContinuationPoints = False
    request.Parameters.ContinuationPoints = [point]
    response = ua.BrowseNextResponse()
    response.Parameters.Results = [_browsed(rest, b"")]
    return Pair(request, response)


def create_subscription(number: int, interval_ms: float) -> Pair:
    """Tell me of changes, that often."""
    request = ua.CreateSubscriptionRequest()
    asked = request.Parameters
    asked.RequestedPublishingInterval = interval_ms
    asked.RequestedLifetimeCount, asked.RequestedMaxKeepAliveCount = 600, 20
    response = ua.CreateSubscriptionResponse()
    told = response.Parameters
    told.SubscriptionId, told.RevisedPublishingInterval = number, interval_ms
    told.RevisedLifetimeCount, told.RevisedMaxKeepAliveCount = 600, 20
    return Pair(request, response)


def create_monitored_items(subscription: int, nodes: Sequence[str], interval_ms: float) -> Pair:
    """Watch the Value of these nodes; their handles count from 1."""
    request = ua.CreateMonitoredItemsRequest()
    request.Parameters.SubscriptionId = subscription
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    request.Parameters.ItemsToCreate = [
        ua.MonitoredItemCreateRequest(
            ua.ReadValueId(node_id(node), ua.AttributeIds.Value),
            ua.MonitoringMode.Reporting,
            ua.MonitoringParameters(
                ClientHandle=handle,
                SamplingInterval=interval_ms,
                QueueSize=1,
            ),
        )
        for handle, node in enumerate(nodes, 1)
    ]
    results = [
        ua.MonitoredItemCreateResult(
            MonitoredItemId=handle,
            RevisedSamplingInterval=interval_ms,
            RevisedQueueSize=1,
        )
        for handle in range(1, len(nodes) + 1)
    ]
    return Pair(request, ua.CreateMonitoredItemsResponse(Results=results))


def publish(
    subscription: int, number: int, changes: Mapping[int, Value], now_ns: int, acknowledged: int = 0
) -> Pair:
    """What changed, by handle; an empty answer keeps the subscription alive. `acknowledged`: the message before."""
    request = ua.PublishRequest()
    if acknowledged:
        done = ua.SubscriptionAcknowledgement(subscription, acknowledged)
        request.Parameters.SubscriptionAcknowledgements = [done]
    response = ua.PublishResponse()
    told = response.Parameters
    told.SubscriptionId, told.MoreNotifications = subscription, False
    told.NotificationMessage = ua.NotificationMessage(number, moment(now_ns))
    if changes:
        told.AvailableSequenceNumbers = [number]
        items = [
            ua.MonitoredItemNotification(handle, _data_value(value)) for handle, value in changes.items()
        ]
        told.NotificationMessage.NotificationData = [ua.DataChangeNotification(items)]
    return Pair(request, response)


def add_node(parent: str, made: Node) -> Pair:
    """Put a new object below another."""
    item = ua.AddNodesItem(
        ParentNodeId=expanded(parent),
        ReferenceTypeId=ua.TwoByteNodeId(ua.ObjectIds.Organizes),
        RequestedNewNodeId=expanded(made.node_id),
        BrowseName=ua.QualifiedName(made.name, 2),
        NodeClass=ua.NodeClass.Object,
        NodeAttributes=ua.ObjectAttributes(DisplayName=ua.LocalizedText(made.name)),
        TypeDefinition=ua.ExpandedNodeId(ua.ObjectIds.FolderType),
    )
    request = ua.AddNodesRequest()
    request.Parameters.NodesToAdd = [item]
    result = ua.AddNodesResult(AddedNodeId=node_id(made.node_id))
    return Pair(request, ua.AddNodesResponse(Results=[result]))


def _browsed(children: Sequence[Node], point: bytes) -> Structure:
    return ua.BrowseResult(
        ContinuationPoint=point if point else None,
        References=[child.reference() for child in children],
    )


def _data_value(value: Value) -> Structure:
    # A good value says so by saying nothing of it.
    return ua.DataValue(variant(value), StatusCode=None)


def _in_full(text: str) -> Structure:
    plain = node_id(text)
    return number_node(plain.NamespaceIndex, plain.Identifier)


def _status(code: int) -> Structure:
    return ua.StatusCode(code)
