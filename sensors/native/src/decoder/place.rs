//! Which of the networks behind tunnels a packet is of, and whether it was seen in it already.

use super::Decoder;
use crate::flow::FlowKey;
use crate::link::Link;
use crate::net::Packet;
use crate::transport::{self, Segment, TCP, UDP};

impl Decoder {
    /// The number of the network that a packet in a numbered tunnel is of, and whether it is a copy.
    #[cold]
    #[inline(never)]
    pub(super) fn place(&mut self, link: &Link<'_>, packet: &Packet<'_>, ts: i64) -> (u16, bool) {
        let Some((ports, segment)) = header(packet) else {
            return (0, self.duplicates.is_copy(packet, 0, ts));
        };
        let key = FlowKey::new(packet, ports[0], ports[1]);
        let direction = key.direction(&packet.source, ports[0]);
        let found = self.networks.find(&key, direction, link.tunnel, |network| {
            let flow = self.table.view(self.table.find(&key.within(network))?)?;
            flow.goes_on(flow.side_of(packet, ports[0]), segment.as_ref()?)
        });
        let is_copy = self.duplicates.is_copy(packet, found.unwrap_or_default(), ts);
        match found {
            _ if is_copy => {
                self.networks.meet_copy(&key, direction, link.tunnel);
                (found.unwrap_or_default(), true)
            }
            Some(network) => {
                self.networks.meet(key, network, direction, link.tunnel);
                (network, false)
            }
            None => {
                let network = self.networks.another(&key, self.shared.limits.networks_per_flow);
                self.networks.meet(key, network, direction, link.tunnel);
                (network, false)
            }
        }
    }
}

/// A packet's ports, and its segment where it has one; none where its transport header cannot be read.
fn header<'a>(packet: &Packet<'a>) -> Option<([u16; 2], Option<Segment<'a>>)> {
    let (bytes, length) = (packet.transport, packet.transport_length);
    match packet.protocol {
        TCP => {
            let segment = transport::tcp(bytes, length).ok()?;
            Some(([segment.source_port, segment.destination_port], Some(segment)))
        }
        UDP => {
            let datagram = transport::udp(bytes, length).ok()?;
            Some(([datagram.source_port, datagram.destination_port], None))
        }
        _ => Some(([0, 0], None)),
    }
}
