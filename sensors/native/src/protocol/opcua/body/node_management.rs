//! AddNodes, DeleteNodes, AddReferences, DeleteReferences (OPC 10000-4, 5.8).

use super::super::diagnostics;
use super::super::known::Known;
use super::super::node_id::{ExpandedNodeId, NodeId};
use super::super::reader::{Read, Reader, write_qualified};
use super::super::said::Said;
use super::super::status::Status;
use super::super::text::Texts;
use super::super::variant::Extension;

pub fn add_nodes_request(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(21)?;
    said.count(count);
    for _ in 0..count {
        push_expanded(&ExpandedNodeId::read(reader)?, &mut said.objects);
        NodeId::read(reader)?;
        push_expanded(&ExpandedNodeId::read(reader)?, &mut said.nodes);
        let mut name = said.values.entry();
        write_qualified(reader.qualified_name()?, &mut name);
        said.values.push(name);
        // Node class, attributes, type.
        reader.u32()?;
        Extension::read(reader)?;
        ExpandedNodeId::read(reader)?;
    }
    Ok(())
}

/// The nodes that were added: servers may choose the identifier.
pub fn add_nodes_response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(6)?;
    said.count(count);
    for _ in 0..count {
        said.result(Status(reader.u32()?));
        let node = NodeId::read(reader)?;
        if said.values.has_room() {
            said.values.push_string(if node.is_null() { String::new() } else { node.text() });
        }
    }
    diagnostics::skip_array(reader)
}

pub fn delete_nodes_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(3)?;
    said.count(count);
    for _ in 0..count {
        let node = NodeId::read(reader)?;
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&node));
        }
        reader.bool()?;
    }
    Ok(())
}

pub fn add_references_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(15)?;
    said.count(count);
    for _ in 0..count {
        source(reader, known, said)?;
        reader.bool()?;
        reader.string()?;
        push_expanded(&ExpandedNodeId::read(reader)?, &mut said.nodes);
        reader.u32()?;
    }
    Ok(())
}

pub fn delete_references_request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(8)?;
    said.count(count);
    for _ in 0..count {
        source(reader, known, said)?;
        reader.bool()?;
        push_expanded(&ExpandedNodeId::read(reader)?, &mut said.nodes);
        reader.bool()?;
    }
    Ok(())
}

/// The node that a reference starts at, and the reference's type.
fn source(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let node = NodeId::read(reader)?;
    if said.objects.has_room() {
        said.objects.push_string(known.node(&node));
    }
    NodeId::read(reader)?;
    Ok(())
}

fn push_expanded(node: &ExpandedNodeId<'_>, list: &mut Texts) {
    if list.has_room() {
        let mut text = list.entry();
        node.write(&mut text);
        list.push(text);
    }
}
