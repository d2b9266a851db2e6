//! Modbus: two streams in, transactions out (Messaging on TCP/IP V1.0b; over Serial Line V1.02).

mod detail;
mod early;
mod exchange;
mod framing;
mod identity;
mod pairing;
mod pdu;
mod pending;
mod rtu;
mod share;
mod stream;
mod waiting;

use exchange::Exchange;
pub use share::WaitingRequests;
use stream::Stream;

use super::{Output, Parser, Progress, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, ModbusFraming, Service};

const PORT: u16 = 502;

/// With the header of Modbus/TCP.
pub const PROTOCOL: Protocol = Protocol {
    service: Service::Modbus,
    layer: Layer::Modbus,
    transport: Transport::Tcp,
    ports: &[PORT],
    recognise,
    parser: Some(|confidence| start(ModbusFraming::Tcp, confidence)),
};

/// The same header, a datagram or more of units each.
pub const OVER_UDP: Protocol = Protocol {
    transport: Transport::Udp,
    recognise: recognise_datagram,
    parser: Some(|confidence| start(ModbusFraming::Udp, confidence)),
    ..PROTOCOL
};

/// Serial units in a TCP stream, as gateways send them.
pub const RTU: Protocol = Protocol {
    service: Service::ModbusRtu,
    recognise: recognise_rtu,
    parser: Some(|confidence| start(ModbusFraming::RtuOverTcp, confidence)),
    ..PROTOCOL
};

/// Serial units in datagrams.
pub const RTU_OVER_UDP: Protocol = Protocol {
    transport: Transport::Udp,
    recognise: recognise_serial_datagram,
    parser: Some(|confidence| start(ModbusFraming::RtuOverUdp, confidence)),
    ..RTU
};

/// Messages that may be held back while it is not yet sure that this is Modbus.
const UNCONFIRMED_LIMIT: usize = 64;

/// RTU units of one side that are sure without the other side: each checksum is right by chance once in 65,536.
const SURE_UNITS: u8 = 4;

/// A poll, or a write of one value: the one unit that is whole in both ways by its length.
const LONGEST_AMBIGUOUS: usize = 8;

fn speaker(request: bool, response: bool) -> Option<Role> {
    match (request, response) {
        (true, false) => Some(Role::Client),
        (false, true) => Some(Role::Server),
        _ => None,
    }
}

/// What serial units there would be, where their checksums fit.
struct Serial {
    request: bool,
    response: bool,
    /// The bytes are whole units of Modbus/TCP as well: a poll of two registers from address 0 on has protocol
    /// identifier 0 and its own length where the header would have them.
    framed: bool,
}

fn serial(payload: &[u8]) -> Option<Serial> {
    let request = rtu::are_units(payload, Role::Client);
    let response = rtu::are_units(payload, Role::Server);
    (request || response).then(|| Serial { request, response, framed: framing::are_framed(payload) })
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    // What may be either waits for what comes next: a checksum fits by chance once in 65,536.
    if serial(payload).is_some_and(|serial| serial.framed) {
        return None;
    }
    let request = framing::are_units(payload, Role::Client);
    let response = framing::are_units(payload, Role::Server);
    let confidence = if on_port { Confidence::Port } else { Confidence::None };
    (request || response || on_port).then(|| Recognised { confidence, speaker: speaker(request, response) })
}

/// A datagram is whole: one that has no units in it is something else, port or not.
fn recognise_datagram(payload: &[u8], on_port: bool) -> Option<Recognised> {
    (framing::are_framed(payload)).then(|| recognise(payload, on_port)).flatten()
}

/// In a stream, one unit that may be Modbus/TCP's as well is not enough: another one, or the answer, has to tell.
fn recognise_rtu(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let serial = serial(payload).filter(|serial| !serial.framed || payload.len() > LONGEST_AMBIGUOUS)?;
    Some(serial.recognised())
}

/// A datagram is not kept for later: where the checksum fits, it is serial.
fn recognise_serial_datagram(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    Some(serial(payload)?.recognised())
}

impl Serial {
    fn recognised(&self) -> Recognised {
        Recognised { confidence: Confidence::None, speaker: speaker(self.request, self.response) }
    }
}

fn start(framing: ModbusFraming, confidence: Confidence) -> Box<dyn Parser> {
    Box::new(Modbus {
        exchange: Exchange::new(framing, confidence),
        streams: [Stream::new(framing, Role::Client), Stream::new(framing, Role::Server)],
    })
}

/// One flow's Modbus. What its streams complete goes straight to the exchange, which is apart from them.
///
/// It begins with a cache line: two hold it, wherever the allocator puts it.
#[repr(C, align(64))]
struct Modbus {
    exchange: Exchange,
    streams: [Stream; 2],
}

impl Parser for Modbus {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let Self { exchange, streams } = self;
        if exchange.is_wrong() {
            return;
        }
        let stream = &mut streams[from.index()];
        if exchange.framing().is_datagrams() {
            stream.start_afresh();
        }
        stream.feed(bytes, |event| exchange.take(event, from, at, out));
        out.counts.modbus_skipped_bytes += stream.take_skipped();
    }

    fn gap(&mut self, from: Role, length: u64) {
        self.streams[from.index()].lose_step();
        self.exchange.gap(from, length);
    }

    fn unseen(&mut self, from: Role) {
        self.exchange.unseen(from);
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        self.exchange.expire(now, out);
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.exchange.end(now, capture_ended, out);
    }

    fn confidence(&self) -> Confidence {
        self.exchange.confidence()
    }

    fn glance(&self) -> u64 {
        self.exchange.glance()
    }

    fn progress(&self) -> Progress {
        if self.exchange.is_wrong() { Progress::Wrong } else { Progress::Reading }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polled_flow_costs_little() {
        assert_eq!((size_of::<Modbus>(), align_of::<Modbus>()), (2 * 64, 64));
    }
}
