//! MQTT 3.1, 3.1.1 and 5: two streams in, transactions out (OASIS MQTT 5.0 and 3.1.1; MQTT V3.1 of 2010), over TCP or
//! WebSocket, with Sparkplug B inside.
//!
//! Secrets end here: a password or authentication data is never copied, only that there was one is told.

mod exchanges;
mod framing;
mod inventory;
mod joined;
mod opening;
mod packets;
mod pairing;
mod payload;
mod plausible;
mod properties;
mod reader;
mod recognise;
mod row;
mod said;
mod session;
mod sparkplug;
mod words;

use framing::{Event, Framing, Packet};
use pairing::{Exchange, Pairing, Pending};
use plausible::Worth;
use row::{Answer, Row};
use said::Said;
use session::{Session, sender};

use super::websocket::{self, Carried, WebSocket};
use super::{Loss, Output, Parser, Progress, Protocol, Role, Transport};
use crate::anomaly::{AnomalyKind, At};
use crate::words::{Carrier, Confidence, Layer, Outcome, Service, Words};

pub use sparkplug::Names;
pub use words::{Direction, PacketType, PayloadKind, Reason, SparkplugType, Version};

/// What an upgrade to it looks like (MQTT 5.0, 6).
const CARRIED: Carried = Carried { subprotocol: b"mqtt", path: Some(b"/mqtt") };

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Mqtt,
    layer: Layer::Mqtt,
    transport: Transport::Tcp,
    ports: &[1883],
    recognise: recognise::recognise,
    parser: Some(start),
};

/// The same within WebSocket, where the upgrade to it was not seen.
pub const JOINED: Protocol = Protocol {
    service: Service::Mqtt,
    layer: Layer::Mqtt,
    transport: Transport::Tcp,
    ports: &[],
    recognise: |payload, _on_port| joined::recognise(payload),
    parser: Some(|confidence| Box::new(Mqtt { carrier: Carrier::WebSocket, ..Mqtt::new(confidence) })),
};

/// Transactions that may be held back while it is not yet sure that this is MQTT.
const UNCONFIRMED_LIMIT: usize = 64;

/// Packets with a name in them (a topic, filters) that chance does not make one after the other.
const NAMED_PACKETS: u8 = 4;

fn start(confidence: Confidence) -> Box<dyn Parser> {
    Box::new(Mqtt::new(confidence))
}

/// One flow's MQTT.
struct Mqtt {
    streams: [Framing; 2],
    websocket: Option<Box<WebSocket>>,
    /// Nothing was fed yet.
    fresh: bool,
    carrier: Carrier,
    /// `None` until its packets prove it, where the port does not speak for it.
    confidence: Confidence,
    progress: Progress,
    /// That side sent a fixed header that is none.
    unreadable: [bool; 2],
    /// That side sent a packet.
    heard: [bool; 2],
    /// The next packet of that side stands behind a gap.
    after_gap: [bool; 2],
    /// What is missing of that side is no fault of the peers.
    lost: [Loss; 2],
    named_packets: u8,
    session: Session,
    pairing: Pairing,
    sequences: sparkplug::Sequences,
    held_back: Vec<row::Kept>,
    /// Packets by type that are not counted yet.
    uncounted: [u32; PacketType::COUNT],
    last_frame: u64,
    in_frame: u32,
    /// Bytes of unfinished packets that are accounted for.
    held: u64,
}

