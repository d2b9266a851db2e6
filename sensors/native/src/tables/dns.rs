//! Queries for names.

use crate::columns::{Address, Flag, MaybeU8, MaybeU64, Name, Text, TextList, Time, U8, U16, U32, table};
use crate::words::{Confidence, Outcome, Service};

table! {
    /// One row a query and its answer, or a message to a group.
    DnsRows, DnsRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        service: Name<Service>,
        transaction_id: U16,
        opcode: U8,
        outcome: Name<Outcome>,
        query: Text,
        query_type: Text,
        rcode: MaybeU8,
        authoritative: Flag,
        truncated: Flag,
        answer_count: U16,
        answers: TextList,
        latency_ns: MaybeU64,
        request_bytes: U32,
        response_bytes: U32,
        confidence: Name<Confidence>,
    }
}
