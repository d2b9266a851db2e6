//! OPC UA binary (opc.tcp): two streams in, transactions out (OPC 10000-6, clauses 5, 6.7 and 7; OPC 10000-4).
//!
//! The OPC UA client is who asks, also where the server has opened the TCP connection (reverse connect, OPC
//! 10000-6, 7.1.3). What is encrypted is never read as if it were data.

mod assembly;
mod body;
mod certificate;
mod channel;
mod connect;
mod connection;
mod diagnostics;
mod framing;
mod header;
mod known;
mod message;
mod node_id;
mod pairing;
mod reader;
mod recognise;
mod row;
mod said;
mod secured;
mod service;
mod session;
mod status;
mod text;
mod time;
mod variant;
mod websocket;

pub use channel::SecurityMode;
pub use message::MessageType;
pub use service::UaService;
pub use session::{Secret, UserKind};
pub use websocket::OVER_WEBSOCKET;

use assembly::Assembly;
use framing::{Event, Framing, Header, Kind};
use known::Known;
use message::Message;
use pairing::Pairing;
use row::Connection;
use session::Sessions;

use super::{Output, Parser, Progress, Protocol, Role, Transport};
use crate::anomaly::{AnomalyKind, At};
use crate::words::{Carrier, Confidence, Layer, Outcome, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::OpcUa,
    layer: Layer::OpcUa,
    transport: Transport::Tcp,
    ports: &[4840],
    recognise: recognise::recognise,
    parser: Some(|confidence| Box::new(start(Carrier::Tcp, confidence))),
};

fn start(carrier: Carrier, confidence: Confidence) -> OpcUa {
    OpcUa { connection: Connection { carrier, confidence, ..Connection::default() }, ..OpcUa::default() }
}

/// One flow's OPC UA.
#[derive(Default)]
struct OpcUa {
    streams: [Framing; 2],
    assemblies: [Assembly; 2],
    connection: Connection,
    /// It is known which side asks.
    settled: bool,
    wrong: bool,
    /// That side sent a header that is none.
    unreadable: [bool; 2],
    /// That side sent at least one chunk.
    heard: [bool; 2],
    last_frame: u64,
    in_frame: u32,
    /// The next chunk of that side stands behind a gap, or where the flow was joined.
    behind_gap: [bool; 2],
    /// Bytes of that side are missing before the next message.
    after_gap: [bool; 2],
    /// The first request behind the last gap: responses to earlier ones are no wonder.
    asked_from: Option<u32>,
    /// Requests may be missing.
    unseen_requests: bool,
    hello: Option<Box<Message>>,
    opening: Option<Box<Message>>,
    pairing: Pairing,
    sessions: Sessions,
    known: Known,
    /// Bytes that this flow has in the count of all flows, and nodes without room that were counted.
    accounted: u64,
    not_kept: u64,
}

impl Parser for OpcUa {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let side = from.index();
        let mut framing = std::mem::take(&mut self.streams[side]);
        let skipped = framing.skipped_bytes;
        let most = usize::try_from(out.limits.opcua_message_bytes).unwrap_or(usize::MAX);
        let mut rest = bytes;
        while !self.wrong {
            match framing.next(&mut rest, self.connection.channel.id, most) {
                Some(Event::Chunk(header, chunk)) => self.chunk(from, header, chunk, at, out),
                Some(Event::Unreadable(bytes)) => self.unreadable(from, bytes, at, out),
                None => break,
            }
        }
        out.counts.opcua_skipped_bytes += framing.skipped_bytes - skipped;
        self.streams[side] = framing;
        self.keep_within_limits(at, out);
    }

    fn gap(&mut self, from: Role, length: u64) {
        let side = from.index();
        if length > 0 {
            self.after_gap[side] = true;
            self.connection.gaps += 1;
        }
        if !self.streams[side].gap(length) {
            self.lose_messages(from);
        }
    }

    fn unseen(&mut self, from: Role) {
        self.after_gap[from.other().index()] = true;
        self.miss_requests(from);
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        self.pairing.expire(now, &self.connection, out);
        self.account(out);
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        for message in [self.hello.take(), self.opening.take()].into_iter().flatten() {
            let pending = capture_ended && !pairing::is_overdue(&message, now, out);
            let outcome = if pending { Outcome::Pending } else { Outcome::Unanswered };
            row::write(&self.connection, Some(&message), None, outcome, out);
        }
        self.pairing.end(now, capture_ended, &self.connection, out);
        self.streams = Default::default();
        self.assemblies = Default::default();
        self.known = Known::default();
        self.account(out);
    }

    fn confidence(&self) -> Confidence {
        self.connection.confidence
    }

    fn glance(&self) -> u64 {
        let [asked, told] = &self.streams;
        let streams = asked.skipped_bytes ^ told.skipped_bytes;
        let said = self.pairing.waiting() as u64 ^ self.connection.gaps ^ self.accounted;
        self.last_frame ^ streams ^ said ^ u64::from(self.heard[0])
    }

    fn progress(&self) -> Progress {
        if self.wrong { Progress::Wrong } else { Progress::Reading }
    }
}

