//! Browse, BrowseNext, TranslateBrowsePathsToNodeIds, RegisterNodes (OPC 10000-4, 5.9).

use super::super::diagnostics;
use super::super::known::Known;
use super::super::node_id::{ExpandedNodeId, NodeId};
use super::super::reader::{Read, Reader, write_qualified};
use super::super::said::{Effect, Said};
use super::super::status::Status;

/// Registered nodes of one call that are followed.
const REGISTERED_KEPT: usize = 1_024;

pub fn browse_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let view = NodeId::read(reader)?;
    if !view.is_null() {
        said.remark(&format!("view {}", view.text()));
    }
    // Time and version of the view, references a node at most.
    reader.bytes(16)?;
    let count = reader.count(17)?;
    said.count(count);
    for _ in 0..count {
        let node = NodeId::read(reader)?;
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&node));
        }
        // Direction, reference type, subtypes too, node classes, what to return.
        reader.u32()?;
        NodeId::read(reader)?;
        reader.bytes(9)?;
    }
    Ok(())
}

pub fn browse_next_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    if reader.bool()? {
        said.remark("release");
    }
    let count = reader.count(4)?;
    said.count(count);
    for _ in 0..count {
        reader.string()?;
    }
    Ok(())
}

/// The references found, as `node name`.
pub fn browse_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(12)?;
    said.count(count);
    let mut references = 0;
    for _ in 0..count {
        said.result(Status(reader.u32()?));
        if reader.string()?.is_some_and(|point| !point.is_empty()) {
            said.remark("continued");
        }
        for _ in 0..reader.count(15)? {
            references += 1;
            NodeId::read(reader)?;
            reader.bool()?;
            let node = ExpandedNodeId::read(reader)?;
            let name = reader.qualified_name()?;
            if said.values.has_room() {
                let mut value = said.values.entry();
                node.write(&mut value);
                value.push(" ");
                write_qualified(name, &mut value);
                said.values.push(value);
            }
            reader.localized_text()?;
            reader.u32()?;
            ExpandedNodeId::read(reader)?;
        }
    }
    said.remark(&format!("{references} references"));
    diagnostics::skip_array(reader)
}

/// Starting nodes, and the paths from them as relative paths' text (OPC 10000-4, A.2).
pub fn translate_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(6)?;
    said.count(count);
    for _ in 0..count {
        let node = NodeId::read(reader)?;
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&node));
        }
        let mut path = said.attributes.entry();
        for _ in 0..reader.count(10)? {
            NodeId::read(reader)?;
            reader.u16()?;
            path.push("/");
            write_qualified(reader.qualified_name()?, &mut path);
        }
        said.attributes.push(path);
    }
    Ok(())
}

pub fn translate_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(8)?;
    said.count(count);
    for _ in 0..count {
        said.result(Status(reader.u32()?));
        let mut value = said.values.entry();
        for number in 0..reader.count(6)? {
            if number > 0 {
                value.push(", ");
            }
            ExpandedNodeId::read(reader)?.write(&mut value);
            reader.u32()?;
        }
        said.values.push(value);
    }
    diagnostics::skip_array(reader)
}

pub fn register_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let nodes = nodes(reader, said, |said, node| said.nodes.push_string(node))?;
    said.effect = Effect::Register(nodes);
    Ok(())
}

pub fn register_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let nodes = nodes(reader, said, |said, node| said.values.push_string(node))?;
    said.effect = Effect::Registered(nodes);
    Ok(())
}

pub fn unregister_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(2)?;
    said.count(count);
    for _ in 0..count {
        let node = NodeId::read(reader)?;
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&node));
        }
    }
    Ok(())
}

/// A list of nodes, the first of them also into the row.
fn nodes(reader: &mut Reader<'_>, said: &mut Said, push: fn(&mut Said, String)) -> Read<Vec<String>> {
    let count = reader.count(2)?;
    said.count(count);
    let mut kept = Vec::with_capacity(count.min(REGISTERED_KEPT));
    for _ in 0..count {
        let node = NodeId::read(reader)?;
        if kept.len() < REGISTERED_KEPT {
            let node = node.text();
            push(said, node.clone());
            kept.push(node);
        }
    }
    Ok(kept)
}