impl Parser for Mqtt {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        if self.progress != Progress::Reading {
            return;
        }
        let is_first = std::mem::replace(&mut self.fresh, false);
        let upgrades =
            || websocket::begins_request(bytes) || from == Role::Server && bytes.first() == Some(&b'H');
        if is_first && (self.carrier == Carrier::WebSocket || upgrades()) {
            self.websocket = Some(Box::new(WebSocket::opening(&CARRIED, from, bytes)));
            self.carrier = Carrier::WebSocket;
        }
        match self.websocket.take() {
            None => self.stream(from, bytes, at, out),
            Some(mut socket) => {
                let fed = socket.feed(from, bytes, |clear| self.stream(from, clear, at, out));
                self.websocket = Some(socket);
                if let Err(refusal) = fed {
                    self.progress = refusal.told(at, out);
                }
            }
        }
        self.account(out);
    }

    fn gap(&mut self, from: Role, length: u64) {
        if length == 0 {
            self.lost[from.index()].note();
        }
        let inside = match &mut self.websocket {
            None => length,
            Some(socket) => match socket.gap(from, length) {
                // A control frame of WebSocket: MQTT misses nothing.
                Some(0) => return,
                Some(inside) => inside,
                None => length,
            },
        };
        if !self.streams[from.index()].gap(inside) && length > 0 {
            self.after_gap[from.index()] = true;
            self.lost[from.index()].note();
            self.pairing.mark_gap();
            self.sequences.forget();
        }
    }

    fn unseen(&mut self, from: Role) {
        self.after_gap[from.other().index()] = true;
        self.lost[from.index()].note();
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        if self.is_confirmed() {
            let mut pairing = std::mem::take(&mut self.pairing);
            pairing.expire(now, out, |pending, out| self.finish(pending, None, Outcome::Unanswered, out));
            self.pairing = pairing;
        }
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        let mut pairing = std::mem::take(&mut self.pairing);
        pairing.end(out, |pending, out| {
            let outcome = if capture_ended && !row::is_overdue(pending.at, now, out.limits) {
                Outcome::Pending
            } else {
                Outcome::Unanswered
            };
            if self.is_confirmed() {
                self.finish(pending, None, outcome, out);
            }
        });
        self.session.forget_aliases(out);
        self.streams = Default::default();
        self.websocket = None;
        self.account(out);
    }

    fn confidence(&self) -> Confidence {
        self.confidence
    }

    fn glance(&self) -> u64 {
        let [asked, told] = &self.streams;
        let streams = asked.skipped_bytes ^ told.skipped_bytes;
        let said = self.session.client_id.len() ^ self.pairing.waiting() ^ self.held_back.len();
        self.last_frame ^ streams ^ said as u64 ^ u64::from(self.heard[0]) ^ u64::from(self.uncounted[0])
    }

    fn progress(&self) -> Progress {
        self.progress
    }
}

impl Mqtt {
    fn new(confidence: Confidence) -> Self {
        Self {
            streams: Default::default(),
            websocket: None,
            fresh: true,
            carrier: Carrier::Tcp,
            confidence,
            progress: Progress::Reading,
            unreadable: [false; 2],
            heard: [false; 2],
            after_gap: [false; 2],
            lost: Default::default(),
            named_packets: 0,
            session: Session::default(),
            pairing: Pairing::default(),
            sequences: sparkplug::Sequences::default(),
            held_back: Vec::new(),
            uncounted: [0; PacketType::COUNT],
            last_frame: 0,
            in_frame: 0,
            held: 0,
        }
    }

    fn is_confirmed(&self) -> bool {
        self.confidence != Confidence::None
    }

    /// Bytes of MQTT.
    fn stream(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        let mut framing = std::mem::take(&mut self.streams[from.index()]);
        let skipped = framing.skipped_bytes;
        let room = out.limits.mqtt_held_bytes.saturating_sub(out.counts.mqtt_held_bytes);
        let most = out.limits.mqtt_packet_bytes.min(room) as usize;
        framing.feed(bytes, most, |event| match event {
            Event::Packet(packet) => self.packet(from, &packet, at, out),
            Event::Broken(why) => self.broken(from, why, at, out),
        });
        if self.is_confirmed() {
            out.counts.mqtt_skipped_bytes += framing.skipped_bytes - skipped;
        }
        self.streams[from.index()] = framing;
    }

