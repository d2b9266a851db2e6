//! The headers of requests and responses (OPC 10000-4, 7.32 and 7.33).

use super::diagnostics;
use super::node_id::NodeId;
use super::reader::{Read, Reader};
use super::status::Status;
use super::text::Text;
use super::variant::Extension;

/// What a request says before its parameters.
#[derive(Debug)]
pub struct RequestHeader<'a> {
    /// The session's secret: it is hashed, never written.
    pub token: NodeId<'a>,
    pub handle: u32,
    /// Who asks, in the client's own words.
    pub audit_entry: &'a [u8],
}

impl<'a> RequestHeader<'a> {
    pub fn read(reader: &mut Reader<'a>) -> Read<Self> {
        let token = NodeId::read(reader)?;
        reader.i64()?;
        let handle = reader.u32()?;
        reader.u32()?;
        let audit_entry = reader.string()?.unwrap_or_default();
        // How long the client waits.
        reader.u32()?;
        Extension::read(reader)?;
        Ok(Self { token, handle, audit_entry })
    }
}

/// What a response says before its results.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHeader {
    pub handle: u32,
    pub result: Status,
}

impl ResponseHeader {
    /// What the server adds to a failure goes to `detail`.
    pub fn read(reader: &mut Reader<'_>, detail: &mut Text) -> Read<Self> {
        reader.i64()?;
        let handle = reader.u32()?;
        let result = Status(reader.u32()?);
        diagnostics::read(reader, detail)?;
        for _ in 0..reader.count(4)? {
            let text = reader.string()?.unwrap_or_default();
            if !text.is_empty() {
                detail.separate("; ");
                detail.push_bytes(text);
            }
        }
        Extension::read(reader)?;
        Ok(Self { handle, result })
    }
}
