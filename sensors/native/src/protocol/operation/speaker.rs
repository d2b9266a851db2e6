//! A flow's parser, made of a protocol's dialect: what all of them do alike.

use super::exchange::Exchange;
use super::framing::{Event, Framing, Judge};
use super::{Head, Message};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Output, Parser, Progress, Role};
use crate::words::{Confidence, Service};

/// What one protocol makes of its messages.
pub trait Dialect: Send + Sync {
    /// What an answer has in common with its request.
    type Key: PartialEq + Send + Sync;
    /// Finds the protocol's headers.
    const JUDGE: Judge;
    const SERVICE: Service;

    /// Reads a message; `None` where its fields do not fit into it.
    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Self::Key>,
        out: &mut Output<'_>,
    ) -> Option<()>;

    /// Bytes of a side are missing.
    fn gap(&mut self, _from: Role) {}

    /// The flow is over.
    fn end(&mut self, _exchange: &mut Exchange<Self::Key>, _out: &mut Output<'_>) {}
}

/// Reads one flow.
pub struct Speaker<D: Dialect> {
    dialect: D,
    exchange: Exchange<D::Key>,
    /// The two streams; none where every datagram is read by itself.
    streams: Option<[Framing; 2]>,
    /// A header may have been missed for a reason that is known.
    excused: [bool; 2],
}

impl<D: Dialect + 'static> Speaker<D> {
    pub fn over_tcp(dialect: D, confidence: Confidence) -> Box<dyn Parser> {
        let streams = Some([Framing::new(D::JUDGE), Framing::new(D::JUDGE)]);
        let exchange = Exchange::new(D::SERVICE, confidence);
        Box::new(Self { dialect, exchange, streams, excused: [false; 2] })
    }

    pub fn over_udp(dialect: D, confidence: Confidence) -> Box<dyn Parser> {
        let exchange = Exchange::new(D::SERVICE, confidence);
        Box::new(Self { dialect, exchange, streams: None, excused: [false; 2] })
    }

    fn event(&mut self, from: Role, event: Event<'_>, at: At, out: &mut Output<'_>) {
        match event {
            Event::Message(message) => {
                self.excused[from.index()] = false;
                self.exchange.message_begins(at);
                let read = self.dialect.message(from, message, at, &mut self.exchange, out);
                if read.is_none() && !message.is_cut() {
                    out.anomaly(AnomalyKind::MalformedMessage, at, &|| {
                        format!("the fields of a message of {} bytes do not fit into it", message.length)
                    });
                }
                self.exchange.message_done(from);
            }
            Event::LostStep if self.excused[from.index()] => {}
            Event::LostStep => out.anomaly(AnomalyKind::LostStep, at, &|| {
                "no header where a message has to begin: reading goes on at the next one".into()
            }),
        }
    }

    /// A stream is cut into messages; a datagram has whole ones.
    fn read(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let Some(streams) = &mut self.streams else { return self.datagram(from, bytes, at, out) };
        // Taken out for the call, so that the messages can be written to everything else.
        let mut framing = std::mem::replace(&mut streams[from.index()], Framing::new(D::JUDGE));
        let mut cut = 0;
        let at_first = free(out);
        framing.feed(bytes, at_first, &mut cut, |event| {
            self.event(from, event, at, out);
            // Messages that come in parts are put together out of the same room.
            free(out)
        });
        out.counts.operation_messages_cut += cut;
        book(&mut framing, out);
        if let Some(streams) = &mut self.streams {
            streams[from.index()] = framing;
        }
    }

    /// A datagram has whole messages, one behind the other.
    fn datagram(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let Head::Message(length) = (D::JUDGE)(rest, true) else {
                return self.event(from, Event::LostStep, at, out);
            };
            let (bytes, after) = rest.split_at(length.clamp(1, rest.len()));
            self.event(from, Event::Message(Message { bytes, length }), at, out);
            rest = after;
        }
    }
}

/// Bytes that may be kept still.
fn free(out: &Output<'_>) -> u64 {
    out.limits.operation_bytes.saturating_sub(out.counts.operation_bytes_kept)
}

/// What a stream keeps is booked in what all flows keep.
fn book(framing: &mut Framing, out: &mut Output<'_>) {
    let (before, now) = framing.book();
    let kept = out.counts.operation_bytes_kept;
    out.counts.operation_bytes_kept = kept.saturating_sub(before).saturating_add(now);
}

impl<D: Dialect + 'static> Parser for Speaker<D> {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let cut_before = out.counts.operation_messages_cut;
        self.read(from, bytes, at, out);
        if out.counts.operation_messages_cut > cut_before {
            out.anomaly(AnomalyKind::MessageCut, at, &|| {
                "no room for the end of a message: operation_bytes are kept already".into()
            });
        }
    }

    fn gap(&mut self, from: Role, length: u64) {
        if let Some(streams) = &mut self.streams {
            streams[from.index()].lose_step();
        }
        self.excused[from.index()] = true;
        self.dialect.gap(from);
        self.exchange.unseen(from);
        if length > 0 {
            self.exchange.gap(from);
        }
    }

    fn unseen(&mut self, from: Role) {
        self.exchange.unseen(from);
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        self.exchange.expire(now, out);
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.dialect.end(&mut self.exchange, out);
        self.exchange.end(now, capture_ended, out);
        for framing in self.streams.iter_mut().flatten() {
            framing.lose_step();
            book(framing, out);
        }
    }

    fn confidence(&self) -> Confidence {
        self.exchange.confidence
    }

    fn progress(&self) -> Progress {
        Progress::Reading
    }

    fn service(&self) -> Option<Service> {
        Some(self.exchange.service)
    }
}
