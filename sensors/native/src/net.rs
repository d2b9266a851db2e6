//! Network-layer bytes in; one packet's addresses, protocol and transport bytes out (RFC 791, RFC 8200).

/// Extension headers of one IPv6 packet that are walked.
const EXTENSION_LIMIT: usize = 16;

/// The longest packet where its own length field says nothing: what Linux gives a card to segment (BIG TCP).
const LENGTH_LIMIT: usize = 524_288;

/// An IP packet, read up to its transport header.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// 16 bytes, IPv4 as IPv4-mapped.
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// IP protocol number of the transport layer.
    pub protocol: u8,
    /// IPv4 identification; 0 in IPv6, which has none.
    pub id: u16,
    /// Time to live, or hop limit.
    pub hops: u8,
    /// Where it is a piece of a packet: its transport header is not there, or not the whole of it.
    pub fragment: Option<Fragment>,
    /// Captured bytes after the IP headers, link padding trimmed.
    pub transport: &'a [u8],
    /// Their length on the wire.
    pub transport_length: usize,
}

/// A piece's place in its packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fragment {
    /// What all pieces of a packet share: 16 bits in IPv4, 32 in IPv6.
    pub id: u32,
    /// Where it starts, in units of 8 bytes.
    pub offset: u16,
    /// Others follow.
    pub more: bool,
    pub version: u8,
}

/// The headers contradict themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

/// 0x0a000001 -> ::ffff:10.0.0.1 (RFC 4291, 2.5.5.2)
#[inline]
pub fn mapped(address: [u8; 4]) -> [u8; 16] {
    // As one number: bytes that are written one by one are put together again wherever they are compared.
    (0xffff << 32 | u128::from(u32::from_be_bytes(address))).to_be_bytes()
}

/// Reads an IPv4 packet; `cut` says that the capture did not keep the whole frame.
#[inline]
pub fn v4(bytes: &[u8], cut: usize) -> Result<Packet<'_>, Malformed> {
    let Some(fixed) = bytes.first_chunk::<20>() else {
        return Err(Malformed("IPv4 header shorter than 20 bytes"));
    };
    let [first, _, _, _, _, _, _, _, hops, protocol, _, _, a, b, c, d, e, f, g, h] = *fixed;
    if first >> 4 != 4 {
        return Err(Malformed("IPv4 by its link, another version by its header"));
    }
    let header = usize::from(first & 15) * 4;
    let mut length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    if length == 0 {
        // Segmentation offload: the card fills the length in after the capture has seen the packet.
        length = bytes.len() + cut;
        if length > LENGTH_LIMIT {
            return Err(Malformed("IPv4 packet longer than any frame"));
        }
    }
    if header < 20 || header > length {
        return Err(Malformed("IPv4 header length does not fit"));
    }
    if header > bytes.len() || length > bytes.len() + cut {
        return Err(Malformed("IPv4 packet longer than its frame"));
    }
    let id = u16::from_be_bytes([bytes[4], bytes[5]]);
    let place = u16::from_be_bytes([bytes[6], bytes[7]]);
    // More fragments, or an offset.
    let fragment = (place & 0x3fff != 0).then(|| Fragment {
        id: u32::from(id),
        offset: place & 0x1fff,
        more: place & 0x2000 != 0,
        version: 4,
    });
    Ok(Packet {
        source: mapped([a, b, c, d]),
        destination: mapped([e, f, g, h]),
        protocol,
        id,
        hops,
        fragment,
        transport: &bytes[header..length.min(bytes.len())],
        transport_length: length - header,
    })
}

/// Reads an IPv6 packet and walks its extension headers.
#[inline]
pub fn v6(bytes: &[u8], cut: usize) -> Result<Packet<'_>, Malformed> {
    if bytes.len() < 40 {
        return Err(Malformed("IPv6 header shorter than 40 bytes"));
    }
    if bytes[0] >> 4 != 6 {
        return Err(Malformed("IPv6 by its link, another version by its header"));
    }
    let mut length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let there = bytes.len() - 40 + cut;
    if length == 0 {
        // Segmentation offload, or a jumbogram (RFC 2675): the frame knows.
        length = there;
        if length > LENGTH_LIMIT {
            return Err(Malformed("IPv6 packet longer than any frame"));
        }
    }
    if length > there {
        return Err(Malformed("IPv6 packet longer than its frame"));
    }
    let rest = &bytes[40..(40 + length).min(bytes.len())];
    let Headers { protocol, rest, length, fragment } = extension_headers(bytes[6], rest, length)?;
    let mut packet = Packet {
        source: [0; 16],
        destination: [0; 16],
        protocol,
        id: 0,
        hops: bytes[7],
        fragment,
        transport: rest,
        transport_length: length,
    };
    packet.source.copy_from_slice(&bytes[8..24]);
    packet.destination.copy_from_slice(&bytes[24..40]);
    Ok(packet)
}

