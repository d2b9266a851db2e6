//! Frames in; addresses, VLAN tags and the network layer's bytes out.

use crate::words::Tunnel;

/// LINKTYPE_ numbers (draft-ietf-opsawg-pcaplinktype) that are read.
mod linktype {
    pub const NULL: u16 = 0;
    pub const ETHERNET: u16 = 1;
    pub const PPP: u16 = 9;
    /// PPP in HDLC-like framing, and the session frames of PPP over Ethernet without it.
    pub const PPP_HDLC: u16 = 50;
    pub const PPPOE: u16 = 51;
    /// Raw IP: 12 and 14 are what some systems wrote before 101 was agreed.
    pub const RAW: [u16; 3] = [12, 14, 101];
    pub const LOOP: u16 = 108;
    pub const LINUX_SLL: u16 = 113;
    pub const IPV4: u16 = 228;
    pub const IPV6: u16 = 229;
    pub const LINUX_SLL2: u16 = 276;
}

pub use linktype::ETHERNET;

pub mod ethertype {
    /// Stands for frames whose type field is a length: 802.2 LLC, spanning tree and the like.
    pub const LLC: u16 = 0;
    pub const IPV4: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    pub const IPV6: u16 = 0x86dd;
    pub const MPLS: [u16; 2] = [0x8847, 0x8848];
    pub const PPPOE_DISCOVERY: u16 = 0x8863;
    pub const PPPOE_SESSION: u16 = 0x8864;
    /// 802.1Q, 802.1ad, and the two that older switches use for the outer tag.
    #[inline]
    pub fn is_vlan(kind: u16) -> bool {
        matches!(kind, 0x8100 | 0x88a8 | 0x9100 | 0x9200)
    }
    /// Below this an Ethernet type field is a length (IEEE 802.3, 3.2.6).
    pub const LEAST: u16 = 0x0600;
}

/// Tags that are looked through; a longer chain is nobody's network.
const TAG_LIMIT: u8 = 8;

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network<'a> {
    V4(&'a [u8]),
    V6(&'a [u8]),
    Arp(&'a [u8]),
    /// 802.2 LLC: spanning tree and the like.
    Llc(&'a [u8]),
    /// An Ethernet type that is not read.
    Other(u16, &'a [u8]),
}

/// How the link wraps its packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    Ethernet,
    Sll,
    Sll2,
    Null,
    Loop,
    Raw,
    Ppp,
    /// Nothing of its own: what a tunnel carries without a link header.
    Bare,
}

/// The innermost tunnel that a packet came through; how it was wrapped is all that is kept of the outer packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Through {
    pub kind: Tunnel,
    /// VXLAN or GENEVE network, ERSPAN session, GRE key, MPLS label, PPPoE session.
    pub id: Option<u32>,
}

/// A frame's link layer, read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// 48 bits, first octet highest; 0 where the link has none.
    pub source_mac: u64,
    pub destination_mac: u64,
    /// Outermost VLAN id, 0 untagged.
    pub vlan: u16,
    pub tags: u8,
    /// One of the tags is 802.1ad's.
    pub service_tag: bool,
    pub wrapping: Wrapping,
    pub tunnel: Through,
    pub network: Network<'a>,
}

/// Why a frame was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// A link type that this decoder does not know.
    UnknownType,
    /// The frame ends inside its link header.
    Short,
}

/// Reads a frame's link layer.
#[inline(always)]
pub fn read(link_type: u16, frame: &[u8]) -> Result<Link<'_>, LinkError> {
    match link_type {
        linktype::ETHERNET => ethernet(frame),
        linktype::LINUX_SLL => sll(frame),
        linktype::LINUX_SLL2 => sll2(frame),
        linktype::NULL => family(frame, Wrapping::Null),
        linktype::LOOP => family(frame, Wrapping::Loop),
        linktype::PPP | linktype::PPP_HDLC => ppp_frame(frame),
        linktype::PPPOE => Ok(bare(Network::Other(ethertype::PPPOE_SESSION, frame), Wrapping::Bare)),
        linktype::IPV4 => Ok(bare(Network::V4(frame), Wrapping::Raw)),
        linktype::IPV6 => Ok(bare(Network::V6(frame), Wrapping::Raw)),
        raw if linktype::RAW.contains(&raw) => match frame.first().map(|first| first >> 4) {
            Some(4) => Ok(bare(Network::V4(frame), Wrapping::Raw)),
            Some(6) => Ok(bare(Network::V6(frame), Wrapping::Raw)),
            Some(_) => Ok(bare(Network::Other(0, frame), Wrapping::Raw)),
            None => Err(LinkError::Short),
        },
        _ => Err(LinkError::UnknownType),
    }
}

