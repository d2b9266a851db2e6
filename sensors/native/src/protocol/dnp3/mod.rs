//! DNP3 (IEEE 1815) over TCP and UDP: application functions, objects, internal indications.

mod file;
mod function;
mod link;
mod object;

use std::collections::VecDeque;

use super::operation::{Answer, Assembly, Dialect, Exchange, Head, Message, Operation, Reader, Speaker};
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::{AnomalyKind, At};
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind, ObservationSource, OperationClass as Class, Service};
use link::Frame;

const fn over(transport: Transport, parser: fn(Confidence) -> Box<dyn Parser>) -> Protocol {
    Protocol {
        service: Service::Dnp3,
        layer: Layer::Application,
        transport,
        ports: &[20_000],
        recognise,
        parser: Some(parser),
    }
}

pub const TCP: Protocol = over(Transport::Tcp, |confidence| Speaker::over_tcp(Dnp3::default(), confidence));
pub const UDP: Protocol = over(Transport::Udp, |confidence| Speaker::over_udp(Dnp3::default(), confidence));

/// Pairs of stations of one flow whose fragments are put together; the oldest makes room for one more.
const STATIONS: usize = 8;

/// First and last segment, and the sequence, of a transport header (8.2).
const FIRST: u8 = 0x40;
const LAST: u8 = 0x80;
const SEQUENCE: u8 = 0x3f;

/// Link functions that carry user data: with and without confirmation.
const CONFIRMED_DATA: u8 = 3;
const DATA: u8 = 4;

/// What an answer has in common with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    master: u16,
    outstation: u16,
    sequence: u8,
}

fn judge(bytes: &[u8], _in_step: bool) -> Head {
    match bytes {
        [] | [5] => return Head::Incomplete,
        [5, 0x64, ..] => {}
        _ => return Head::Wrong,
    }
    let Some(header) = bytes.first_chunk() else { return Head::Incomplete };
    link::length(header).map_or(Head::Wrong, Head::Message)
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(_) = judge(payload, true) else { return None };
    let speaker = if payload[3] & 0x80 != 0 { Role::Client } else { Role::Server };
    Some(Recognised { confidence: Confidence::Structure, speaker: Some(speaker) })
}

/// A fragment that is being put together.
struct Fragment {
    destination: u16,
    source: u16,
    next: u8,
    parts: Assembly,
}

/// One flow.
#[derive(Default)]
struct Dnp3 {
    fragments: VecDeque<Fragment>,
    /// Outstations that the inventory was told of.
    told: Vec<u16>,
}

impl Dialect for Dnp3 {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::Dnp3;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let frame = link::read(message.bytes)?;
        if frame.damaged && !message.is_cut() {
            out.anomaly(AnomalyKind::Checksum, at, &|| {
                format!(
                    "a block of a frame from {} to {} has a wrong checksum",
                    frame.source, frame.destination
                )
            });
            return Some(());
        }
        if !frame.primary || !matches!(frame.function, CONFIRMED_DATA | DATA) {
            link_control(&frame, from, at, exchange, out);
            return Some(());
        }
        let (header, part) = frame.data.split_first()?;
        let Some(fragment) = self.put(&frame, *header, part, out) else { return Some(()) };
        self.tell_role(&frame, from, at, out);
        application(&frame, &fragment, from, at, exchange, out)
    }

    fn gap(&mut self, _from: Role) {
        for fragment in &mut self.fragments {
            fragment.parts.forget();
        }
    }

    fn end(&mut self, _exchange: &mut Exchange<Key>, out: &mut Output<'_>) {
        for mut fragment in self.fragments.drain(..) {
            fragment.parts.take(out);
        }
    }
}

impl Dnp3 {
    /// Puts a segment to its fragment; the fragment where it is whole.
    fn put(&mut self, frame: &Frame, header: u8, part: &[u8], out: &mut Output<'_>) -> Option<Vec<u8>> {
        let whole = FIRST | LAST;
        if header & whole == whole {
            return Some(part.to_vec());
        }
        let is_mine =
            |known: &Fragment| (known.destination, known.source) == (frame.destination, frame.source);
        let mut place = self.fragments.iter().position(is_mine);
        if header & FIRST != 0 {
            if place.is_none() {
                if self.fragments.len() >= STATIONS {
                    if let Some(mut oldest) = self.fragments.pop_front() {
                        oldest.parts.take(out);
                    }
                }
                place = Some(self.fragments.len());
                self.fragments.push_back(Fragment {
                    destination: frame.destination,
                    source: frame.source,
                    next: 0,
                    parts: Assembly::default(),
                });
            }
            self.fragments.get_mut(place?)?.parts.take(out);
        }
        let fragment = self.fragments.get_mut(place?)?;
        let follows = fragment.next == header & SEQUENCE && !fragment.parts.is_empty();
        if header & FIRST == 0 && !follows {
            // A segment is missing: the fragment is not read.
            fragment.parts.take(out);
            return None;
        }
        fragment.next = header.wrapping_add(1) & SEQUENCE;
        fragment.parts.push(part, out);
        (header & LAST != 0).then(|| fragment.parts.take(out).0)
    }

