//! A tunnel's packet in; what it carries out: MPLS, PPPoE, GRE, ERSPAN, VXLAN, GENEVE, IP in IP.
//!
//! A tunnel ends here: the packet inside makes the flow, of the outer one only the kind and the number stay. Each
//! function reads one layer; the decoder comes back for the next one, up to `NESTING_LIMIT`.

use crate::link::{Through, ethertype, ppp};
use crate::net::Packet;
use crate::summary::Key;
use crate::transport::{self, TCP, UDP};
use crate::words::Tunnel;

/// Tunnels in tunnels that are looked through: operators stack three or four, a hostile packet would hundreds.
pub const NESTING_LIMIT: u8 = 8;

/// Labels of one MPLS stack.
const LABEL_LIMIT: usize = 16;

/// IP protocol numbers (IANA).
mod protocol {
    pub const IPV4: u8 = 4;
    pub const IPV6: u8 = 41;
    pub const GRE: u8 = 47;
    pub const MPLS: u8 = 137;
}

/// UDP ports of VXLAN: RFC 7348's, and the one that Linux took before it was given.
const VXLAN_PORTS: [u16; 2] = [4789, 8472];
/// RFC 8926.
const GENEVE_PORT: u16 = 6081;

const TRANSPARENT_ETHERNET: u16 = 0x6558;
const ERSPAN_1_2: u16 = 0x88be;
const ERSPAN_3: u16 = 0x22eb;

/// What a tunnel carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content<'a> {
    /// An Ethernet frame.
    Frame(&'a [u8]),
    /// The payload of an Ethernet type.
    Packet(u16, &'a [u8]),
}

/// A tunnel's inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inside<'a> {
    pub through: Through,
    /// As Wireshark names the layers that were taken off.
    pub layers: &'static [Key],
    pub content: Content<'a>,
    /// Bytes of it that the capture, or the switch that mirrored it, did not keep.
    pub cut: usize,
    /// The VLAN that ERSPAN says the frame was in, 0 where nothing says so.
    pub vlan: u16,
}

/// What comes of looking into a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwrapped<'a> {
    /// It is no tunnel's.
    NoTunnel,
    /// A tunnel's, and what it carries is not read: control messages, PPTP, source routes.
    Unread(&'static [Key]),
    Malformed(&'static str),
    Inside(Inside<'a>),
}

use Unwrapped::{Malformed, NoTunnel, Unread};

/// A slice that may have lost its end to the capture.
#[derive(Clone, Copy)]
struct Captured<'a> {
    bytes: &'a [u8],
    cut: usize,
}

impl<'a> Captured<'a> {
    /// Without its first `length` bytes; none where it is shorter.
    fn skip(self, length: usize) -> Option<Self> {
        Some(Self { bytes: self.bytes.get(length..)?, ..self })
    }

    /// The first `N` bytes and the rest.
    fn split<const N: usize>(self) -> Option<(&'a [u8; N], Self)> {
        let (head, bytes) = self.bytes.split_first_chunk()?;
        Some((head, Self { bytes, ..self }))
    }
}

fn inside<'a>(
    kind: Tunnel,
    id: Option<u32>,
    layers: &'static [Key],
    content: Content<'a>,
    cut: usize,
) -> Unwrapped<'a> {
    Unwrapped::Inside(Inside { through: Through { kind, id }, layers, content, cut, vlan: 0 })
}

/// True for most packets: whole, and nothing that `of_packet` would look into.
#[inline]
pub fn is_plain(packet: &Packet<'_>) -> bool {
    let may_be_tunnel = match packet.protocol {
        TCP => false,
        UDP => tunnel_port(packet).is_some(),
        _ => true,
    };
    !may_be_tunnel && packet.fragment.is_none()
}

/// The port that a datagram is sent to, where that is a tunnel's.
#[inline]
fn tunnel_port(packet: &Packet<'_>) -> Option<u16> {
    let &[_, _, high, low] = packet.transport.first_chunk()?;
    let port = u16::from_be_bytes([high, low]);
    (port == GENEVE_PORT || VXLAN_PORTS.contains(&port)).then_some(port)
}

