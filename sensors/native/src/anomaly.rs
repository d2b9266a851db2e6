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
    /// The layer that it is met in; none where that is the one of the protocol that met it.
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
            | K::TinyFragment
            // ARP and neighbour discovery say who has an address of the network layer.
            | K::IpConflict => Layer::Network,
            K::OverlapConflict
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
    /// Writes one, within the limit of its kind; `met` is the layer of a kind that has none of its own.
    pub fn report(
        &mut self,
        (met, kind): (Layer, AnomalyKind),
        at: At,
        detail: &str,
        limits: &Limits,
        rows: &mut Anomalies,
    ) {
        if self.tally.admit(kind, limits.anomalies_per_kind) {
            push(rows, kind, met, at, None, detail);
        }
    }
}

/// Writes one row; `met` is the layer of a kind that has none of its own.
pub fn push(rows: &mut Anomalies, kind: AnomalyKind, met: Layer, at: At, flow_id: Option<u32>, detail: &str) {
    rows.push(AnomalyRow {
        ts: at.ts,
        frame: at.frame,
        flow_id,
        layer: kind.layer().unwrap_or(met),
        kind,
        detail,
        _borrow: ROW,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind by the layer that it can be met in, as the standards of what it is about have it; the last are met by
    /// more than one protocol.
    const LAYERS: [(Option<Layer>, &[&str]); 6] = [
        (Some(Layer::Capture), &["capture_cut", "record_length", "bad_block", "read_error"]),
        (Some(Layer::Link), &["unknown_link_type", "link_header"]),
        (
            Some(Layer::Network),
            &[
                "tunnel_header",
                "tunnel_nesting",
                "network_header",
                "fragment_overlap",
                "fragment_length",
                "fragment_limit",
                "tiny_fragment",
                "ip_conflict",
            ],
        ),
        (
            Some(Layer::Tcp),
            &[
                "overlap_conflict",
                "ack_out_of_window",
                "sequence_jump",
                "syn_in_connection",
                "reassembly_limit",
            ],
        ),
        (Some(Layer::Modbus), &["not_modbus"]),
        (
            None,
            &[
                "transport_header",
                "protocol_id",
                "illegal_length",
                "illegal_function",
                "illegal_quantity",
                "illegal_value",
                "byte_count",
                "response_mismatch",
                "orphan_response",
                "duplicate_response",
                "pending_limit",
                "reversed_roles",
                "checksum",
                "name_loop",
                "malformed_message",
                "identifier_in_use",
                "sequence_gap",
                "unreadable",
                "lost_step",
                "message_cut",
                "sequence_reused",
                "message_limit",
                "unexpected_id",
            ],
        ),
    ];

    #[test]
    fn every_kind_has_the_layer_that_it_is_met_in() {
        for kind in AnomalyKind::ALL {
            let (layer, _) = LAYERS.iter().find(|(_, words)| words.contains(&kind.word())).unwrap();
            assert_eq!(kind.layer(), *layer, "{}", kind.word());
        }
        let listed: usize = LAYERS.iter().map(|(_, words)| words.len()).sum();
        assert_eq!(listed, AnomalyKind::COUNT);
    }
}
