//! Any bytes as datagrams of a flow whose port, and so whose reader, the first byte chooses.

use super::conversation::{Conversation, Cut};
use super::messages::Form;

/// DNS, DHCP, NTP, NetBIOS, SNMP, SSDP, their multicast relatives, Modbus, no protocol's port, and DHCP for IPv6.
const PORTS: [u16; 12] = [53, 67, 123, 137, 138, 161, 1900, 5353, 5355, 502, 40_001, 547];

const STEP_NS: i64 = 10_000_000;

/// The port; then for each datagram who sends it and how much of it is cut, its length, its bytes.
pub const FORM: Form = Form { head: 1, start: 1, is_wide: true };

pub fn run(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let port = PORTS[usize::from(*choice) % PORTS.len()];
    let mut conversation = Conversation::new(&[], port, STEP_NS, Cut::Whole);
    let mut rest = bytes;
    while let [side, high, low, tail @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]) % 2_048);
        let (payload, after) = tail.split_at(length.min(tail.len()));
        conversation.datagram(usize::from(side & 1), payload, usize::from(side >> 1));
        rest = after;
    }
    conversation.finish();
}
