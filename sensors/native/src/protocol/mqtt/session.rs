//! What a connection has settled: its version, its client, the topics that aliases stand for.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::framing::Packet;
use super::packets::{self, Body};
use super::payload;
use super::words::{PacketType, Version};
use crate::protocol::{Output, Role};

/// What a remembered text costs beside its bytes.
const ENTRY_BYTES: u64 = 64;

/// Takes memory from what all flows may hold; false where there is none left, which is counted.
pub fn hold(bytes: u64, out: &mut Output<'_>) -> bool {
    if out.counts.mqtt_held_bytes.saturating_add(bytes) > out.limits.mqtt_held_bytes {
        out.counts.mqtt_not_held += 1;
        return false;
    }
    out.counts.mqtt_held_bytes += bytes;
    true
}

/// Gives memory back.
pub fn release(bytes: u64, out: &mut Output<'_>) {
    out.counts.mqtt_held_bytes = out.counts.mqtt_held_bytes.saturating_sub(bytes);
}

/// The topics that one side's aliases stand for (MQTT 5.0, 3.3.2.3.4).
#[derive(Debug, Default)]
struct Aliases {
    topics: HashMap<u16, Box<str>, RandomState>,
    /// The highest alias that the other side takes; `None` where it was not seen to say.
    maximum: Option<u16>,
}

/// What became of an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alias {
    /// It stands for this topic from now on, or did so before.
    Known(String),
    /// It was settled where nobody listened.
    Unseen,
    /// 0, or more than the other side takes.
    Illegal,
}

/// One connection.
#[derive(Debug, Default)]
pub struct Session {
    version: Option<Version>,
    /// The version is the CONNECT packet's.
    certain: bool,
    pub client_id: String,
    aliases: [Option<Box<Aliases>>; 2],
    /// bdSeq of the will, which the next NBIRTH has to have (Sparkplug 3.0, 6.4).
    pub will_bd_seq: Option<u64>,
    /// Bytes held for `aliases`.
    held: u64,
}

impl Session {
    pub fn version(&self) -> Version {
        self.version.unwrap_or(Version::Unknown)
    }

    /// A CONNECT packet starts a session anew.
    pub fn connect(&mut self, version: Version, client_id: String, out: &mut Output<'_>) {
        self.forget_aliases(out);
        self.version = Some(version);
        self.certain = true;
        self.client_id = client_id;
        self.will_bd_seq = None;
        // What CONNECT and CONNACK do not name is 0 (3.1.2.11.5, 3.2.2.3.8).
        self.aliases = Default::default();
        if version == Version::V5 {
            for side in [Role::Client, Role::Server] {
                self.allow_aliases(side, 0);
            }
        }
    }

    /// How high the aliases that `from` sends may be.
    pub fn allow_aliases(&mut self, from: Role, maximum: u16) {
        self.aliases[from.index()].get_or_insert_default().maximum = Some(maximum);
    }

    /// Reads a packet as this connection's version has it. Without a CONNECT the version is what only one of them
    /// can have sent.
    #[inline]
    pub fn read<'a>(&mut self, packet: &Packet<'a>) -> Result<Body<'a>, &'static str> {
        if self.certain {
            return packets::read(packet, self.version());
        }
        self.infer(packet)
    }

    fn infer<'a>(&mut self, packet: &Packet<'a>) -> Result<Body<'a>, &'static str> {
        if let Some(version) = self.version {
            if let Ok(body) = packets::read(packet, version) {
                return Ok(body);
            }
        }
        let older = packets::read(packet, Version::V3);
        let newer = packets::read(packet, Version::V5);
        match (older, newer) {
            (older @ Ok(_), Err("")) => older,
            (older @ Ok(_), Err(_)) => {
                self.version = Some(Version::V3);
                older
            }
            (Err(_), newer @ Ok(_)) => {
                self.version = Some(Version::V5);
                newer
            }
            (Ok(older), Ok(newer)) if is_newer(&newer) => {
                self.version = Some(Version::V5);
                let _ = older;
                Ok(newer)
            }
            (older, _) => older,
        }
    }

    /// What an alias stands for; `topic` is empty where only the alias was sent.
    pub fn alias(&mut self, from: Role, alias: u16, topic: &str, out: &mut Output<'_>) -> Alias {
        let aliases = self.aliases[from.index()].get_or_insert_default();
        if alias == 0 || aliases.maximum.is_some_and(|maximum| alias > maximum) {
            return Alias::Illegal;
        }
        if topic.is_empty() {
            return aliases.topics.get(&alias).map_or(Alias::Unseen, |topic| Alias::Known(topic.to_string()));
        }
        let cost = topic.len() as u64 + ENTRY_BYTES;
        let before = aliases.topics.remove(&alias).map_or(0, |old| old.len() as u64 + ENTRY_BYTES);
        self.held -= before;
        release(before, out);
        if (aliases.topics.len() as u64) < out.limits.mqtt_topic_aliases && hold(cost, out) {
            self.held += cost;
            aliases.topics.insert(alias, topic.into());
        }
        Alias::Known(topic.to_owned())
    }

    /// The connection is over: gives all memory back.
    pub fn forget_aliases(&mut self, out: &mut Output<'_>) {
        release(std::mem::take(&mut self.held), out);
        self.aliases = Default::default();
    }
}

/// True where the newer of two possible readings is the likelier one: it has properties, or what 3.1.1 would call a
/// payload is a text behind a zero.
fn is_newer(newer: &Body<'_>) -> bool {
    match newer {
        Body::Publish { properties, payload, .. } => !properties.is_empty() || payload::is_text(payload),
        _ => false,
    }
}

/// True for the packets that only one side may send (MQTT 5.0, 2.1.2); `None` for those of both.
pub fn sender(kind: PacketType) -> Option<Role> {
    use PacketType as P;
    match kind {
        P::Connect | P::Subscribe | P::Unsubscribe | P::Pingreq => Some(Role::Client),
        P::Connack | P::Suback | P::Unsuback | P::Pingresp => Some(Role::Server),
        P::Publish | P::Puback | P::Pubrec | P::Pubrel | P::Pubcomp | P::Disconnect | P::Auth => None,
    }
}