/// Looks into a whole IP packet.
pub fn of_packet<'a>(packet: &Packet<'a>) -> Unwrapped<'a> {
    match packet.protocol {
        UDP => match tunnel_port(packet) {
            Some(GENEVE_PORT) => geneve(packet),
            Some(_) => vxlan(packet),
            None => NoTunnel,
        },
        protocol::GRE => gre(rest_of(packet)),
        protocol::IPV4 => ip_in_ip(packet, ethertype::IPV4),
        protocol::IPV6 => ip_in_ip(packet, ethertype::IPV6),
        protocol::MPLS => mpls(rest_of(packet)),
        _ => NoTunnel,
    }
}

/// True for Ethernet types that `of_ethertype` looks into.
pub fn is_ethertype(kind: u16) -> bool {
    ethertype::MPLS.contains(&kind) || matches!(kind, ethertype::PPPOE_SESSION | ethertype::PPPOE_DISCOVERY)
}

/// Looks into the payload of an Ethernet type; `cut` bytes of it are not in the capture.
pub fn of_ethertype(kind: u16, bytes: &[u8], cut: usize) -> Unwrapped<'_> {
    let all = Captured { bytes, cut };
    match kind {
        kind if ethertype::MPLS.contains(&kind) => mpls(all),
        ethertype::PPPOE_SESSION => pppoe(all),
        ethertype::PPPOE_DISCOVERY => Unread(&[Key::Pppoed]),
        _ => NoTunnel,
    }
}

fn rest_of<'a>(packet: &Packet<'a>) -> Captured<'a> {
    Captured { bytes: packet.transport, cut: packet.transport_length - packet.transport.len() }
}

fn ip_in_ip<'a>(packet: &Packet<'a>, kind: u16) -> Unwrapped<'a> {
    let Captured { bytes, cut } = rest_of(packet);
    inside(Tunnel::IpInIp, None, &[], Content::Packet(kind, bytes), cut)
}

