//! Call (OPC 10000-4, 5.12). Arguments of methods that pass passwords or keys are read over.

use super::super::diagnostics;
use super::super::known::Known;
use super::super::node_id::NodeId;
use super::super::reader::{Read, Reader};
use super::super::said::Said;
use super::super::status::Status;
use super::super::text::Text;
use super::super::variant::variant;

/// Standard methods whose arguments or results are secrets (numbers as in the specification's NodeIds): passwords of users
/// (OPC 10000-18, 5.2), private keys of certificates and credentials (OPC 10000-12, 7.10 and 8.5), group keys of PubSub
/// (OPC 10000-14, 8.3 and 8.4).
const SECRET: [&str; 16] = [
    // UpdateCertificate.
    "i=12616", "i=13737", "i=18533", "i=28005", // GetSecurityKeys, SetSecurityKeys.
    "i=15215", "i=15907", "i=17296", "i=17364", // UpdateCredential.
    "i=17519", "i=18006", // AddUser, ModifyUser, ChangePassword.
    "i=24269", "i=24304", "i=24271", "i=24306", "i=24275", "i=24310",
];

/// What is told of arguments that are not.
const WITHHELD: &str = "[secret]";

pub fn request(reader: &mut Reader<'_>, known: &Known, said: &mut Said) -> Read<()> {
    let count = reader.count(8)?;
    said.count(count);
    for _ in 0..count {
        let (object, method) = (NodeId::read(reader)?, NodeId::read(reader)?);
        let method = known.node(&method);
        let is_secret = SECRET.contains(&method.as_str());
        if said.nodes.has_room() {
            said.nodes.push_string(method);
        }
        if said.objects.has_room() {
            said.objects.push_string(known.node(&object));
        }
        arguments(reader, is_secret, said)?;
    }
    Ok(())
}

/// `asked` is the request: where it was not seen, nobody knows what the results are, and they are read over.
pub fn response(reader: &mut Reader<'_>, asked: Option<&Said>, said: &mut Said) -> Read<()> {
    let count = reader.count(16)?;
    said.count(count);
    for place in 0..count {
        said.result(Status(reader.u32()?));
        for number in 0..reader.count(4)? {
            let status = Status(reader.u32()?);
            if status.is_bad() && !said.detail.is_full() {
                said.remark(&format!("argument {number}: {}", status.word()));
            }
        }
        diagnostics::skip_array(reader)?;
        let method = asked.and_then(|asked| asked.nodes.items().get(place));
        arguments(reader, method.is_none_or(|method| SECRET.contains(&method.as_str())), said)?;
    }
    diagnostics::skip_array(reader)
}

/// Arguments of one call, in brackets.
fn arguments(reader: &mut Reader<'_>, is_secret: bool, said: &mut Said) -> Read<()> {
    if is_secret {
        listed(reader, &mut Text::nowhere())?;
        said.values.push_string(WITHHELD.to_owned());
        return Ok(());
    }
    let mut values = said.values.entry();
    listed(reader, &mut values)?;
    said.values.push(values);
    Ok(())
}

fn listed(reader: &mut Reader<'_>, out: &mut Text) -> Read<()> {
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
