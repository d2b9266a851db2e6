//! Operations of protocols that are named and classed, not read in depth.

use crate::columns::{Address, Flag, MaybeU32, MaybeU64, Name, Text, Time, U16, U32, U64, table};
use crate::words::{Confidence, OperationClass, Outcome, Service};

table! {
    /// One row an operation: S7comm, EtherNet/IP, DNP3 and the like.
    OperationRows, OperationRow {
        ts: Time,
        flow_id: MaybeU32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        client_mac: U64,
        server_mac: U64,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        service: Name<Service>,
        operation: Text,
        operation_class: Name<OperationClass>,
        object: Text,
        quantity: MaybeU32,
        value: Text,
        detail: Text,
        client_station: Text,
        server_station: Text,
        outcome: Name<Outcome>,
        error_code: MaybeU32,
        latency_ns: MaybeU64,
        messages: U32,
        span_ns: U64,
        after_gap: Flag,
        confidence: Name<Confidence>,
    }
}
