//! Call (OPC 10000-4, 5.12).

use super::super::diagnostics;
use super::super::known::Known;
use super::super::node_id::NodeId;
use super::super::reader::{Read, Reader};
use super::super::said::Said;
use super::super::status::Status;
use super::super::text::Text;
use super::super::variant::variant;

pub fn request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(8)?;
    said.count(count);
    for _ in 0..count {
        let (object, method) = (NodeId::read(reader)?, NodeId::read(reader)?);
        if said.nodes.has_room() {
            said.nodes.push_string(known.node(&method));
        }
        if said.objects.has_room() {
            said.objects.push_string(known.node(&object));
        }
        let mut values = said.values.entry();
        arguments(reader, &mut values)?;
        said.values.push(values);
    }
    Ok(())
}

pub fn response(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let count = reader.count(16)?;
    said.count(count);
    for _ in 0..count {
        said.result(Status(reader.u32()?));
        for number in 0..reader.count(4)? {
            let status = Status(reader.u32()?);
            if status.is_bad() && !said.detail.is_full() {
                said.remark(&format!("argument {number}: {}", status.word()));
            }
        }
        diagnostics::skip_array(reader)?;
        let mut values = said.values.entry();
        arguments(reader, &mut values)?;
        said.values.push(values);
    }
    diagnostics::skip_array(reader)
}

/// Arguments of one call, in brackets.
fn arguments(reader: &mut Reader<'_>, out: &mut Text) -> Read<()> {
    out.push("[");
    for number in 0..reader.count(1)? {
        if number > 0 {
            out.push(", ");
        }
        variant(reader, out)?;
    }
    out.push("]");
    Ok(())
}
