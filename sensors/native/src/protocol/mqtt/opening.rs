//! What a CONNECT and a SUBSCRIBE say, as the row will have it (MQTT 5.0, 3.1 and 3.8).

use sha2::{Digest, Sha256};

use super::packets::{Connect, Filters, Will};
use super::properties::{Properties, Value, id};
use super::reader::text;
use super::said::{Rare, Said, TEXT_KEPT, TOPIC_KEPT, note, push};
use super::session::Session;
use super::sparkplug;
use super::words::{PacketType, SparkplugType, Version};
use crate::limits::UserNames;
use crate::protocol::{Output, Role};

/// Filters of a subscription that are listed.
pub const FILTERS_KEPT: usize = 64;

/// Hexadecimal digits of a hashed user name.
const HASH_DIGITS: usize = 16;

/// A CONNECT: the session begins anew.
pub fn connecting(said: &mut Said<'_>, connect: &Connect<'_>, session: &mut Session, out: &mut Output<'_>) {
    session.connect(connect.version, text(connect.client_id, TEXT_KEPT).into_owned(), out);
    if connect.version == Version::V5 {
        let maximum = connect.properties.number(id::TOPIC_ALIAS_MAXIMUM).unwrap_or(0);
        session.allow_aliases(Role::Server, maximum as u16);
    }
    said.dup = false;
    let rare = said.rare();
    rare.clean_start = connect.clean_start;
    rare.keep_alive_s = Some(connect.keep_alive_s);
    rare.has_password = connect.has_password;
    if let Some(name) = connect.user_name {
        rare.has_user_name = true;
        rare.user_name = match out.limits.user_names() {
            UserNames::Keep => text(name, TEXT_KEPT).into_owned(),
            UserNames::Hash => hashed(name),
        };
    }
    if connect.is_bridge {
        rare.detail.push_str("bridge");
    }
    if let Some(will) = &connect.will {
        self::will(rare, will, session);
    }
    note(said, connect.properties, "");
    if let Some(will) = &connect.will {
        note(said, will.properties, "will.");
    }
}

fn will(rare: &mut Rare, will: &Will<'_>, session: &mut Session) {
    rare.will_topic = text(will.topic, TOPIC_KEPT).into_owned();
    rare.will_qos = Some(will.qos);
    rare.will_retain = will.retain;
    rare.will_bytes = Some(will.payload.len() as u32);
    // An edge node's death certificate (Sparkplug 3.0, 6.4).
    if sparkplug::topic(&rare.will_topic).is_some_and(|topic| topic.kind == SparkplugType::Ndeath) {
        session.will_bd_seq = sparkplug::bd_seq(will.payload);
        if let Some(number) = session.will_bd_seq {
            let joint = if rare.detail.is_empty() { "" } else { "; " };
            rare.detail.push_str(&format!("{joint}will is an NDEATH with bdSeq {number}"));
        }
    }
}

/// A user name that a reader can tell from others, and cannot read; who guesses a name can check it.
fn hashed(name: &[u8]) -> String {
    let digest = Sha256::digest(name);
    let mut digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.truncate(HASH_DIGITS);
    format!("sha256:{digits}")
}

/// The filters of a SUBSCRIBE or UNSUBSCRIBE, with what is asked for each.
pub fn subscribing(said: &mut Said<'_>, filters: Filters<'_>, newer: bool) {
    let with_options = said.kind == PacketType::Subscribe;
    let rare = said.rare();
    let mut more = 0;
    for (filter, options) in filters.iter() {
        if rare.filters.len() >= FILTERS_KEPT {
            more += 1;
            continue;
        }
        rare.filters.push(text(filter, TEXT_KEPT).into_owned());
        if with_options {
            rare.requested_qos.push(u16::from(options & 3));
        }
        if newer && options & 0x3c != 0 {
            // No local, retain as published, retain handling (5.0, 3.8.3.1).
            let handling = options >> 4 & 3;
            let words = [(options & 4 != 0, "no_local"), (options & 8 != 0, "retain_as_published")];
            let mut told: Vec<_> =
                words.iter().filter(|(is, _)| *is).map(|(_, word)| (*word).to_owned()).collect();
            if handling > 0 {
                told.push(format!("retain_handling={handling}"));
            }
            let place = rare.filters.len();
            push(&mut rare.properties, format!("filter_{place}.{}", told.join(",")));
        }
    }
    if more > 0 {
        rare.detail = format!("{more} more filters");
    }
}

/// The client identifier that the broker chose.
pub fn assigned_client(properties: Properties<'_>) -> Option<String> {
    properties.iter().find_map(|(identifier, value)| match value {
        Value::Text(bytes) if identifier == id::ASSIGNED_CLIENT => Some(text(bytes, TEXT_KEPT).into_owned()),
        _ => None,
    })
}
