//! What is wrong on the wire, as rows: bounded for each flow and kind, so that noise cannot fill the store.

use crate::limits::Limits;
use crate::tables::{Anomalies, AnomalyRow, ROW};
use crate::words::{Layer, Words, words};

words! {
    /// What is wrong.
    AnomalyKind {
        // the capture itself
        CaptureCut = "capture_cut",
        RecordLength = "record_length",
        BadBlock = "bad_block",
        UnknownLinkType = "unknown_link_type",
        ReadError = "read_error",
        // headers
        LinkHeader = "link_header",
        TunnelHeader = "tunnel_header",
        TunnelNesting = "tunnel_nesting",
        NetworkHeader = "network_header",
        FragmentOverlap = "fragment_overlap",
        FragmentLength = "fragment_length",
        FragmentLimit = "fragment_limit",
        TinyFragment = "tiny_fragment",
        TransportHeader = "transport_header",
        // TCP
        OverlapConflict = "overlap_conflict",
        AckOutOfWindow = "ack_out_of_window",
        SequenceJump = "sequence_jump",
        SynInConnection = "syn_in_connection",
        ReassemblyLimit = "reassembly_limit",
        // application protocols
        ProtocolId = "protocol_id",
        IllegalLength = "illegal_length",
        NotModbus = "not_modbus",
        IllegalFunction = "illegal_function",
        IllegalQuantity = "illegal_quantity",
        IllegalValue = "illegal_value",
        ByteCount = "byte_count",
        ResponseMismatch = "response_mismatch",
        OrphanResponse = "orphan_response",
        DuplicateResponse = "duplicate_response",
        PendingLimit = "pending_limit",
        ReversedRoles = "reversed_roles",
        Checksum = "checksum",
        // what devices say of themselves
        IpConflict = "ip_conflict",
        NameLoop = "name_loop",
        MalformedMessage = "malformed_message",
        IdentifierInUse = "identifier_in_use",
        SequenceGap = "sequence_gap",
        Unreadable = "unreadable",
        LostStep = "lost_step",
        MessageCut = "message_cut",
        SequenceReused = "sequence_reused",
        MessageLimit = "message_limit",
        UnexpectedId = "unexpected_id",
    }
}

impl AnomalyKind {
    /// The layer that it is met in; none where that is the application protocol that met it.
    pub fn layer(self) -> Option<Layer> {
        use AnomalyKind as K;
        let layer = match self {
            K::CaptureCut | K::RecordLength | K::BadBlock | K::ReadError => Layer::Capture,
            K::UnknownLinkType | K::LinkHeader => Layer::Link,
            K::TunnelHeader
            | K::TunnelNesting
            | K::NetworkHeader
            | K::FragmentOverlap
            | K::FragmentLength
            | K::FragmentLimit
            | K::TinyFragment => Layer::Network,
            K::TransportHeader
            | K::OverlapConflict
            | K::AckOutOfWindow
            | K::SequenceJump
            | K::SynInConnection
            | K::ReassemblyLimit => Layer::Tcp,
            K::NotModbus => Layer::Modbus,
            _ => return None,
        };
        Some(layer)
    }
}

/// How many anomalies of each kind were written, for one flow or for what has no flow.
///
/// Few flows have any, so the counts take room only from the first one on.
#[derive(Clone, Debug, Default)]
pub struct Tally(Option<Box<[u16; AnomalyKind::COUNT]>>);

impl Tally {
    /// Counts one more; true while it is within the limit.
    pub fn admit(&mut self, kind: AnomalyKind, limit: u64) -> bool {
        let counts = self.0.get_or_insert_with(|| Box::new([0; AnomalyKind::COUNT]));
        let count = &mut counts[usize::from(kind.number())];
        *count = count.saturating_add(1);
        u64::from(*count) <= limit
    }
}

/// Where and when in the capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Nanoseconds since the epoch.
    pub ts: i64,
    /// Frame number, from 1.
    pub frame: u64,
}

impl At {
    /// The latest time and the last frame of two.
    #[inline]
    pub fn later(self, other: Self) -> Self {
        Self { ts: self.ts.max(other.ts), frame: self.frame.max(other.frame) }
    }
}

/// Anomalies that belong to no flow.
#[derive(Default)]
pub struct Flowless {
    tally: Tally,
}

impl Flowless {
    /// Writes one, within the limit of its kind.
    pub fn report(&mut self, kind: AnomalyKind, at: At, detail: &str, limits: &Limits, rows: &mut Anomalies) {
        if self.tally.admit(kind, limits.anomalies_per_kind) {
            push(rows, kind, Layer::Application, at, None, detail);
        }
    }
}

/// Writes one row; `application` is the layer of a kind that has none of its own.
pub fn push(
    rows: &mut Anomalies,
    kind: AnomalyKind,
    application: Layer,
    at: At,
    flow_id: Option<u32>,
    detail: &str,
) {
    rows.push(AnomalyRow {
        ts: at.ts,
        frame: at.frame,
        flow_id,
        layer: kind.layer().unwrap_or(application),
        kind,
        detail,
        _borrow: ROW,
    });
}
