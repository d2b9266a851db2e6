//! The row of an operation.

use super::text::TEXT_LIMIT;
use super::{Answer, Operation, shortened};
use crate::anomaly::At;
use crate::protocol::{Output, Role};
use crate::tables::{OperationRow, OperationRows, ROW};
use crate::words::{Confidence, Outcome, Service};

/// Who asked whom.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ends {
    pub flow_id: Option<u32>,
    pub client_ip: [u8; 16],
    pub server_ip: [u8; 16],
    pub client_port: u16,
    pub server_port: u16,
    /// Where the protocol has no IP; else 0, the flow has them.
    pub client_mac: u64,
    pub server_mac: u64,
}

impl Ends {
    /// The ends of a flow's operation: who asks is the client of it, whoever opened the flow.
    pub fn of(out: &Output<'_>, asker: Role) -> Self {
        let (client, server) = ((*out.client_ip, out.client_port), (*out.server_ip, out.server_port));
        let [asks, asked] = if asker == Role::Client { [client, server] } else { [server, client] };
        Self {
            flow_id: Some(out.flow_id),
            client_ip: asks.0,
            server_ip: asked.0,
            client_port: asks.1,
            server_port: asked.1,
            client_mac: 0,
            server_mac: 0,
        }
    }
}

/// One row, before its texts are bounded.
pub struct Row<'a> {
    pub service: Service,
    pub confidence: Confidence,
    pub operation: Operation,
    pub asked: Option<At>,
    pub answered: Option<At>,
    pub answer: Option<&'a Answer>,
    pub outcome: Outcome,
    /// Messages that the row stands for, and the time from the first to the last.
    pub count: u32,
    pub span_ns: u64,
    pub after_gap: bool,
}

/// Writes a row of a flow's operation.
pub fn write_in_flow(out: &mut Output<'_>, asker: Role, row: Row<'_>) {
    let ends = Ends::of(out, asker);
    write(&mut out.tables.operations, &ends, row);
}

/// Writes a row.
pub fn write(rows: &mut OperationRows, ends: &Ends, row: Row<'_>) {
    let Row { mut operation, answer, .. } = row;
    if let Some(answer) = answer {
        join(&mut operation.value, &answer.value);
        join(&mut operation.detail, &answer.detail);
        operation.quantity = operation.quantity.or(answer.quantity);
    }
    if operation.name.len() > TEXT_LIMIT {
        shortened(operation.name.to_mut());
    }
    for text in [
        &mut operation.object,
        &mut operation.value,
        &mut operation.detail,
        &mut operation.client_station,
        &mut operation.server_station,
    ] {
        shortened(text);
    }
    let latency_ns = match (row.asked, row.answered) {
        (Some(asked), Some(answered)) => u64::try_from(answered.ts.saturating_sub(asked.ts)).ok(),
        _ => None,
    };
    rows.push(OperationRow {
        ts: row.asked.or(row.answered).unwrap_or_default().ts,
        flow_id: ends.flow_id,
        client_ip: &ends.client_ip,
        server_ip: &ends.server_ip,
        client_port: ends.client_port,
        server_port: ends.server_port,
        client_mac: ends.client_mac,
        server_mac: ends.server_mac,
        request_frame: row.asked.map(|at| at.frame),
        response_frame: row.answered.map(|at| at.frame),
        service: row.service,
        operation: &operation.name,
        operation_class: operation.class,
        object: &operation.object,
        quantity: operation.quantity,
        value: &operation.value,
        detail: &operation.detail,
        client_station: &operation.client_station,
        server_station: &operation.server_station,
        outcome: row.outcome,
        error_code: answer.and_then(|answer| answer.error),
        latency_ns,
        messages: row.count,
        span_ns: row.span_ns,
        after_gap: row.after_gap,
        confidence: row.confidence,
        _borrow: ROW,
    });
}

/// A request's text and its answer's, in one.
fn join(request: &mut String, answer: &str) {
    if answer.is_empty() || request == answer {
        return;
    }
    if !request.is_empty() {
        request.push_str(" -> ");
    }
    request.push_str(answer);
}
