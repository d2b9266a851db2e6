//! What a packet has inside: another packet, by a tunnel, or a piece of one, by fragmentation.

use super::{Carried, Decoder};
use crate::anomaly::AnomalyKind;
use crate::flow::{FlowKey, Identity};
use crate::fragments::{Incomplete, Sighting, Taken, Whole};
use crate::link::{self, Link, Network, ethertype};
use crate::net::{self, Fragment, Malformed, Packet};
use crate::summary::{Key, Marks};
use crate::transport::{TCP, UDP};
use crate::tunnel::{self, Content, Inside, NESTING_LIMIT, Unwrapped};
use crate::words::Tunnel;

/// How deep a packet is nested, and what its frame was counted for so far.
#[derive(Clone, Copy, Default)]
pub(super) struct Nesting {
    marks: Marks,
    depth: u8,
}

/// Why a packet in fragments was given up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum GivenUp {
    Incomplete,
    NoRoom,
}

impl Decoder {
    /// Takes what a link carries; `cut` bytes of it are not in the capture.
    #[cold]
    pub(super) fn network(
        &mut self,
        carried: &Carried,
        link: &Link<'_>,
        cut: usize,
        nesting: Option<&mut Nesting>,
    ) {
        let packet = match link.network {
            Network::V4(bytes) => net::v4(bytes, cut),
            Network::V6(bytes) => net::v6(bytes, cut),
            Network::Arp(bytes) => return self.without_ip(carried, link, ethertype::ARP, bytes),
            Network::Llc(bytes) => return self.without_ip(carried, link, ethertype::LLC, bytes),
            Network::Other(kind, bytes) => return self.other(carried, link, kind, bytes, cut, nesting),
        };
        match packet {
            Ok(packet) => self.packet(carried, link, &packet, nesting),
            Err(Malformed(why)) => {
                self.malformed(carried.interface, AnomalyKind::NetworkHeader, why, carried.at);
            }
        }
    }

    /// Takes a packet that may be a piece of one, or have another one inside.
    #[inline(never)]
    pub(super) fn packet(
        &mut self,
        carried: &Carried,
        link: &Link<'_>,
        packet: &Packet<'_>,
        mut nesting: Option<&mut Nesting>,
    ) {
        if let Some(piece) = packet.fragment {
            return self.fragment(carried, link, packet, piece, nesting);
        }
        let protocol = packet.protocol;
        let unwrapped = tunnel::of_packet(packet);
        if unwrapped != Unwrapped::NoTunnel
            && self.unwrapped(carried, link, Some(protocol), &unwrapped, nesting.as_deref_mut())
        {
            return;
        }
        match nesting {
            None => self.summary.count_protocol(protocol),
            Some(nesting) => self.summary.count_protocol_within(&mut nesting.marks, protocol),
        }
        self.plain(carried, link, packet);
    }

    /// Takes a frame that carries no IP packet of its own.
    fn other(
        &mut self,
        carried: &Carried,
        link: &Link<'_>,
        kind: u16,
        bytes: &[u8],
        cut: usize,
        nesting: Option<&mut Nesting>,
    ) {
        match tunnel::of_ethertype(kind, bytes, cut) {
            Unwrapped::NoTunnel => self.without_ip(carried, link, kind, bytes),
            unwrapped => {
                if !self.unwrapped(carried, link, None, &unwrapped, nesting) {
                    self.unread(carried.interface);
                }
            }
        }
    }

    /// Goes on with what a tunnel carries; false where that is not read.
    #[cold]
    fn unwrapped(
        &mut self,
        carried: &Carried,
        outer: &Link<'_>,
        outer_protocol: Option<u8>,
        unwrapped: &Unwrapped<'_>,
        nesting: Option<&mut Nesting>,
    ) -> bool {
        let mut fresh = Nesting::default();
        let nesting = match nesting {
            Some(nesting) => nesting,
            None => {
                fresh.marks = self.summary.marks(outer);
                &mut fresh
            }
        };
        let layers = match unwrapped {
            Unwrapped::Inside(Inside { layers, .. }) | Unwrapped::Unread(layers) => *layers,
            _ => &[],
        };
        for layer in layers {
            self.summary.count_within(&mut nesting.marks, *layer);
        }
        match *unwrapped {
            Unwrapped::NoTunnel | Unwrapped::Unread(_) => false,
            Unwrapped::Malformed(why) => {
                self.malformed(carried.interface, AnomalyKind::TunnelHeader, why, carried.at);
                true
            }
            Unwrapped::Inside(ref inside) => {
                if outer_protocol == Some(UDP) {
                    self.summary.count_within(&mut nesting.marks, Key::Udp);
                }
                self.go_inside(carried, outer, inside, nesting);
                true
            }
        }
    }