    /// Tells how much the streams hold now.
    fn account(&mut self, out: &mut Output<'_>) {
        let inside = self.websocket.as_ref().map_or(0, |socket| socket.held());
        let held = (self.streams[0].held() + self.streams[1].held() + inside) as u64;
        if held != self.held {
            let all = &mut out.counts.mqtt_held_bytes;
            *all = all.saturating_sub(self.held).saturating_add(held);
            self.held = held;
        }
    }

    /// A fixed header that is none: on its port an anomaly, elsewhere another protocol. Where both sides send such and
    /// not one packet was read, the port is no evidence.
    #[cold]
    fn broken(&mut self, from: Role, why: &'static str, at: At, out: &mut Output<'_>) {
        if !self.is_confirmed() {
            self.progress = Progress::Wrong;
            return;
        }
        out.anomaly(AnomalyKind::MalformedMessage, at, &|| format!("fixed header: {why}"));
        self.unreadable[from.index()] = true;
        let read_any = self.heard != [false; 2];
        if self.confidence == Confidence::Port && !read_any && self.unreadable == [true; 2] {
            self.progress = Progress::Wrong;
        }
    }

    fn packet(&mut self, from: Role, packet: &Packet<'_>, at: At, out: &mut Output<'_>) {
        if self.progress != Progress::Reading {
            return;
        }
        let read = self.session.read(packet);
        if let (Err(why), false) = (&read, self.is_confirmed()) {
            // What was cut by a limit is not its fault; everything else makes it another protocol.
            if !why.is_empty() {
                self.progress = Progress::Wrong;
                return;
            }
        }
        self.count(packet, at, out);
        self.heard[from.index()] = true;
        self.lost.iter_mut().for_each(|lost| lost.pass(at));
        let after_gap = std::mem::take(&mut self.after_gap[from.index()]) || packet.holed;
        let body = match read {
            Ok(body) => body,
            Err(why) => return self.unread(from, packet, why, after_gap, at, out),
        };
        let mut said = said::said(packet, &body, from, &mut self.session, out);
        self.weigh(packet, out);
        if let Some((kind, why)) = said.flaw {
            self.anomaly(kind, at, out, &|| format!("{}: {why}", packet.kind.word()));
        }
        if sender(packet.kind).is_some_and(|sender| sender != from) {
            return self.reversed(from, said, after_gap, at, out);
        }
        inventory::tell(&said, from, at, out);
        use PacketType as P;
        match packet.kind {
            P::Publish => self.publish(from, said, after_gap, at, out),
            P::Subscribe => self.ask(Exchange::Subscribe, from, said, after_gap, at, out),
            P::Unsubscribe => self.ask(Exchange::Unsubscribe, from, said, after_gap, at, out),
            P::Connect | P::Pingreq => {
                let exchange = if packet.kind == P::Connect { Exchange::Connect } else { Exchange::Ping };
                let key = self.pairing.next_unnumbered(exchange, from);
                self.wait(key, said.into_owned(), after_gap, at, out);
            }
            P::Puback | P::Suback | P::Unsuback | P::Connack | P::Pingresp => {
                if packet.kind == P::Connack {
                    self.answer_authentication(from, &said, after_gap, at, out);
                }
                self.answer(from, said, &body, after_gap, at, out);
            }
            P::Pubrec => self.received(from, said, &body, after_gap, at, out),
            P::Pubrel => self.release(from, said, after_gap, at, out),
            P::Pubcomp => self.complete(from, said, &body, after_gap, at, out),
            P::Auth => self.authenticate(from, said, after_gap, at, out),
            P::Disconnect => {
                said.dup = false;
                self.one_way(from, said, after_gap, at, out);
            }
        }
    }