fn bare(network: Network<'_>, wrapping: Wrapping) -> Link<'_> {
    Link {
        source_mac: 0,
        destination_mac: 0,
        vlan: 0,
        tags: 0,
        service_tag: false,
        wrapping,
        tunnel: Through { kind: Tunnel::None, id: None },
        network,
    }
}

/// A frame that a tunnel carries.
#[inline(never)]
pub fn inner_frame(frame: &[u8], tunnel: Through) -> Result<Link<'_>, LinkError> {
    Ok(Link { tunnel, ..ethernet(frame)? })
}

/// A packet that a tunnel carries without a link header: the outer addresses stay.
#[inline(never)]
pub fn inner_packet<'a>(
    outer: &Link<'_>,
    kind: u16,
    rest: &'a [u8],
    tunnel: Through,
) -> Result<Link<'a>, LinkError> {
    let bare = bare(Network::Llc(&[]), Wrapping::Bare);
    let Link { source_mac, destination_mac, vlan, .. } = *outer;
    finish(Link { source_mac, destination_mac, vlan, tunnel, ..bare }, kind, rest)
}

/// The network layer of a PPP protocol number (RFC 1661, 2), as an Ethernet type; none where it is not read.
pub fn ppp(bytes: &[u8]) -> Option<(u16, &[u8])> {
    match *bytes {
        [0x00, 0x21, ref rest @ ..] => Some((ethertype::IPV4, rest)),
        [0x00, 0x57, ref rest @ ..] => Some((ethertype::IPV6, rest)),
        [0x02, 0x81, ref rest @ ..] => Some((ethertype::MPLS[0], rest)),
        // A compressed protocol field (RFC 1661, 6.5).
        [0x21, ref rest @ ..] => Some((ethertype::IPV4, rest)),
        [0x57, ref rest @ ..] => Some((ethertype::IPV6, rest)),
        _ => None,
    }
}

/// PPP, with or without its address and control fields (RFC 1662, 3.1).
fn ppp_frame(frame: &[u8]) -> Result<Link<'_>, LinkError> {
    let rest = frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame);
    if rest.len() < 2 {
        return Err(LinkError::Short);
    }
    let link = bare(Network::Other(0, rest), Wrapping::Ppp);
    match ppp(rest) {
        Some((kind, packet)) => finish(link, kind, packet),
        None => Ok(link),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn mac(bytes: &[u8]) -> u64 {
    bytes[..6].iter().fold(0, |mac, byte| mac << 8 | u64::from(*byte))
}

#[inline(always)]
fn ethernet(frame: &[u8]) -> Result<Link<'_>, LinkError> {
    let Some((header, rest)) = frame.split_first_chunk::<14>() else { return Err(LinkError::Short) };
    // Two words that overlap, each with 48 bits of an address first.
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n] = *header;
    let mut link = bare(Network::Llc(&[]), Wrapping::Ethernet);
    link.destination_mac = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 16;
    link.source_mac = u64::from_be_bytes([g, h, i, j, k, l, m, n]) >> 16;
    finish(link, u16::from_be_bytes([m, n]), rest)
}

/// Looks through VLAN tags and names the network layer.
#[inline(always)]
fn finish<'a>(mut link: Link<'a>, mut kind: u16, mut rest: &'a [u8]) -> Result<Link<'a>, LinkError> {
    while ethertype::is_vlan(kind) && link.tags < TAG_LIMIT {
        if rest.len() < 4 {
            return Err(LinkError::Short);
        }
        if link.tags == 0 {
            link.vlan = u16_at(rest, 0) & 0x0fff;
        }
        link.tags += 1;
        link.service_tag |= kind == 0x88a8;
        kind = u16_at(rest, 2);
        rest = &rest[4..];
    }
    link.network = match kind {
        ethertype::IPV4 => Network::V4(rest),
        ethertype::IPV6 => Network::V6(rest),
        ethertype::ARP => Network::Arp(rest),
        length if length < ethertype::LEAST => Network::Llc(rest),
        other => Network::Other(other, rest),
    };
    Ok(link)
}