    /// An outstation is a role that the inventory keeps.
    fn tell_role(&mut self, frame: &Frame, from: Role, at: At, out: &mut Output<'_>) {
        if frame.from_master || self.told.contains(&frame.source) || self.told.len() >= STATIONS {
            return;
        }
        self.told.push(frame.source);
        let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
        let value = format!("DNP3 outstation {}", frame.source);
        let (kind, source) = (ObservationKind::Role, ObservationSource::Dnp3);
        out.observe(&Observation { mac: 0, ip, kind, source, value: &value }, at);
    }
}

/// Frames without user data keep the link; they are counted.
fn link_control(frame: &Frame, from: Role, at: At, exchange: &mut Exchange<Key>, out: &mut Output<'_>) {
    let name = match (frame.primary, frame.function) {
        (true, 0) => "reset link",
        (true, 1) => "reset user process",
        (true, 2) => "test link",
        (true, 9) => "request link status",
        (false, 0) => "acknowledge",
        (false, 1) => "refuse",
        (false, 11) => "link status",
        (false, 15) => "link function not supported",
        _ => "link function",
    };
    let key = u64::from(frame.function) | u64::from(frame.primary) << 8 | stations_key(frame) << 16;
    exchange.count(key, from, None, at, out, || placed(Operation::new(name, Class::Session), frame));
}

fn stations_key(frame: &Frame) -> u64 {
    u64::from(frame.source) | u64::from(frame.destination) << 16
}

/// Between the frame's stations: what an outstation sends by itself, it tells its master.
fn placed(mut operation: Operation, frame: &Frame) -> Operation {
    let (master, outstation) = match frame.from_master {
        true => (frame.source, frame.destination),
        false => (frame.destination, frame.source),
    };
    operation.client_station = master.to_string();
    operation.server_station = outstation.to_string();
    operation.is_told = !frame.from_master;
    operation
}

fn application(
    frame: &Frame,
    fragment: &[u8],
    from: Role,
    at: At,
    exchange: &mut Exchange<Key>,
    out: &mut Output<'_>,
) -> Option<()> {
    let mut reader = Reader(fragment);
    let (control, code) = (reader.u8()?, reader.u8()?);
    let sequence = control & 15;
    let (master, outstation) = match function::is_answer(code) {
        true => (frame.destination, frame.source),
        false => (frame.source, frame.destination),
    };
    let key = Key { master, outstation, sequence };
    match code {
        function::CONFIRM => {
            exchange.count(u64::from(code) | stations_key(frame) << 16, from, None, at, out, || {
                placed(Operation::new("confirm", Class::Session), frame)
            });
        }
        function::RESPONSE | function::UNSOLICITED | function::AUTHENTICATION => {
            let indications = reader.u16_be()?;
            let objects = object::list(code, reader);
            let mut detail = function::indications(indications);
            if code == function::UNSOLICITED {
                let named = Operation::new("unsolicited response", Class::Read).on(objects.text);
                let operation = placed(named.with(detail), frame);
                if operation.detail.is_empty() {
                    let key = u64::from(code) | stations_key(frame) << 16;
                    exchange.count(key, from, objects.quantity, at, out, || operation);
                } else {
                    // What is wrong or wanted is told each time.
                    exchange.tell(from, operation, at, out);
                }
                return Some(());
            }
            let mut error = (indications & function::REFUSED != 0).then_some(u32::from(indications));
            if let Some(status) = objects.failed {
                error = error.or(Some(u32::from(status)));
                let status = function::control_status(status);
                detail = if detail.is_empty() { status.into() } else { format!("{detail}, {status}") };
            }
            if control & 0x80 == 0 {
                // Of an answer in several fragments the first one counts, the others follow it.
                return Some(());
            }
            let answer = Answer { error, detail, value: objects.text, quantity: objects.quantity };
            let orphan = || Operation {
                client_station: master.to_string(),
                server_station: outstation.to_string(),
                ..Operation::new("response", Class::Other)
            };
            exchange.answer_or_orphan(&key, from, &answer, at, out, orphan);
        }
        _ => {
            let (name, class) = function::named(code);
            let objects = object::list(code, reader);
            let mut operation = Operation::new(name, class).on(objects.text);
            operation.quantity = objects.quantity;
            operation.value = objects.value;
            let operation = placed(operation, frame);
            // These say themselves that they want no answer; nor does what is sent to all stations.
            if function::wants_no_answer(code) || frame.destination >= 0xfffd {
                exchange.tell(from, operation, at, out);
            } else {
                exchange.ask(key, from, operation, at, out);
            }
        }
    }
    Some(())
}
