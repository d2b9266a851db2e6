//! HistoryRead and HistoryUpdate (OPC 10000-4, 5.11.3 and 5.11.5; OPC 10000-11, 6).

use super::super::diagnostics;
use super::super::known::Known;
use super::super::node_id::NodeId;
use super::super::reader::{Read, Reader};
use super::super::said::Said;
use super::super::status::Status;
use super::super::text::Text;
use super::super::time;
use super::super::variant::{Extension, data_value};

/// Details of a read, in the binary encoding.
const READ_EVENTS: u32 = 646;
const READ_RAW: u32 = 649;
const READ_PROCESSED: u32 = 652;
const READ_AT_TIME: u32 = 655;
const READ_ANNOTATIONS: u32 = 23500;

/// History that is given back.
const HISTORY_DATA: u32 = 658;
const HISTORY_MODIFIED_DATA: u32 = 11227;

/// Details of an update.
const UPDATE_DATA: u32 = 682;
const UPDATE_EVENTS: u32 = 685;
const DELETE_RAW: u32 = 688;
const DELETE_AT_TIME: u32 = 691;
const DELETE_EVENTS: u32 = 694;
const UPDATE_STRUCTURE: u32 = 11300;

pub fn read_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let details = Extension::read(reader)?;
    let mut fields = details.fields();
    match details.standard() {
        Some(READ_RAW) => {
            said.remark(if fields.bool()? { "modified" } else { "raw" });
            period(&mut fields, said)?;
        }
        Some(READ_PROCESSED) => {
            said.remark("processed");
            period(&mut fields, said)?;
        }
        Some(READ_EVENTS) => {
            said.remark("events");
            fields.u32()?;
            period(&mut fields, said)?;
        }
        Some(READ_AT_TIME) => said.remark("at times"),
        Some(READ_ANNOTATIONS) => said.remark("annotations"),
        _ => {}
    }
    reader.u32()?;
    if reader.bool()? {
        said.remark("release");
    }
    let count = reader.count(16)?;
    said.count(count);
    for _ in 0..count {
        let node = NodeId::read(reader)?;
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&node));
        }
        // Range, encoding, where to continue.
        reader.string()?;
        reader.qualified_name()?;
        reader.string()?;
    }
    Ok(())
}

/// From when to when.
fn period(fields: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let mut text = Text::new(64);
    text.push("from ");
    time::write(fields.i64()?, &mut text);
    text.push(" to ");
    time::write(fields.i64()?, &mut text);
    said.detail.separate(" ");
    said.detail.push(text.as_str());
    Ok(())
}

/// The values of each node, as a list.
pub fn read_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(11)?;
    said.count(count);
    for _ in 0..count {
        said.result(Status(reader.u32()?));
        reader.string()?;
        let history = Extension::read(reader)?;
        let mut value = said.values.entry();
        if matches!(history.standard(), Some(HISTORY_DATA | HISTORY_MODIFIED_DATA)) {
            values(&mut history.fields(), &mut value)?;
        }
        said.values.push(value);
    }
    diagnostics::skip_array(reader)
}

fn values(reader: &mut Reader<'_>, out: &mut Text) -> Read<()> {
    out.push("[");
    for number in 0..reader.count(1)? {
        if number > 0 {
            out.push(", ");
        }
        data_value(reader, out)?;
    }
    out.push("]");
    Ok(())
}

pub fn update_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(3)?;
    said.count(count);
    for _ in 0..count {
        let details = Extension::read(reader)?;
        let kind = details.standard();
        let word = match kind {
            Some(UPDATE_DATA) => "data",
            Some(UPDATE_STRUCTURE) => "structure",
            Some(UPDATE_EVENTS) => "events",
            Some(DELETE_RAW) => "delete raw",
            Some(DELETE_AT_TIME) => "delete at times",
            Some(DELETE_EVENTS) => "delete events",
            _ => continue,
        };
        let mut fields = details.fields();
        let node = NodeId::read(&mut fields)?;
        let word = match kind {
            Some(UPDATE_DATA | UPDATE_STRUCTURE | UPDATE_EVENTS) => {
                format!("{} {word}", performed(fields.u32()?))
            }
            _ => word.to_owned(),
        };
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&node));
            said.attributes.push_string(word);
        }
        let mut value = said.values.entry();
        match kind {
            Some(UPDATE_DATA | UPDATE_STRUCTURE) => values(&mut fields, &mut value)?,
            Some(DELETE_RAW) => {
                said.remark(if fields.bool()? { "deletes modified" } else { "deletes raw" });
                period(&mut fields, said)?;
            }
            _ => {}
        }
        said.values.push(value);
    }
    Ok(())
}

/// What is done with values or events (OPC 10000-11, 6.8.2 and 6.8.3).
fn performed(kind: u32) -> &'static str {
    match kind {
        1 => "insert",
        2 => "replace",
        3 => "update",
        4 => "remove",
        _ => "change",
    }
}

pub fn update_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(12)?;
    said.count(count);
    for _ in 0..count {
        let status = Status(reader.u32()?);
        let mut worst = status;
        for _ in 0..reader.count(4)? {
            let operation = Status(reader.u32()?);
            if operation.is_bad() && !worst.is_bad() {
                worst = operation;
            }
        }
        said.result(worst);
        diagnostics::skip_array(reader)?;
    }
    diagnostics::skip_array(reader)
}