/// What is behind the extension headers.
pub struct Headers<'a> {
    pub protocol: u8,
    pub rest: &'a [u8],
    /// Its length on the wire.
    pub length: usize,
    pub fragment: Option<Fragment>,
}

/// Walks the extension headers of an IPv6 packet, up to a fragment header or the transport header.
#[inline]
pub fn extension_headers(
    mut protocol: u8,
    mut rest: &[u8],
    mut length: usize,
) -> Result<Headers<'_>, Malformed> {
    let mut fragment = None;
    for _ in 0..EXTENSION_LIMIT {
        let size = match protocol {
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6.
            0 | 43 | 60 | 135 | 139 | 140 if rest.len() >= 2 => 8 + usize::from(rest[1]) * 8,
            // Authentication header: counted in 4 bytes, minus 2 (RFC 4302, 2.2).
            51 if rest.len() >= 2 => 8 + usize::from(rest[1]) * 4,
            44 if rest.len() >= 8 => {
                // An atomic fragment (RFC 6946) is whole: no offset, none to follow.
                let place = u16::from_be_bytes([rest[2], rest[3]]);
                fragment = (place & 0xfff9 != 0).then(|| Fragment {
                    id: u32::from_be_bytes([rest[4], rest[5], rest[6], rest[7]]),
                    offset: place >> 3,
                    more: place & 1 != 0,
                    version: 6,
                });
                8
            }
            0 | 43 | 44 | 51 | 60 | 135 | 139 | 140 => {
                return Err(Malformed("IPv6 extension header without its 8 bytes"));
            }
            _ => break,
        };
        if size > rest.len() {
            return Err(Malformed("IPv6 extension header longer than its packet"));
        }
        protocol = rest[0];
        rest = &rest[size..];
        length -= size;
        if fragment.is_some() {
            break;
        }
    }
    Ok(Headers { protocol, rest, length, fragment })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(payload: &[u8]) -> Vec<u8> {
        let length = (20 + payload.len()) as u16;
        let mut bytes = vec![0x45, 0, 0, 0, 0, 7, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        bytes.extend(payload);
        bytes
    }

    #[test]
    fn an_ipv4_address_is_mapped_as_the_standard_library_does() {
        for address in [[0, 0, 0, 0], [1, 2, 3, 4], [10, 0, 0, 1], [127, 128, 254, 255], [255; 4]] {
            assert_eq!(mapped(address), std::net::Ipv4Addr::from(address).to_ipv6_mapped().octets());
        }
    }

    #[test]
    fn link_padding_is_no_payload() {
        let mut bytes = packet(b"abc");
        bytes.extend([0; 23]);
        assert_eq!(v4(&bytes, 0).unwrap().transport, b"abc");
    }

    #[test]
    fn length_0_means_the_card_segments_later() {
        let mut bytes = packet(b"abcdef");
        bytes[2..4].copy_from_slice(&[0, 0]);
        assert_eq!(v4(&bytes, 0).unwrap().transport, b"abcdef");
    }

    #[test]
    fn length_0_is_not_believed_for_what_no_card_segments() {
        let mut bytes = packet(b"abcdef");
        bytes[2..4].copy_from_slice(&[0, 0]);
        assert!(v4(&bytes, 1 << 30).is_err());
        let mut bytes = vec![0; 60];
        (bytes[0], bytes[6]) = (0x60, 17);
        assert!(v6(&bytes, 1 << 30).is_err());
        assert!(v6(&bytes, 65_535).is_ok());
    }

    #[test]
    fn a_packet_longer_than_its_frame_is_malformed_unless_the_capture_cut_it() {
        let bytes = packet(b"abcdef");
        assert!(v4(&bytes[..22], 0).is_err());
        let cut = v4(&bytes[..22], 4).unwrap();
        assert_eq!((cut.transport, cut.transport_length), (&b"ab"[..], 6));
    }

    #[test]
    fn both_kinds_of_fragment_are_fragments() {
        for (flags, fragment) in [(0x4000u16, false), (0x2000, true), (0x00b9, true), (0, false)] {
            let mut bytes = packet(b"abc");
            bytes[6..8].copy_from_slice(&flags.to_be_bytes());
            assert_eq!(v4(&bytes, 0).unwrap().fragment.is_some(), fragment, "{flags:04x}");
        }
    }

    #[test]
    fn ipv6_extension_headers_are_walked() {
        let mut bytes = vec![0x60, 0, 0, 0, 0, 19, 0, 64];
        bytes.extend([0; 32]);
        bytes.extend([60, 0, 1, 4, 0, 0, 0, 0]);
        bytes.extend([6, 0, 1, 4, 0, 0, 0, 0]);
        bytes.extend(b"abc");
        let packet = v6(&bytes, 0).unwrap();
        assert_eq!((packet.protocol, packet.transport), (6, &b"abc"[..]));
        for end in 40..56 {
            let missing = bytes.len() - end;
            assert!(v6(&bytes[..end], missing).is_err(), "{end}");
        }
    }
}
