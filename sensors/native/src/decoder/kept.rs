//! What a decoder holds at a moment, by kind: what its limits bound, and what is nothing once a capture has ended.

use super::Decoder;

/// Counts and bytes held for all flows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pub flows: u64,
    /// 5-tuples whose networks behind tunnels are remembered.
    pub networks: u64,
    /// Bytes behind holes of TCP streams.
    pub stream_bytes: u64,
    /// Bytes that wait until it is known who is the client, or what is spoken.
    pub undecided_bytes: u64,
    /// Bytes of packets whose fragments are not all there.
    pub fragment_bytes: u64,
    pub mqtt_bytes: u64,
    /// Bytes of what Sparkplug aliases stand for.
    pub sparkplug_bytes: u64,
    pub opcua_requests: u64,
    pub opcua_bytes: u64,
    pub introduction_bytes: u64,
    pub operations: u64,
    pub operation_bytes: u64,
}

impl Decoder {
    /// What is held now.
    pub fn kept(&self) -> Kept {
        let counts = &self.shared.counts;
        Kept {
            flows: self.table.len() as u64,
            networks: self.networks.len() as u64,
            stream_bytes: self.shared.held.bytes,
            undecided_bytes: self.shared.undecided_bytes,
            fragment_bytes: self.fragments.held_bytes(),
            mqtt_bytes: counts.mqtt_held_bytes,
            sparkplug_bytes: self.shared.sparkplug.held_bytes(),
            opcua_requests: counts.opcua_waiting,
            opcua_bytes: counts.opcua_held_bytes,
            introduction_bytes: counts.introduction_bytes,
            operations: counts.operations_waiting,
            operation_bytes: counts.operation_bytes_kept,
        }
    }
}
