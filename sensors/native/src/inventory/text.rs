//! Addresses and names from the wire as text.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Sixteen bytes as people write them: an IPv4-mapped address as IPv4.
pub fn ip(address: &[u8; 16]) -> String {
    let address = Ipv6Addr::from(*address);
    match address.to_ipv4_mapped() {
        Some(mapped) => mapped.to_string(),
        None => address.to_string(),
    }
}

/// An IPv4 address as the sixteen bytes that all tables hold (RFC 4291, 2.5.5.2).
pub fn mapped(address: [u8; 4]) -> [u8; 16] {
    Ipv4Addr::from(address).to_ipv6_mapped().octets()
}

/// Six octets with colons.
pub fn mac(mac: u64) -> String {
    let mut text = String::with_capacity(17);
    for octet in &mac.to_be_bytes()[2..] {
        let _ = write!(text, "{}{octet:02x}", if text.is_empty() { "" } else { ":" });
    }
    text
}

/// Six octets as the number that all tables hold.
pub fn mac_of(octets: &[u8; 6]) -> u64 {
    octets.iter().fold(0, |mac, octet| mac << 8 | u64::from(*octet))
}

/// Bytes that should be text. What is not UTF-8 becomes the replacement character.
pub fn of(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// True for an address that one device has: not unspecified, loopback, multicast or broadcast.
pub fn is_a_devices(address: &[u8; 16]) -> bool {
    let address = Ipv6Addr::from(*address);
    match address.to_ipv4_mapped() {
        Some(v4) => {
            !(v4.is_unspecified() || v4.is_loopback() || v4.is_multicast() || v4.is_broadcast())
                && v4.octets()[0] != 0
        }
        None => !(address.is_unspecified() || address.is_loopback() || address.is_multicast()),
    }
}

/// True for the address of one network card: not 0, not a group's.
pub fn is_a_cards(mac: u64) -> bool {
    mac != 0 && mac >> 40 & 1 == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_people_write_them() {
        assert_eq!(ip(&mapped([10, 0, 0, 1])), "10.0.0.1");
        assert_eq!(ip(&[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]), "fe80::1");
        assert_eq!(mac(0x0200_5e00_5301), "02:00:5e:00:53:01");
    }

    #[test]
    fn groups_and_nobody_are_no_device() {
        for address in [[0; 4], [127, 0, 0, 1], [224, 0, 0, 251], [255; 4], [0, 0, 0, 9]] {
            assert!(!is_a_devices(&mapped(address)), "{address:?}");
        }
        assert!(is_a_devices(&mapped([10, 0, 0, 1])));
        assert!(!is_a_cards(0xffff_ffff_ffff) && !is_a_cards(0x0180_c200_0000) && is_a_cards(1));
    }
}
