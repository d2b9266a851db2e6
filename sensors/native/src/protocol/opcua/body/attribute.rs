//! Read and Write (OPC 10000-4, 5.11).

use super::super::diagnostics;
use super::super::known::Known;
use super::super::node_id::NodeId;
use super::super::reader::{Read, Reader};
use super::super::said::Said;
use super::super::service::attribute;
use super::super::variant::data_value;
use super::inventory;

/// The fewest bytes of a node, an attribute, a range and an encoding.
const VALUE_ID: usize = 16;

/// The fewest bytes of a node, an attribute, a range and a value.
const WRITE_VALUE: usize = 11;

pub fn read_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    // Maximum age, timestamps to return.
    reader.f64()?;
    reader.u32()?;
    let count = reader.count(VALUE_ID)?;
    said.count(count);
    for _ in 0..count {
        let (node, attribute, range) = node_attribute_range(reader)?;
        push(&node, attribute, range, known, said);
        reader.qualified_name()?;
    }
    Ok(())
}

pub fn write_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(WRITE_VALUE)?;
    said.count(count);
    for _ in 0..count {
        let (node, attribute, range) = node_attribute_range(reader)?;
        push(&node, attribute, range, known, said);
        let mut value = said.values.entry();
        data_value(reader, &mut value)?;
        said.values.push(value);
    }
    Ok(())
}

/// A node, the number of its attribute, and the range of it that is meant.
pub fn node_attribute_range<'a>(reader: &mut Reader<'a>) -> Read<(NodeId<'a>, u32, Option<&'a [u8]>)> {
    Ok((NodeId::read(reader)?, reader.u32()?, reader.string()?))
}

/// Appends a node and its attribute, `Value[0:3]` where a range of it is meant.
fn push(node: &NodeId<'_>, number: u32, range: Option<&[u8]>, known: &Known, said: &mut Said) {
    if said.nodes.has_room() {
        said.nodes.push_string(known.node(node));
    }
    if said.attributes.has_room() {
        let mut text = said.attributes.entry();
        text.push(&attribute(number));
        if let Some(range) = range.filter(|range| !range.is_empty()) {
            text.push("[");
            text.push_bytes(range);
            text.push("]");
        }
        said.attributes.push(text);
    }
}

pub fn read_response(reader: &mut Reader<'_>, asked: Option<&Said>, said: &mut Said) -> Read<()> {
    let count = reader.count(1)?;
    said.count(count);
    for number in 0..count {
        let node = asked.and_then(|asked| asked.nodes.items().get(number));
        if let Some(node) = node {
            inventory::read(node, reader.clone(), said);
        }
        let mut value = said.values.entry();
        let read = data_value(reader, &mut value)?;
        said.values.push(value);
        said.result(read.status);
    }
    diagnostics::skip_array(reader)
}
