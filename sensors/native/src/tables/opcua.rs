//! OPC UA service calls and connection events.

use crate::columns::{
    Address, Flag, MaybeU32, MaybeU64, Name, Rare, Text, TextList, Time, U16, U32, U64, table,
};
use crate::protocol::opcua::{MessageType, Secret, SecurityMode, UaService, UserKind};
use crate::words::{Carrier, Confidence, OperationClass, Outcome};

table! {
    /// One row an OPC UA transaction: a service call, or a step of its connection.
    OpcUaRows, OpcUaRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        transport: Name<Carrier>,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        message_type: Name<MessageType>,
        service: Name<UaService>,
        operation_class: Name<OperationClass>,
        outcome: Name<Outcome>,
        request_type: MaybeU32,
        response_type: MaybeU32,
        channel_id: MaybeU32,
        request_id: MaybeU32,
        request_handle: MaybeU32,
        security_policy: Text,
        security_mode: Name<SecurityMode>,
        session: Text,
        user_kind: Name<UserKind>,
        user_name: Rare<Text>,
        secret: Name<Secret>,
        application_uri: Text,
        client_certificate_subject: Rare<Text>,
        client_certificate_thumbprint: Rare<Text>,
        server_certificate_subject: Rare<Text>,
        server_certificate_thumbprint: Rare<Text>,
        endpoint_url: Rare<Text>,
        subscription_id: Rare<MaybeU32>,
        status: MaybeU32,
        status_name: Text,
        nodes: TextList,
        objects: Rare<TextList>,
        attributes: TextList,
        values_written: Rare<TextList>,
        values_read: TextList,
        results: TextList,
        operations: U32,
        operations_failed: Rare<U32>,
        latency_ns: MaybeU64,
        request_chunks: U32,
        response_chunks: U32,
        request_bytes: U64,
        response_bytes: U64,
        detail: Rare<Text>,
        encrypted: Rare<Flag>,
        reversed: Rare<Flag>,
        after_gap: Rare<Flag>,
        confidence: Name<Confidence>,
    }
}
