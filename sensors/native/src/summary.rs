//! What is known of a whole capture: counts that need no row.

use std::collections::{BTreeMap, BTreeSet};

use crate::link::{Link, Network, Wrapping};

macro_rules! counters {
    ($(#[$doc:meta])* $name:ident { $($field:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default)]
        pub struct $name { $(pub $field: u64,)+ }

        impl $name {
            /// (name, frames) of those that were seen.
            pub fn seen(&self) -> Vec<(&'static str, u64)> {
                [$(($word, self.$field)),+].into_iter().filter(|(_, count)| *count > 0).collect()
            }
        }
    };
}

counters! {
    /// Frames of each way in which packets are wrapped.
    Encapsulations {
        vlan = "vlan",
        ieee8021ad = "ieee8021ad",
        sll = "sll",
        sll2 = "sll2",
        null = "null",
        loopback = "loop",
        raw = "raw",
        ipv6 = "ipv6",
    }
}

counters! {
    /// Frames of each protocol.
    Protocols {
        eth = "eth",
        arp = "arp",
        llc = "llc",
        other = "other",
        ip = "ip",
        ipv6 = "ipv6",
        tcp = "tcp",
        udp = "udp",
        icmp = "icmp",
        icmpv6 = "icmpv6",
        igmp = "igmp",
        other_ip = "other_ip",
    }
}

/// Counts of a capture, so far.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    pub frames: u64,
    pub link_types: BTreeMap<u16, u64>,
    /// Interfaces that had a frame.
    pub interfaces_seen: BTreeSet<u16>,
    pub encapsulations: Encapsulations,
    pub protocols: Protocols,
    pub max_vlan_tags: u8,
    /// Frames that the snapshot length cut.
    pub truncated_frames: u64,
    /// Frames older than the one before them.
    pub time_goes_back: u64,
    pub malformed_frames: u64,
    pub unread_frames: u64,
    pub fragments: u64,
    pub duplicates: u64,
    pub evicted_flows: u64,
    pub dropped_packets: u64,
    /// Byte of the (decompressed) capture at which it ends early.
    pub cut_at_byte: Option<u64>,
    pub first_ts: Option<i64>,
    pub last_ts: Option<i64>,
}

impl Summary {
    /// Counts what a frame's link layer shows.
    #[inline]
    pub fn count_link(&mut self, link: &Link<'_>) {
        let wrapped = &mut self.encapsulations;
        match link.wrapping {
            Wrapping::Ethernet => self.protocols.eth += 1,
            Wrapping::Sll => wrapped.sll += 1,
            Wrapping::Sll2 => wrapped.sll2 += 1,
            Wrapping::Null => wrapped.null += 1,
            Wrapping::Loop => wrapped.loopback += 1,
            Wrapping::Raw => wrapped.raw += 1,
        }
        if link.tags > 0 {
            // As Wireshark names them: the outer 802.1ad tag apart from 802.1Q tags.
            wrapped.ieee8021ad += u64::from(link.service_tag);
            wrapped.vlan += u64::from(!link.service_tag || link.tags > 1);
            self.max_vlan_tags = self.max_vlan_tags.max(link.tags);
        }
        match link.network {
            Network::V4(_) => self.protocols.ip += 1,
            Network::V6(_) => {
                self.protocols.ipv6 += 1;
                wrapped.ipv6 += 1;
            }
            Network::Arp(_) => self.protocols.arp += 1,
            Network::Llc(_) => self.protocols.llc += 1,
            Network::Other(..) => self.protocols.other += 1,
        }
    }

    /// Counts what a packet carries.
    #[inline]
    pub fn count_protocol(&mut self, protocol: u8) {
        let protocols = &mut self.protocols;
        match protocol {
            6 => protocols.tcp += 1,
            17 => protocols.udp += 1,
            1 => protocols.icmp += 1,
            58 => protocols.icmpv6 += 1,
            2 => protocols.igmp += 1,
            _ => protocols.other_ip += 1,
        }
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
