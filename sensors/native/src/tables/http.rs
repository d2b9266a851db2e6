//! HTTP requests and their responses.

use crate::columns::{Address, Flag, MaybeU16, MaybeU64, Name, Text, Time, U16, U32, table};
use crate::words::{Confidence, Outcome, Service};

table! {
    /// One row an HTTP transaction.
    HttpRows, HttpRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        service: Name<Service>,
        outcome: Name<Outcome>,
        method: Text,
        host: Text,
        path: Text,
        version: Text,
        status: MaybeU16,
        latency_ns: MaybeU64,
        user_agent: Text,
        server: Text,
        content_type: Text,
        request_body_bytes: MaybeU64,
        response_body_bytes: MaybeU64,
        authentication: Text,
        secret_seen: Flag,
        upgrade: Text,
        after_gap: Flag,
        confidence: Name<Confidence>,
    }
}
