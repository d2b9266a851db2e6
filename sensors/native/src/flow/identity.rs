//! What makes packets one flow.

use std::hash::{Hash, Hasher};

use crate::link::Link;
use crate::net::Packet;

/// A 5-tuple, the same for both directions. VLAN ids are no part: a routed packet changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    low: u128,
    high: u128,
    /// Ports of both and the protocol.
    rest: u64,
}

impl Hash for FlowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.low);
        state.write_u128(self.high);
        state.write_u64(self.rest);
    }
}

impl FlowKey {
    #[inline]
    pub fn new(packet: &Packet<'_>, source_port: u16, destination_port: u16) -> Self {
        let source = (u128::from_be_bytes(packet.source), source_port);
        let destination = (u128::from_be_bytes(packet.destination), destination_port);
        let (low, high) = if source <= destination { (source, destination) } else { (destination, source) };
        Self {
            low: low.0,
            high: high.0,
            rest: u64::from(low.1) << 32 | u64::from(high.1) << 16 | u64::from(packet.protocol),
        }
    }
}

/// Addresses of a flow, by side: 0 is who sent the first packet.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub key: FlowKey,
    pub protocol: u8,
    pub ips: [[u8; 16]; 2],
    pub ports: [u16; 2],
    /// Source and destination MAC of the first frame.
    pub macs: [u64; 2],
    pub vlan: u16,
}

impl Identity {
    pub fn new(key: FlowKey, link: &Link<'_>, packet: &Packet<'_>, ports: [u16; 2]) -> Self {
        Self {
            key,
            protocol: packet.protocol,
            ips: [packet.source, packet.destination],
            ports,
            macs: [link.source_mac, link.destination_mac],
            vlan: link.vlan,
        }
    }
}
