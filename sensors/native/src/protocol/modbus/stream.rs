//! One side's stream, framed one way or the other.

use super::framing::{Event, Framing};
use super::rtu;
use crate::protocol::Role;
use crate::words::ModbusFraming;

impl ModbusFraming {
    /// True for units with a checksum and no header.
    #[inline]
    pub fn is_rtu(self) -> bool {
        matches!(self, ModbusFraming::RtuOverTcp | ModbusFraming::RtuOverUdp)
    }

    /// True where every payload starts a unit.
    #[inline]
    fn is_datagrams(self) -> bool {
        matches!(self, ModbusFraming::Udp | ModbusFraming::RtuOverUdp)
    }
}

/// Bytes in, units out.
#[derive(Debug)]
pub enum Stream {
    Header { framing: Framing, datagrams: bool },
    Rtu { framing: rtu::Framing, datagrams: bool },
}

impl Stream {
    pub fn new(framing: ModbusFraming, from: Role) -> Self {
        let datagrams = framing.is_datagrams();
        if framing.is_rtu() {
            Stream::Rtu { framing: rtu::Framing::new(from), datagrams }
        } else {
            Stream::Header { framing: Framing::new(from), datagrams }
        }
    }

    /// Takes bytes; `each` is called with all that they complete.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8], each: impl FnMut(Event<'_>)) {
        match self {
            Stream::Header { framing, datagrams } => {
                if *datagrams {
                    framing.start_afresh();
                }
                framing.feed(bytes, each);
            }
            Stream::Rtu { framing, datagrams } => {
                if *datagrams {
                    framing.start_afresh();
                }
                framing.feed(bytes, each);
            }
        }
    }

    /// Bytes are missing, or the stream was joined in its middle.
    pub fn lose_step(&mut self) {
        match self {
            Stream::Header { framing, .. } => framing.lose_step(),
            Stream::Rtu { framing, .. } => framing.lose_step(),
        }
    }

    #[inline]
    pub fn skipped_bytes(&self) -> u64 {
        match self {
            Stream::Header { framing, .. } => framing.skipped_bytes,
            Stream::Rtu { framing, .. } => framing.skipped_bytes,
        }
    }
}
