//! Subscriptions, monitored items, notifications (OPC 10000-4, 5.13 and 5.14).

use super::super::diagnostics;
use super::super::known::Known;
use super::super::reader::{Read, Reader};
use super::super::said::{Effect, Said, Watched};
use super::super::service::attribute;
use super::super::status::Status;
use super::super::variant::{Extension, data_value, variant};
use super::attribute::node_attribute_range;

/// Notifications (7.25), in the binary encoding.
const DATA_CHANGE: u32 = 811;
const EVENTS: u32 = 916;
const STATUS_CHANGE: u32 = 820;

/// Watched nodes of one call, and subscriptions of one, that are followed.
const WATCHED_KEPT: usize = 4_096;
const SUBSCRIPTIONS_KEPT: usize = 1_024;

pub fn create_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    rhythm(reader, said)?;
    // Notifications at most in one message.
    reader.u32()?;
    Ok(())
}

pub fn create_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    said.subscription = Some(reader.u32()?);
    rhythm(reader, said)
}

fn rhythm(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let interval_ms = reader.f64()?;
    let (lifetime, keep_alive) = (reader.u32()?, reader.u32()?);
    said.remark(&format!("interval {interval_ms} ms, lifetime {lifetime}, keep-alive {keep_alive}"));
    Ok(())
}

pub fn delete_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(4)?;
    said.count(count);
    let mut subscriptions = Vec::with_capacity(count.min(SUBSCRIPTIONS_KEPT));
    for number in 0..count {
        let subscription = reader.u32()?;
        if number == 0 {
            said.subscription = Some(subscription);
        }
        if number < SUBSCRIPTIONS_KEPT {
            subscriptions.push(subscription);
        }
    }
    said.effect = Effect::DeleteSubscriptions(subscriptions);
    Ok(())
}

pub fn monitor_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    said.subscription = Some(reader.u32()?);
    reader.u32()?;
    let count = reader.count(40)?;
    said.count(count);
    let mut watched = Vec::with_capacity(count.min(WATCHED_KEPT));
    for _ in 0..count {
        let (node, number, _) = node_attribute_range(reader)?;
        reader.qualified_name()?;
        // Reporting, sampling or disabled.
        reader.u32()?;
        let handle = reader.u32()?;
        reader.f64()?;
        Extension::read(reader)?;
        reader.u32()?;
        reader.bool()?;
        if watched.len() < WATCHED_KEPT {
            let node = known.node(&node);
            said.nodes.push_string(node.clone());
            if said.attributes.has_room() {
                said.attributes.push_string(attribute(number));
            }
            watched.push(Watched { handle, node, attribute: number });
        }
    }
    said.effect = Effect::Monitor(watched);
    Ok(())
}

pub fn monitor_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(23)?;
    said.count(count);
    let mut good = Vec::with_capacity(count.min(WATCHED_KEPT));
    for _ in 0..count {
        let status = Status(reader.u32()?);
        said.result(status);
        if good.len() < WATCHED_KEPT {
            good.push(!status.is_bad());
        }
        // Item, interval, queue size.
        reader.bytes(16)?;
        Extension::read(reader)?;
    }
    said.effect = Effect::Monitored(good);
    diagnostics::skip_array(reader)
}

/// Acknowledgements of what was received.
pub fn publish_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(8)?;
    reader.bytes(count.saturating_mul(8))?;
    said.count(count);
    Ok(())
}

pub fn publish_response(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let subscription = reader.u32()?;
    said.subscription = Some(subscription);
    let available = reader.count(4)?;
    reader.bytes(available.saturating_mul(4))?;
    if reader.bool()? {
        said.remark("more follow");
    }
    notification(reader, subscription, known, said)?;
    // Of the acknowledgements.
    for _ in 0..reader.count(4)? {
        let status = Status(reader.u32()?);
        if status.is_bad() && !said.detail.is_full() {
            said.remark(&format!("acknowledgement {}", status.word()));
        }
    }
    diagnostics::skip_array(reader)
}

pub fn republish_response(
    reader: &mut Reader<'_>,
    asked: Option<&Said>,
    known: &Known,
    said: &mut Said,
) -> Read<()> {
    let subscription = asked.and_then(|asked| asked.subscription).unwrap_or_default();
    notification(reader, subscription, known, said)
}

fn notification(reader: &mut Reader<'_>, subscription: u32, known: &Known, said: &mut Said) -> Read<()> {
    let sequence = reader.u32()?;
    reader.i64()?;
    let count = reader.count(3)?;
    if count == 0 {
        // A failure has no subscription.
        if subscription != 0 {
            said.remark("keep-alive");
        }
        return Ok(());
    }
    said.remark(&format!("notification {sequence}"));
    for _ in 0..count {
        let data = Extension::read(reader)?;
        let mut fields = data.fields();
        match data.standard() {
            Some(DATA_CHANGE) => data_change(&mut fields, subscription, known, said)?,
            Some(EVENTS) => events(&mut fields, subscription, known, said)?,
            Some(STATUS_CHANGE) => {
                let status = Status(fields.u32()?);
                said.remark(&format!("status {}", status.word()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn data_change(reader: &mut Reader<'_>, subscription: u32, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(5)?;
    add(said, count);
    for _ in 0..count {
        node(reader.u32()?, subscription, known, said);
        let mut value = said.values.entry();
        let read = data_value(reader, &mut value)?;
        said.values.push(value);
        said.result(read.status);
    }
    diagnostics::skip_array(reader)
}

fn events(reader: &mut Reader<'_>, subscription: u32, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(8)?;
    add(said, count);
    for _ in 0..count {
        node(reader.u32()?, subscription, known, said);
        let mut value = said.values.entry();
        value.push("event [");
        for number in 0..reader.count(1)? {
            if number > 0 {
                value.push(", ");
            }
            variant(reader, &mut value)?;
        }
        value.push("]");
        said.values.push(value);
    }
    Ok(())
}

fn add(said: &mut Said, count: usize) {
    said.operations = said.operations.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
}

/// The node behind a handle; the handle where its node was not seen.
fn node(handle: u32, subscription: u32, known: &Known, said: &mut Said) {
    if !said.nodes.has_room() {
        return;
    }
    match known.item(subscription, handle) {
        Some(item) => {
            said.nodes.push_string(item.node.clone());
            said.attributes.push_string(attribute(item.attribute));
        }
        None => {
            said.nodes.push_string(format!("handle {handle}"));
            said.attributes.push_string(String::new());
        }
    }
}
