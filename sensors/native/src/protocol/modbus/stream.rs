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
    pub fn is_datagrams(self) -> bool {
        matches!(self, ModbusFraming::Udp | ModbusFraming::RtuOverUdp)
    }
}

/// Bytes in, units out.
#[derive(Debug)]
pub enum Stream {
    Header(Framing),
    /// On the heap: few flows are RTU's, and the others should not have to hold its state.
    Rtu(Box<rtu::Framing>),
}

impl Stream {
    pub fn new(framing: ModbusFraming, from: Role) -> Self {
        if framing.is_rtu() {
            Stream::Rtu(Box::new(rtu::Framing::new(from)))
        } else {
            Stream::Header(Framing::new(from))
        }
    }

    /// Takes bytes; `each` is called with all that they complete.
    #[inline]
    pub fn feed(&mut self, bytes: &[u8], each: impl FnMut(Event<'_>)) {
        match self {
            Stream::Header(framing) => framing.feed(bytes, each),
            Stream::Rtu(framing) => framing.feed(bytes, each),
        }
    }

    /// Bytes are missing, or the stream was joined in its middle.
    pub fn lose_step(&mut self) {
        match self {
            Stream::Header(framing) => framing.lose_step(),
            Stream::Rtu(framing) => framing.lose_step(),
        }
    }

    /// The next bytes start a unit, whatever came before: datagrams do.
    pub fn start_afresh(&mut self) {
        match self {
            Stream::Header(framing) => framing.start_afresh(),
            Stream::Rtu(framing) => framing.start_afresh(),
        }
    }

    /// Bytes that no unit was found in, since the last call.
    #[inline]
    pub fn take_skipped(&mut self) -> u64 {
        let skipped = match self {
            Stream::Header(framing) => &mut framing.skipped_bytes,
            Stream::Rtu(framing) => &mut framing.skipped_bytes,
        };
        u64::from(std::mem::take(skipped))
    }
}