    fn count(&mut self, packet: &Packet<'_>, at: At, out: &mut Output<'_>) {
        let kind = usize::from(packet.kind.number());
        if self.last_frame == at.frame {
            self.in_frame += 1;
            out.counts.mqtt_frames_multi_packet += u64::from(self.in_frame == 2 && self.is_confirmed());
        } else {
            self.last_frame = at.frame;
            self.in_frame = 1;
        }
        if self.is_confirmed() {
            out.counts.mqtt_packets[kind] += 1;
        } else {
            self.uncounted[kind] += 1;
        }
    }

    /// Names in packets are proof where there are some of them.
    fn weigh(&mut self, packet: &Packet<'_>, out: &mut Output<'_>) {
        if packet.kind == PacketType::Connect {
            self.confirm(Confidence::Handshake, out);
        } else if self.confidence < Confidence::Structure && plausible::worth(packet) == Worth::Much {
            self.named_packets += 1;
            if self.named_packets >= NAMED_PACKETS {
                self.confirm(Confidence::Structure, out);
            }
        }
    }

    /// It is MQTT: what was held back is written.
    fn confirm(&mut self, confidence: Confidence, out: &mut Output<'_>) {
        let before = self.confidence;
        self.confidence = before.max(confidence);
        if before != Confidence::None {
            return;
        }
        for (count, uncounted) in out.counts.mqtt_packets.iter_mut().zip(std::mem::take(&mut self.uncounted))
        {
            *count += u64::from(uncounted);
        }
        for held in std::mem::take(&mut self.held_back) {
            row::write(&held.row(), &self.session, self.carrier, self.confidence, out);
        }
    }

    fn anomaly(&self, kind: AnomalyKind, at: At, out: &mut Output<'_>, detail: &dyn Fn() -> String) {
        if self.is_confirmed() {
            out.anomaly(kind, at, detail);
        }
    }

    /// A packet that cannot be read is a row with nothing in it, and an anomaly where that is its own fault.
    #[cold]
    fn unread(
        &mut self,
        from: Role,
        packet: &Packet<'_>,
        why: &'static str,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let mut said = Said::nothing(packet);
        if why.is_empty() {
            said.rare().detail = format!("too long to be read: {} bytes", packet.body_bytes);
        } else if packet.holed {
            said.rare().detail = "a gap hides what it says".to_owned();
        } else {
            said.rare().detail = format!("cannot be read: {why}");
            let word = packet.kind.word();
            self.anomaly(AnomalyKind::MalformedMessage, at, out, &|| format!("{word}: {why}"));
        }
        self.one_way(from, said, after_gap, at, out);
    }

    /// A packet that only the other side may send.
    #[cold]
    fn reversed(&mut self, from: Role, said: Said<'_>, after_gap: bool, at: At, out: &mut Output<'_>) {
        if !self.is_confirmed() {
            self.progress = Progress::Wrong;
            return;
        }
        let word = said.kind.word();
        self.anomaly(AnomalyKind::ReversedRoles, at, out, &|| format!("{word} from the wrong side"));
        self.one_way(from, said, after_gap, at, out);
    }

    /// What waited has its end.
    fn finish(&mut self, pending: Pending, answer: Option<Answer>, outcome: Outcome, out: &mut Output<'_>) {
        let mut row = pending.row(outcome);
        if let Some(answer) = answer {
            row.answer = Some(answer);
            row.after_gap |= answer.after_gap;
        }
        self.write_or_hold(&row, out);
    }

    /// Writes a row, or holds it back until it is sure that this is MQTT.
    #[inline]
    fn write_or_hold(&mut self, row: &Row<'_>, out: &mut Output<'_>) {
        if self.is_confirmed() {
            row::write(row, &self.session, self.carrier, self.confidence, out);
        } else if self.held_back.len() < UNCONFIRMED_LIMIT {
            self.held_back.push(row::Kept::of(row));
        } else {
            self.progress = Progress::Wrong;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_of_mqtt_is_small() {
        assert!(size_of::<Mqtt>() <= 640, "{}", size_of::<Mqtt>());
    }
}