/// Linux cooked capture: the sender's address is the only one there.
fn sll(frame: &[u8]) -> Result<Link<'_>, LinkError> {
    if frame.len() < 16 {
        return Err(LinkError::Short);
    }
    let mut link = bare(Network::Llc(&[]), Wrapping::Sll);
    if u16_at(frame, 4) == 6 {
        link.source_mac = mac(&frame[6..]);
    }
    finish(link, u16_at(frame, 14), &frame[16..])
}

fn sll2(frame: &[u8]) -> Result<Link<'_>, LinkError> {
    if frame.len() < 20 {
        return Err(LinkError::Short);
    }
    let mut link = bare(Network::Llc(&[]), Wrapping::Sll2);
    if frame[11] == 6 {
        link.source_mac = mac(&frame[12..]);
    }
    finish(link, u16_at(frame, 0), &frame[20..])
}

/// An address family in four bytes: of the capturing host's byte order (NULL) or big-endian (LOOP).
fn family(frame: &[u8], wrapping: Wrapping) -> Result<Link<'_>, LinkError> {
    if frame.len() < 4 {
        return Err(LinkError::Short);
    }
    let big = u32::from_be_bytes([frame[0], frame[1], frame[2], frame[3]]);
    // Families are small: of the two readings the small one is right.
    let family = if wrapping == Wrapping::Null { big.min(big.swap_bytes()) } else { big };
    let network = match family {
        2 => Network::V4(&frame[4..]),
        // Linux 10, NetBSD and OpenBSD 24, FreeBSD 28, Darwin 30.
        10 | 24 | 28 | 30 => Network::V6(&frame[4..]),
        _ => Network::Other(0, &frame[4..]),
    };
    Ok(bare(network, wrapping))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagged(tags: &[(u16, u16)]) -> Vec<u8> {
        let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2];
        for (kind, id) in tags {
            frame.extend(kind.to_be_bytes());
            frame.extend(id.to_be_bytes());
        }
        frame.extend([0x08, 0x00, 0x45]);
        frame
    }

    #[test]
    fn untagged_ethernet_has_vlan_0() {
        let frame = tagged(&[]);
        let link = read(1, &frame).unwrap();
        assert_eq!((link.vlan, link.tags), (0, 0));
        assert_eq!((link.source_mac, link.destination_mac), (0x0200_0000_0002, 0x0200_0000_0001));
        assert_eq!(link.network, Network::V4(&[0x45]));
    }

    #[test]
    fn of_two_tags_the_outer_one_is_the_vlan() {
        let frame = tagged(&[(0x88a8, 0x6064), (0x8100, 7)]);
        let link = read(1, &frame).unwrap();
        assert_eq!((link.vlan, link.tags, link.service_tag), (100, 2, true));
        assert_eq!(link.network, Network::V4(&[0x45]));
    }

    #[test]
    fn a_frame_cut_inside_its_tag_is_short() {
        let frame = tagged(&[(0x8100, 7)]);
        for length in 0..18 {
            assert_eq!(read(1, &frame[..length]), Err(LinkError::Short), "{length}");
        }
    }

    #[test]
    fn loopback_families_are_read_in_both_byte_orders() {
        for header in [[30, 0, 0, 0], [0, 0, 0, 30]] {
            let frame = [&header[..], &[0x60]].concat();
            assert_eq!(read(0, &frame).unwrap().network, Network::V6(&[0x60]));
        }
    }

    #[test]
    fn cooked_frames_have_the_senders_mac() {
        let mut frame = vec![0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0, 8, 0, 0x45];
        let link = read(113, &frame).unwrap();
        assert_eq!((link.source_mac, link.network), (0x0200_0000_0009, Network::V4(&[0x45])));
        frame.truncate(15);
        assert_eq!(read(113, &frame), Err(LinkError::Short));
    }

    #[test]
    fn an_unknown_link_type_is_its_own_answer() {
        assert_eq!(read(105, &[0; 64]), Err(LinkError::UnknownType));
    }
}
