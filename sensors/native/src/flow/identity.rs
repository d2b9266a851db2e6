//! What makes packets one flow.

use std::hash::{Hash, Hasher};

use crate::link::{Link, Through};
use crate::net::Packet;

/// An address and a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct End {
    ip: [u8; 16],
    port: u16,
}

/// A 5-tuple, the same for both directions, and which of the networks behind tunnels it is of. VLAN ids are no part: a
/// routed packet changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlowKey {
    /// The lower end first.
    ends: [End; 2],
    protocol: u8,
    /// 0 outside of any tunnel, and in the first one that the 5-tuple was met in.
    network: u16,
}

impl Hash for FlowKey {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [low, high] = &self.ends;
        state.write_u128(u128::from_le_bytes(low.ip));
        state.write_u128(u128::from_le_bytes(high.ip));
        let ports = u64::from(low.port) << 32 | u64::from(high.port) << 16;
        state.write_u64(u64::from(self.network) << 48 | ports | u64::from(self.protocol));
    }
}

impl FlowKey {
    #[inline]
    pub fn new(packet: &Packet<'_>, source_port: u16, destination_port: u16) -> Self {
        Self::of([packet.source, packet.destination], [source_port, destination_port], packet.protocol)
    }

    /// Of addresses and ports, in either order.
    #[inline]
    pub fn of(addresses: [[u8; 16]; 2], ports: [u16; 2], protocol: u8) -> Self {
        let [source, destination] = addresses;
        let [source_port, destination_port] = ports;
        let source = End { ip: source, port: source_port };
        Self::between(source, End { ip: destination, port: destination_port }, protocol)
    }

    #[inline]
    fn between(source: End, destination: End, protocol: u8) -> Self {
        let rank = |end: &End| (u128::from_be_bytes(end.ip), end.port);
        let ends =
            if rank(&source) <= rank(&destination) { [source, destination] } else { [destination, source] };
        Self { ends, protocol, network: 0 }
    }

    /// The same 5-tuple in one of the networks behind tunnels.
    #[inline]
    pub fn within(self, network: u16) -> Self {
        Self { network, ..self }
    }

    #[inline]
    pub fn network(&self) -> u16 {
        self.network
    }

    /// 0 for packets from the key's lower end, 1 for the others.
    pub fn direction(&self, source: &[u8; 16], source_port: u16) -> usize {
        usize::from(self.ends[0] != End { ip: *source, port: source_port })
    }
}

/// Addresses of a flow, by side: 0 is who sent the first packet. What every packet is held against comes first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Identity {
    pub key: FlowKey,
    /// Which of the key's ends is side 0.
    first: u8,
    pub vlan: u16,
    /// Source and destination MAC of the first frame.
    pub macs: [u64; 2],
    /// The innermost tunnel that the first packet came in.
    pub tunnel: Through,
}

impl Identity {
    /// Bytes that every packet is held against.
    #[cfg(test)]
    pub const READ: usize = std::mem::offset_of!(Self, vlan);

    pub fn new(key: FlowKey, link: &Link<'_>, packet: &Packet<'_>, source_port: u16) -> Self {
        let source = End { ip: packet.source, port: source_port };
        Self {
            key,
            first: u8::from(key.ends[0] != source),
            vlan: link.vlan,
            macs: [link.source_mac, link.destination_mac],
            tunnel: link.tunnel,
        }
    }

    /// The same flow, where the other side sent the first packet.
    pub fn reversed(mut self) -> Self {
        self.first ^= 1;
        self.macs.reverse();
        self
    }

    /// A flow between the same hosts, outside of any tunnel or in the first one.
    pub fn with_ports(self, ports: [u16; 2], protocol: u8) -> Self {
        let source = End { ip: *self.ip(0), port: ports[0] };
        let destination = End { ip: *self.ip(1), port: ports[1] };
        let key = FlowKey::between(source, destination, protocol);
        Self { key, first: u8::from(key.ends[0] != source), ..self }
    }

    #[inline]
    fn end(&self, side: usize) -> &End {
        &self.key.ends[usize::from(self.first) ^ side & 1]
    }

    #[inline]
    pub fn ip(&self, side: usize) -> &[u8; 16] {
        &self.end(side).ip
    }

    #[inline]
    pub fn port(&self, side: usize) -> u16 {
        self.end(side).port
    }

    /// Ports by side.
    pub fn ports(&self) -> [u16; 2] {
        [self.port(0), self.port(1)]
    }

    pub fn protocol(&self) -> u8 {
        self.key.protocol
    }

    /// Which side has this address and port.
    #[inline]
    pub fn side_of(&self, source: &[u8; 16], source_port: u16) -> usize {
        let first = self.end(0);
        usize::from(*source != first.ip || source_port != first.port)
    }
}
