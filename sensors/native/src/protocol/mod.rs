//! Application protocols: the one table of them, and what each has to offer.
//!
//! Adding a protocol is adding a file and a line in `PROTOCOLS`. A protocol is recognised by its structure; its
//! port is a hint. Protocols do not know each other.

pub mod modbus;
mod mqtt;
mod opcua;
mod ports;

use crate::anomaly::{AnomalyKind, At, Tally};
use crate::limits::Limits;
use crate::tables::Tables;
use crate::words::{Confidence, Service};

pub use ports::well_known;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Client,
    Server,
}

/// What a protocol makes of the first payload that it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// How sure the name is; `None` where only more of the conversation can tell.
    pub confidence: Confidence,
    /// Who must have sent this, where its structure says so.
    pub speaker: Option<Role>,
}

/// One application protocol.
pub struct Protocol {
    pub service: Service,
    /// True for a server port that is this protocol's own.
    pub port: u16,
    /// Looks at one payload; `on_port` where a side of the flow uses the protocol's port.
    pub recognise: fn(payload: &[u8], on_port: bool) -> Option<Recognised>,
    /// A parser for a flow, where messages are read and not only named.
    pub parser: Option<fn(Confidence) -> Box<dyn Parser>>,
}

/// The protocols that are recognised by structure.
pub static PROTOCOLS: &[Protocol] = &[modbus::PROTOCOL, opcua::PROTOCOL, mqtt::PROTOCOL];

/// The flow that a parser reads, and where its rows go.
pub struct Output<'a> {
    pub flow_id: u32,
    pub client_ip: &'a [u8; 16],
    pub server_ip: &'a [u8; 16],
    pub client_port: u16,
    pub server_port: u16,
    pub tables: &'a mut Tables,
    pub tally: &'a mut Tally,
    pub limits: &'a Limits,
    pub counts: &'a mut Counts,
}

impl Output<'_> {
    /// Writes an anomaly of the flow, within the limit of its kind.
    pub fn anomaly(&mut self, kind: AnomalyKind, at: At, detail: &dyn Fn() -> String) {
        if self.tally.admit(kind, self.limits.anomalies_per_flow_kind) {
            crate::anomaly::push(&mut self.tables.anomalies, kind, at, Some(self.flow_id), &detail());
        }
    }
}

/// Counts of a whole capture that no table has.
#[derive(Clone, Debug, Default)]
pub struct Counts {
    pub modbus_messages: u64,
    /// Frames that completed more than one Modbus message.
    pub modbus_frames_multi_pdu: u64,
    /// MBAP headers whose protocol identifier is not 0.
    pub modbus_bad_protocol_id: u64,
    /// Bytes of Modbus streams that were skipped to find the next header.
    pub modbus_skipped_bytes: u64,
    /// Modbus requests of all flows that wait for a response.
    pub modbus_waiting: u64,
}

/// Reads the two streams of one flow. No clock, no socket, no setting: bytes and their times in, rows out.
pub trait Parser: Send + Sync {
    /// The next bytes of one side's stream.
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>);
    /// Bytes of one side's stream are missing here; 0 where the stream was joined in its middle.
    fn gap(&mut self, from: Role, length: u64);
    /// Time has passed: gives up what waited too long.
    fn expire(&mut self, now: i64, out: &mut Output<'_>);
    /// The flow is over, or this parser's part in it; `capture_ended` where only the capture is.
    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>);
    /// How sure it is that the flow speaks this protocol; `None` while nothing may be said of it.
    fn confidence(&self) -> Confidence;
    /// True once it is clear that the flow speaks something else.
    fn is_wrong(&self) -> bool;
}