impl OpcUa {
    /// Chunks of that side are missing: nobody knows how many, and of which messages.
    pub fn lose_messages(&mut self, from: Role) {
        let side = from.index();
        self.assemblies[side].clear();
        self.behind_gap[side] = true;
        self.connection.channel.sequences[side].forget();
        self.miss_requests(from);
    }

    /// Requests among what is missing of that side: responses to them are no wonder.
    fn miss_requests(&mut self, from: Role) {
        if from == self.connection.asker || !self.settled {
            self.asked_from = None;
            self.unseen_requests = true;
        }
    }

    /// A header that is none. Where nothing at all could be read yet, the name was wrong.
    fn unreadable(&mut self, from: Role, bytes: [u8; framing::HEADER], at: At, out: &mut Output<'_>) {
        let side = from.index();
        self.lose_messages(from);
        if self.connection.confidence == Confidence::None {
            self.wrong = true;
            return;
        }
        self.unreadable[side] = true;
        if self.heard == [false; 2] && self.unreadable == [true; 2] {
            self.wrong = true;
        }
        out.anomaly(AnomalyKind::Unreadable, at, &|| {
            let mut text = text::Text::new(64);
            text.push_bytes(&bytes);
            format!("no header of OPC UA (OPC 10000-6, 7.1.2.2): {}", text.into_string())
        });
    }

    fn chunk(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) {
        self.heard[from.index()] = true;
        if self.last_frame == at.frame {
            self.in_frame += 1;
            out.counts.opcua_frames_multi_pdu += u64::from(self.in_frame == 2);
        } else {
            self.last_frame = at.frame;
            self.in_frame = 1;
        }
        let knows = match header.kind {
            Kind::Hello | Kind::Acknowledge | Kind::ReverseHello => Confidence::Handshake,
            _ => Confidence::Structure,
        };
        self.connection.confidence = self.connection.confidence.max(knows);
        match header.kind {
            Kind::Hello => self.hello(from, header, chunk, at, out),
            Kind::Acknowledge => self.acknowledge(from, header, chunk, at, out),
            Kind::Error => self.error(from, header, chunk, at, out),
            Kind::ReverseHello => self.reverse_hello(from, header, chunk, at, out),
            Kind::Open => self.open(from, header, chunk, at, out),
            Kind::Close | Kind::Message => self.secured(from, header, chunk, at, out),
        }
    }

    /// A message without chunks, its gap taken over.
    fn message(&mut self, from: Role, header: Header, chunk: &[u8], at: At, out: &mut Output<'_>) -> Message {
        let side = from.index();
        self.behind_gap[side] = false;
        let after_gap = std::mem::take(&mut self.after_gap[side]);
        out.counts.opcua_messages += 1;
        let mut message = Message::new(header.kind, at, u64::from(header.size), after_gap);
        message.gaps = self.connection.gaps;
        message.cut = header.is_cut(chunk);
        message
    }

    /// It has shown which side asks.
    fn settle(&mut self, asker: Role) {
        self.connection.asker = asker;
        self.settled = true;
    }

    /// What this flow keeps, in bytes.
    fn held(&self) -> u64 {
        let streams: usize = self.streams.iter().map(Framing::held).sum();
        let assemblies: usize = self.assemblies.iter().map(Assembly::held).sum();
        (streams + assemblies + self.pairing.held() + self.known.held()) as u64
    }

    fn account(&mut self, out: &mut Output<'_>) -> u64 {
        let held = self.held();
        let others = out.counts.opcua_held_bytes.saturating_sub(self.accounted);
        out.counts.opcua_held_bytes = others + held;
        self.accounted = held;
        out.counts.opcua_given_up += self.known.not_kept - self.not_kept;
        self.not_kept = self.known.not_kept;
        others
    }

    /// Gives up what there is no room for: watched nodes, then the oldest requests, then messages in the making.
    fn keep_within_limits(&mut self, at: At, out: &mut Output<'_>) {
        let others = self.account(out);
        let room = out.limits.opcua_bytes.saturating_sub(others).min(out.limits.opcua_bytes_per_flow);
        if self.accounted <= room {
            return;
        }
        out.anomaly(AnomalyKind::MessageLimit, at, &|| {
            format!(
                "{room} bytes may be kept of this flow: watched nodes, requests or messages were given up"
            )
        });
        out.counts.opcua_given_up += self.known.clear();
        while self.held() > room && self.pairing.give_up_oldest(&self.connection, out) {
            out.counts.evicted_requests += 1;
        }
        if self.held() > room {
            self.assemblies.iter_mut().for_each(Assembly::cut);
            out.counts.opcua_given_up += 1;
        }
        self.account(out);
    }
}