    fn go_inside(&mut self, carried: &Carried, outer: &Link<'_>, inside: &Inside<'_>, nesting: &mut Nesting) {
        if nesting.depth >= NESTING_LIMIT {
            self.unread(carried.interface);
            let detail = format!("more than {NESTING_LIMIT} tunnels in each other");
            return self.report(AnomalyKind::TunnelNesting, carried.at, &detail);
        }
        nesting.depth += 1;
        let read = match inside.content {
            Content::Frame(frame) => link::inner_frame(frame, inside.through),
            Content::Packet(kind, bytes) => link::inner_packet(outer, kind, bytes, inside.through),
        };
        let Ok(mut link) = read else {
            let why = "shorter than the link header within its tunnel";
            return self.malformed(carried.interface, AnomalyKind::LinkHeader, why, carried.at);
        };
        if link.tags == 0 && inside.through.kind == Tunnel::Erspan && inside.vlan != 0 {
            link.vlan = inside.vlan;
        }
        let mut carried = *carried;
        if inside.cut > 0 && !carried.cut {
            // The switch that mirrored the frame cut it.
            carried.cut = true;
            self.coverage.cell(carried.interface).cut += 1;
        }
        self.summary.count_link_within(&mut nesting.marks, &link);
        self.network(&carried, &link, inside.cut, Some(nesting));
    }

    /// Takes a piece of a packet; the packet, where it is whole now.
    #[cold]
    fn fragment(
        &mut self,
        carried: &Carried,
        link: &Link<'_>,
        packet: &Packet<'_>,
        piece: Fragment,
        nesting: Option<&mut Nesting>,
    ) {
        let Carried { interface, wire_bytes, at, .. } = *carried;
        self.summary.fragments += 1;
        self.coverage.cell(interface).fragments += 1;
        if self.duplicates.is_copy_of_piece(packet, piece, at.ts) {
            self.summary.duplicates += 1;
            self.coverage.cell(interface).duplicates += 1;
            return;
        }
        let key = FlowKey::new(packet, 0, 0);
        let seen = Sighting { identity: Identity::new(key, link, packet, 0), interface, wire_bytes, at };
        let limits = self.shared.limits;
        let (taken, odd) = self.fragments.take(packet, piece, &seen, &limits);
        if let Some((kind, detail)) = odd {
            self.report(kind, at, detail);
        }
        match taken {
            Taken::Waits => {}
            Taken::Refused(incomplete) => {
                let no_room = odd.is_some_and(|(kind, _)| kind == AnomalyKind::FragmentLimit);
                self.give_up(&incomplete, if no_room { GivenUp::NoRoom } else { GivenUp::Incomplete });
            }
            Taken::Whole(whole) => self.whole(carried, link, packet, &whole, nesting),
        }
        while let Some(incomplete) = self.fragments.overflow(&limits) {
            self.give_up(&incomplete, GivenUp::NoRoom);
        }
    }

    /// Goes on with a packet that was put together, as one of the frame that completed it.
    fn whole(
        &mut self,
        carried: &Carried,
        link: &Link<'_>,
        last: &Packet<'_>,
        whole: &Whole,
        nesting: Option<&mut Nesting>,
    ) {
        let mut packet = Packet {
            protocol: whole.protocol,
            fragment: None,
            transport: &whole.bytes,
            transport_length: whole.length,
            ..*last
        };
        if last.fragment.is_some_and(|piece| piece.version == 6) {
            match net::extension_headers(whole.protocol, &whole.bytes, whole.length) {
                Ok(headers) if headers.fragment.is_none() => {
                    packet.protocol = headers.protocol;
                    packet.transport = headers.rest;
                    packet.transport_length = headers.length;
                }
                Ok(_) => {
                    let why = "a fragment header within fragments";
                    return self.malformed(carried.interface, AnomalyKind::NetworkHeader, why, carried.at);
                }
                Err(Malformed(why)) => {
                    return self.malformed(carried.interface, AnomalyKind::NetworkHeader, why, carried.at);
                }
            }
        }
        let carried = Carried { packets: whole.fragments, wire_bytes: whole.wire_bytes, ..*carried };
        self.packet(&carried, link, &packet, nesting);
    }

    /// Packets that have waited for their missing pieces for too long.
    pub(super) fn end_old_fragments(&mut self, now: i64) {
        let limits = self.shared.limits;
        while let Some(incomplete) = self.fragments.expired(now, &limits) {
            self.give_up(&incomplete, GivenUp::Incomplete);
        }
    }

    /// The capture has ended: no piece will come any more.
    pub(super) fn end_fragments(&mut self) {
        while let Some(incomplete) = self.fragments.rest() {
            self.give_up(&incomplete, GivenUp::Incomplete);
        }
    }

    /// Counts a packet that was never whole, for its flow as far as that is known.
    fn give_up(&mut self, incomplete: &Incomplete, why: GivenUp) {
        let Incomplete { identity, protocol, ports, interface, fragments, wire_bytes, last } = *incomplete;
        let cell = self.coverage.cell(interface);
        cell.incomplete += 1;
        if why == GivenUp::NoRoom {
            cell.evicted_fragments += u64::from(fragments);
        }
        self.summary.incomplete_packets += 1;
        let identity = identity.with_ports(ports.unwrap_or_default(), protocol);
        let slot = match self.table.find(&identity.key) {
            Some(slot) => slot,
            None => self.open(identity, protocol == TCP && ports.is_some(), interface, last),
        };
        let flow = self.table.get(slot);
        let side = flow.core.identity.side_of(identity.ip(0), identity.port(0));
        flow.core.interface = interface;
        if flow.count(side, fragments, wire_bytes, 0, last) {
            self.active.add(slot);
        }
        flow.datagram(side, &[], last, &mut self.shared);
        self.table.touch(slot, last.ts);
    }
}