/// A label stack (RFC 3032); below it IPv4, IPv6 or a pseudowire, by the first nibble (RFC 4928, 3; RFC 4385).
fn mpls(all: Captured<'_>) -> Unwrapped<'_> {
    let layers = &[Key::Mpls];
    let mut rest = all;
    for _ in 0..LABEL_LIMIT {
        let Some((entry, below)) = rest.split::<4>() else {
            return Malformed("MPLS label stack without its end");
        };
        rest = below;
        let entry = u32::from_be_bytes(*entry);
        if entry & 0x100 == 0 {
            continue;
        }
        let label = Some(entry >> 12);
        let Captured { bytes, cut } = rest;
        let packet = |kind| inside(Tunnel::Mpls, label, layers, Content::Packet(kind, bytes), cut);
        return match bytes.first().map(|first| first >> 4) {
            Some(4) => packet(ethertype::IPV4),
            Some(6) => packet(ethertype::IPV6),
            first => match pseudowire(rest, first) {
                Some(frame) => inside(Tunnel::Mpls, label, layers, Content::Frame(frame.bytes), cut),
                None => Unread(layers),
            },
        };
    }
    Malformed("MPLS label stack deeper than 16")
}

/// An Ethernet frame in a pseudowire, behind a control word (RFC 4448, 4.6) or without one. Nothing but the frame's own
/// type tells: a MAC address may start with any nibble.
fn pseudowire(rest: Captured<'_>, first: Option<u8>) -> Option<Captured<'_>> {
    let behind = rest.skip(4).filter(|_| first == Some(0));
    let plain = Some(rest).filter(is_frame);
    behind.filter(is_frame).or(plain).or(behind)
}

/// True for a frame of a type that is read.
fn is_frame(frame: &Captured<'_>) -> bool {
    let Some(&[high, low]) = frame.bytes.get(12..).and_then(|rest| rest.first_chunk()) else { return false };
    let kind = u16::from_be_bytes([high, low]);
    matches!(kind, ethertype::IPV4 | ethertype::ARP | ethertype::IPV6)
        || ethertype::is_vlan(kind)
        || is_ethertype(kind)
}

/// PPP over Ethernet (RFC 2516, 4 and 6).
fn pppoe(all: Captured<'_>) -> Unwrapped<'_> {
    let Some((&[version, code, session_high, session_low, high, low], rest)) = all.split() else {
        return Malformed("PPPoE header shorter than 6 bytes");
    };
    if version != 0x11 || code != 0 {
        return Malformed("PPPoE session frame of another version or code");
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > rest.bytes.len() + rest.cut {
        return Malformed("PPPoE payload longer than its frame");
    }
    // Ethernet pads short frames.
    let bytes = &rest.bytes[..length.min(rest.bytes.len())];
    let session = u32::from(u16::from_be_bytes([session_high, session_low]));
    let layers = &[Key::Pppoes, Key::Ppp];
    match ppp(bytes) {
        Some((kind, packet)) => {
            let content = Content::Packet(kind, packet);
            inside(Tunnel::Pppoe, Some(session), layers, content, length - bytes.len())
        }
        None => Unread(layers),
    }
}

/// GRE with its optional fields (RFC 2784, RFC 2890).
fn gre(all: Captured<'_>) -> Unwrapped<'_> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    let layers = &[Key::Gre];
    let Some((&[first, second, high, low], mut rest)) = all.split() else {
        return Malformed("GRE header shorter than 4 bytes");
    };
    let flags = u16::from_be_bytes([first, second]);
    // Version 1 is PPTP's; a source route (RFC 1701) is nobody's any more.
    if flags & 7 != 0 || flags & ROUTING != 0 {
        return Unread(layers);
    }
    let mut key = None;
    for (flag, is_key) in [(CHECKSUM, false), (KEY, true), (SEQUENCE, false)] {
        if flags & flag != 0 {
            let Some((field, after)) = rest.split::<4>() else {
                return Malformed("GRE header shorter than its flags say");
            };
            if is_key {
                key = Some(u32::from_be_bytes(*field));
            }
            rest = after;
        }
    }
    let kind = u16::from_be_bytes([high, low]);
    let Captured { bytes, cut } = rest;
    match kind {
        TRANSPARENT_ETHERNET => inside(Tunnel::Gre, key, layers, Content::Frame(bytes), cut),
        ERSPAN_1_2 if flags & SEQUENCE == 0 => {
            inside(Tunnel::Erspan, None, &[Key::Gre, Key::Erspan], Content::Frame(bytes), cut)
        }
        ERSPAN_1_2 => erspan_2(rest),
        ERSPAN_3 => erspan_3(rest),
        ethertype::IPV4 | ethertype::IPV6 => {
            inside(Tunnel::Gre, key, layers, Content::Packet(kind, bytes), cut)
        }
        kind if ethertype::MPLS.contains(&kind) => {
            inside(Tunnel::Gre, key, layers, Content::Packet(kind, bytes), cut)
        }
        _ => Unread(layers),
    }
}

/// ERSPAN type II (draft-foschiano-erspan, 4.2).
fn erspan_2(all: Captured<'_>) -> Unwrapped<'_> {
    let Some((header, frame)) = all.split::<8>() else {
        return Malformed("ERSPAN header shorter than 8 bytes");
    };
    if header[0] >> 4 != 1 {
        return Unread(&[Key::Gre, Key::Erspan]);
    }
    mirrored(u32::from_be_bytes([header[0], header[1], header[2], header[3]]), frame)
}

/// ERSPAN type III (draft-foschiano-erspan, 4.3), with its optional subheader of a platform.
fn erspan_3(all: Captured<'_>) -> Unwrapped<'_> {
    let layers = &[Key::Gre, Key::Erspan];
    let Some((header, rest)) = all.split::<12>() else {
        return Malformed("ERSPAN header shorter than 12 bytes");
    };
    let last = u16::from_be_bytes([header[10], header[11]]);
    // Frame type 0 is Ethernet; 2 is IP, which no exporter in use sends.
    if header[0] >> 4 != 2 || last >> 10 & 0x1f != 0 {
        return Unread(layers);
    }
    let frame = if last & 1 == 0 { Some(rest) } else { rest.skip(8) };
    let Some(frame) = frame else {
        return Malformed("ERSPAN platform subheader shorter than 8 bytes");
    };
    mirrored(u32::from_be_bytes([header[0], header[1], header[2], header[3]]), frame)
}

/// The frame behind the word that types II and III share: version, VLAN, class, encapsulation, truncated, session.
fn mirrored(word: u32, frame: Captured<'_>) -> Unwrapped<'_> {
    // The switch cut the frame: how long it was, only its own headers know.
    let cut = if word & 0x400 == 0 { frame.cut } else { frame.cut.max(usize::from(u16::MAX)) };
    Unwrapped::Inside(Inside {
        through: Through { kind: Tunnel::Erspan, id: Some(word & 0x3ff) },
        layers: &[Key::Gre, Key::Erspan],
        content: Content::Frame(frame.bytes),
        cut,
        vlan: (word >> 16 & 0x0fff) as u16,
    })
}

/// The payload of a UDP datagram; none where it is no datagram at all, which is told elsewhere.
fn datagram<'a>(packet: &Packet<'a>) -> Option<Captured<'a>> {
    let datagram = transport::udp(packet.transport, packet.transport_length).ok()?;
    let cut = datagram.length as usize - datagram.payload.len();
    Some(Captured { bytes: datagram.payload, cut })
}

/// VXLAN (RFC 7348, 5), with the next protocol of its generic extension (draft-ietf-nvo3-vxlan-gpe, 3.1). The network's
/// number has to be valid and reserved bits 0, but for flags and group of later drafts.
fn vxlan<'a>(packet: &Packet<'a>) -> Unwrapped<'a> {
    const VALID: u8 = 0x08;
    const NEXT_PROTOCOL: u8 = 0x04;
    let Some((header, Captured { bytes, cut })) = datagram(packet).and_then(Captured::split::<8>) else {
        return NoTunnel;
    };
    let &[flags, _, _, next, first, second, third, reserved] = header;
    // Too short for a frame or a packet: another protocol that has chance and port on its side.
    if flags & 0x0b != VALID || reserved != 0 || bytes.len() < 14 {
        return NoTunnel;
    }
    let content = match (flags & NEXT_PROTOCOL, next) {
        (0, _) | (_, 3) => Content::Frame(bytes),
        (_, 1) => Content::Packet(ethertype::IPV4, bytes),
        (_, 2) => Content::Packet(ethertype::IPV6, bytes),
        _ => return NoTunnel,
    };
    let network = u32::from_be_bytes([0, first, second, third]);
    inside(Tunnel::Vxlan, Some(network), &[Key::Vxlan], content, cut)
}

/// GENEVE (RFC 8926, 3.4), its options skipped.
fn geneve<'a>(packet: &Packet<'a>) -> Unwrapped<'a> {
    let Some((header, rest)) = datagram(packet).and_then(Captured::split::<8>) else { return NoTunnel };
    let &[lengths, flags, high, low, first, second, third, reserved] = header;
    // Version 0, reserved bits 0.
    if lengths & 0xc0 != 0 || flags & 0x3f != 0 || reserved != 0 {
        return NoTunnel;
    }
    let layers = &[Key::Geneve];
    let Some(rest) = rest.skip(usize::from(lengths & 0x3f) * 4) else {
        return Malformed("GENEVE options longer than their datagram");
    };
    // A control message.
    if flags & 0x80 != 0 {
        return Unread(layers);
    }
    let content = match u16::from_be_bytes([high, low]) {
        TRANSPARENT_ETHERNET => Content::Frame(rest.bytes),
        kind @ (ethertype::IPV4 | ethertype::IPV6) => Content::Packet(kind, rest.bytes),
        _ => return Unread(layers),
    };
    let network = u32::from_be_bytes([0, first, second, third]);
    inside(Tunnel::Geneve, Some(network), layers, content, rest.cut)
}
