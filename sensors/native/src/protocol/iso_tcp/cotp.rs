//! Transport protocol data units of class 0 (ISO 8073, 13), in their TPKT.

use std::fmt::Write as _;

use crate::protocol::Role;
use crate::protocol::operation::{Reader, hex, printable};
use crate::words::Service;

/// One TPDU.
#[derive(Debug)]
pub enum Tpdu<'a> {
    ConnectRequest(Selectors<'a>),
    ConnectConfirm(Selectors<'a>),
    Disconnect { reason: u8 },
    Error,
    Data { last: bool, body: &'a [u8] },
}

/// Transport selectors: who calls whom behind the address.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selectors<'a> {
    calling: &'a [u8],
    called: &'a [u8],
}

/// Reads a TPDU behind its TPKT header; `None` where it is shorter than its fields.
pub fn read(message: &[u8]) -> Option<Tpdu<'_>> {
    let mut reader = Reader(message.get(4..)?);
    let header = usize::from(reader.u8()?);
    let mut fields = Reader(reader.up_to(header));
    let tpdu = match fields.u8()? {
        0xf0 => Tpdu::Data { last: fields.u8()? & 0x80 != 0, body: reader.0 },
        code @ 0xd0..=0xef => {
            // Destination and source reference, class.
            fields.skip(5)?;
            let selectors = selectors(fields)?;
            if code >= 0xe0 { Tpdu::ConnectRequest(selectors) } else { Tpdu::ConnectConfirm(selectors) }
        }
        0x80 => {
            fields.skip(4)?;
            Tpdu::Disconnect { reason: fields.u8()? }
        }
        _ => Tpdu::Error,
    };
    Some(tpdu)
}

/// The selectors among the parameters (13.3.4); `None` where a parameter does not fit.
fn selectors(mut parameters: Reader<'_>) -> Option<Selectors<'_>> {
    let mut found = Selectors::default();
    while !parameters.is_empty() {
        let code = parameters.u8()?;
        let length = usize::from(parameters.u8()?);
        let value = parameters.take(length)?;
        match code {
            0xc1 => found.calling = value,
            0xc2 => found.called = value,
            _ => {}
        }
    }
    Some(found)
}

impl Selectors<'_> {
    pub fn are_there(&self) -> bool {
        !self.calling.is_empty() && !self.called.is_empty()
    }

    /// What they say of what is carried.
    pub fn service(&self) -> Option<Service> {
        match self.called {
            called if called.starts_with(b"SIMATIC-ROOT") => Some(Service::S7commPlus),
            // Connection resource 1 to 3 of an S7 controller, then rack and slot.
            [1..=3, _] => Some(Service::S7comm),
            _ => None,
        }
    }

    /// Both as text, in the order of asking.
    pub fn text(&self) -> String {
        format!("TSAP {} to {}", selector(self.calling), selector(self.called))
    }

    /// What the flow's client and server are called, where `opener` opened the transport connection.
    pub fn stations(&self, opener: Role) -> [String; 2] {
        let calling = selector(self.calling);
        let mut called = selector(self.called);
        if let [1..=3, place] = self.called {
            called.clear();
            let _ = write!(called, "rack {} slot {}", place >> 5, place & 0x1f);
        }
        if opener == Role::Client { [calling, called] } else { [called, calling] }
    }
}

fn selector(bytes: &[u8]) -> String {
    let is_text = bytes.len() > 2 && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'));
    if is_text { printable(bytes) } else { hex(bytes) }
}
