//! What is known of a whole capture: counts that need no row.

use std::collections::{BTreeMap, BTreeSet};

use crate::link::{Link, Network, Wrapping};
use crate::tunnel;

macro_rules! keys {
    ($(#[$doc:meta])* $name:ident { $($key:ident = $group:ident $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($key,)+ }

        /// The group and the word of each.
        const KEYS: &[(Group, &str)] = &[$((Group::$group, $word),)+];
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Encapsulation,
    Protocol,
}

keys! {
    /// What frames are counted by, with Wireshark's names: ways in which packets are wrapped, and protocols.
    Key {
        Vlan = Encapsulation "vlan",
        ServiceTag = Encapsulation "ieee8021ad",
        Sll = Encapsulation "sll",
        Sll2 = Encapsulation "sll2",
        Null = Encapsulation "null",
        Loop = Encapsulation "loop",
        Raw = Encapsulation "raw",
        Ipv6Wrapping = Encapsulation "ipv6",
        Mpls = Encapsulation "mpls",
        Ppp = Encapsulation "ppp",
        Pppoes = Encapsulation "pppoes",
        Pppoed = Encapsulation "pppoed",
        Gre = Encapsulation "gre",
        Erspan = Encapsulation "erspan",
        Vxlan = Encapsulation "vxlan",
        Geneve = Encapsulation "geneve",
        Eth = Protocol "eth",
        Arp = Protocol "arp",
        Llc = Protocol "llc",
        Other = Protocol "other",
        Ip = Protocol "ip",
        Ipv6 = Protocol "ipv6",
        Tcp = Protocol "tcp",
        Udp = Protocol "udp",
        Icmp = Protocol "icmp",
        Icmpv6 = Protocol "icmpv6",
        Igmp = Protocol "igmp",
        OtherIp = Protocol "other_ip",
    }
}

/// Frames by key.
#[derive(Clone, Debug)]
pub struct Tallies([u64; KEYS.len()]);

impl Default for Tallies {
    fn default() -> Self {
        Self([0; KEYS.len()])
    }
}

impl Tallies {
    fn seen(&self, group: Group) -> Vec<(&'static str, u64)> {
        let counts = KEYS.iter().zip(self.0);
        counts
            .filter(|(key, count)| key.0 == group && *count > 0)
            .map(|(key, count)| (key.1, count))
            .collect()
    }

    /// (name, frames) of the ways in which packets were wrapped.
    pub fn encapsulations(&self) -> Vec<(&'static str, u64)> {
        self.seen(Group::Encapsulation)
    }

    /// (name, frames) of the protocols that were seen.
    pub fn protocols(&self) -> Vec<(&'static str, u64)> {
        self.seen(Group::Protocol)
    }
}

/// What one frame with tunnels was counted for: each key once, however often it comes again inside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    keys: u64,
    tags: u8,
}

/// Counts of a capture, so far.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub frames: u64,
    pub link_types: BTreeMap<u16, u64>,
    /// Interfaces that had a frame.
    pub interfaces_seen: BTreeSet<u16>,
    pub tallies: Tallies,
    pub max_vlan_tags: u8,
    /// Frames that the snapshot length cut.
    pub truncated_frames: u64,
    /// Frames older than the one before them.
    pub time_goes_back: u64,
    pub malformed_frames: u64,
    pub unread_frames: u64,
    pub fragments: u64,
    pub incomplete_packets: u64,
    pub duplicates: u64,
    pub evicted_flows: u64,
    pub dropped_packets: u64,
    /// Byte of the (decompressed) capture at which it ends early.
    pub cut_at_byte: Option<u64>,
    pub first_ts: Option<i64>,
    pub last_ts: Option<i64>,
}

/// What a link layer shows.
#[inline]
fn of_link(link: &Link<'_>, mut each: impl FnMut(Key)) {
    match link.wrapping {
        Wrapping::Ethernet => each(Key::Eth),
        Wrapping::Sll => each(Key::Sll),
        Wrapping::Sll2 => each(Key::Sll2),
        Wrapping::Null => each(Key::Null),
        Wrapping::Loop => each(Key::Loop),
        Wrapping::Raw => each(Key::Raw),
        Wrapping::Ppp => each(Key::Ppp),
        Wrapping::Bare => {}
    }
    if link.tags > 0 {
        // As Wireshark names them: the outer 802.1ad tag apart from 802.1Q tags.
        if link.service_tag {
            each(Key::ServiceTag);
        }
        if !link.service_tag || link.tags > 1 {
            each(Key::Vlan);
        }
    }
    match link.network {
        Network::V4(_) => each(Key::Ip),
        Network::V6(_) => {
            each(Key::Ipv6);
            each(Key::Ipv6Wrapping);
        }
        Network::Arp(_) => each(Key::Arp),
        Network::Llc(_) => each(Key::Llc),
        Network::Other(kind, _) if tunnel::is_ethertype(kind) => {}
        Network::Other(..) => each(Key::Other),
    }
}

/// What a packet carries.
#[inline]
fn of_protocol(protocol: u8) -> Key {
    match protocol {
        6 => Key::Tcp,
        17 => Key::Udp,
        1 => Key::Icmp,
        58 => Key::Icmpv6,
        2 => Key::Igmp,
        _ => Key::OtherIp,
    }
}

impl Summary {
    #[inline]
    fn add(&mut self, key: Key) {
        self.tallies.0[key as usize] += 1;
    }

    /// Counts what a frame's link layer shows.
    #[inline]
    pub fn count_link(&mut self, link: &Link<'_>) {
        of_link(link, |key| self.tallies.0[key as usize] += 1);
        self.max_vlan_tags = self.max_vlan_tags.max(link.tags);
    }

    /// Counts what a packet carries.
    #[inline]
    pub fn count_protocol(&mut self, protocol: u8) {
        self.add(of_protocol(protocol));
    }

    /// What a frame's own link layer was counted for.
    pub fn marks(&self, link: &Link<'_>) -> Marks {
        let mut keys = 0;
        of_link(link, |key| keys |= 1 << key as u64);
        Marks { keys, tags: link.tags }
    }

    /// Counts a layer of a frame, where it is the first of its kind.
    pub fn count_within(&mut self, marks: &mut Marks, key: Key) {
        if marks.keys & 1 << key as u64 == 0 {
            marks.keys |= 1 << key as u64;
            self.add(key);
        }
    }

    /// Counts what the link layer within a tunnel shows.
    pub fn count_link_within(&mut self, marks: &mut Marks, link: &Link<'_>) {
        of_link(link, |key| self.count_within(marks, key));
        marks.tags = marks.tags.saturating_add(link.tags);
        self.max_vlan_tags = self.max_vlan_tags.max(marks.tags);
    }

    /// Counts what a packet within a tunnel carries.
    pub fn count_protocol_within(&mut self, marks: &mut Marks, protocol: u8) {
        self.count_within(marks, of_protocol(protocol));
    }

    #[inline]
    pub fn count_time(&mut self, ts: i64) {
        if let Some(last) = self.last_ts {
            if ts < last {
                self.time_goes_back += 1;
            }
        }
        self.first_ts.get_or_insert(ts);
        self.last_ts = Some(ts);
    }
}
