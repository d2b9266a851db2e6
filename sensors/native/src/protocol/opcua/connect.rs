//! The messages that open and end a connection (OPC 10000-6, 7.1.2.3 to 7.1.2.6).

use super::reader::{Read, Reader};
use super::said::Said;
use super::status::Status;
use super::text::TEXT_LIMIT;

/// HEL: what the client can take, and which endpoint it wants.
pub fn hello(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    buffers(reader, said)?;
    said.endpoint_url = reader.text(TEXT_LIMIT)?;
    Ok(())
}

/// ACK: what the server can take.
pub fn acknowledge(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    buffers(reader, said)
}

fn buffers(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let [version, receive, send, message, chunks] =
        [reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?, reader.u32()?];
    said.remark(&format!(
        "version {version}, receives {receive}, sends {send}, message {message}, chunks {chunks}"
    ));
    Ok(())
}

/// ERR, and the body of an aborted message (6.7.3): why.
pub fn error(reader: &mut Reader<'_>, said: &mut Said) -> Read<Status> {
    let status = Status(reader.u32()?);
    let reason = reader.text(TEXT_LIMIT)?;
    if !reason.is_empty() {
        said.remark(&reason);
    }
    Ok(status)
}

/// RHE: which server asks to be connected to, and at which endpoint.
pub fn reverse_hello(reader: &mut Reader<'_>, said: &mut Said) -> Read<()> {
    let server = reader.text(TEXT_LIMIT)?;
    said.remark(&format!("server {server}"));
    said.endpoint_url = reader.text(TEXT_LIMIT)?;
    Ok(())
}
