//! ISO transport over TCP (RFC 1006, ISO 8073 class 0), and what it carries: S7comm, S7comm-plus or MMS.

mod cotp;
mod mms;
mod s7;
mod s7_item;
mod s7_plus;
mod s7_userdata;
mod szl;

use super::operation::{Answer, Assembly, Dialect, Exchange, Head, Message, Operation, Speaker};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, OperationClass, Service};
use cotp::Tpdu;

pub const PROTOCOL: Protocol = Protocol {
    service: Service::IsoTcp,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[102],
    recognise,
    parser: Some(|confidence| Speaker::over_tcp(Iso::default(), confidence)),
};

/// What an answer has in common with its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A connection is opened: one at a time.
    Connect,
    /// S7comm: the PDU reference.
    Job(u16),
    /// S7comm user data: the PDU reference.
    UserData(u16),
    /// S7comm-plus: the sequence number.
    Plus(u16),
    /// MMS: the invoke identifier.
    Invoke(u32),
    /// MMS opens its association.
    Initiate,
    /// MMS ends it.
    Conclude,
}

/// What S7 and MMS read for their flow.
pub struct Scene<'a, 'o> {
    pub from: Role,
    pub at: At,
    pub exchange: &'a mut Exchange<Key>,
    pub out: &'a mut Output<'o>,
    /// What client and server of the transport connection call themselves.
    pub stations: &'a [String; 2],
}

impl Scene<'_, '_> {
    /// An operation between the connection's selectors, as `asker` sends it.
    pub fn place(&self, mut operation: Operation, asker: Role) -> Operation {
        let [client, server] = self.stations;
        let (asks, asked) = if asker == Role::Client { (client, server) } else { (server, client) };
        operation.client_station.clone_from(asks);
        operation.server_station.clone_from(asked);
        operation
    }

    /// Who did not send this.
    pub fn other(&self) -> Role {
        self.from.other()
    }

    pub fn ask(&mut self, key: Key, operation: Operation) {
        let operation = self.place(operation, self.from);
        self.exchange.ask(key, self.from, operation, self.at, self.out);
    }

    pub fn tell(&mut self, operation: Operation) {
        let operation = self.place(operation, self.from);
        self.exchange.tell(self.from, operation, self.at, self.out);
    }

    /// Answers a request; `describe` says what an answer is that nobody asked for.
    pub fn answer(&mut self, key: &Key, answer: &Answer, describe: impl FnOnce() -> Operation) {
        let Self { from, at, .. } = *self;
        let asker = self.other();
        let described = |scene: &Self| scene.place(describe(), asker);
        if !self.exchange.answer(key, from, answer, at, self.out) {
            let operation = described(self);
            self.exchange.answer_or_orphan(key, from, answer, at, self.out, || operation);
        }
    }
}

/// Finds TPKT headers (RFC 1006, 6) with a TPDU that class 0 has.
fn judge(bytes: &[u8], in_step: bool) -> Head {
    let [3, 0, high, low, rest @ ..] = bytes else {
        return if [3, 0].starts_with(&bytes[..bytes.len().min(2)]) { Head::Incomplete } else { Head::Wrong };
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let [header, code, rest @ ..] = rest else { return Head::Incomplete };
    let header = usize::from(*header);
    if length < 7 || header < 2 || header + 5 > length {
        return Head::Wrong;
    }
    match code {
        0xf0 if header != 2 => Head::Wrong,
        0xf0 if in_step => Head::Message(length),
        0xf0 => match *rest {
            [0x80, 0x32, 1..=3 | 7, 0, 0, ..] | [0x80, 0x72, 1..=3, ..] => Head::Message(length),
            [0x00 | 0x80, 1, 0, 1, 0, ..] => Head::Message(length),
            [_, _, _, _, _, ..] => Head::Wrong,
            _ if length < 12 => Head::Wrong,
            _ => Head::Incomplete,
        },
        0xd0..=0xef if header >= 6 => Head::Message(length),
        0x80 | 0x70 if in_step => Head::Message(length),
        _ => Head::Wrong,
    }
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let Head::Message(length) = judge(payload, true) else { return None };
    let message = &payload[..length.min(payload.len())];
    let speaker = match cotp::read(message)? {
        Tpdu::ConnectRequest(selectors) if selectors.are_there() && length <= payload.len() => {
            Some(Role::Client)
        }
        Tpdu::ConnectConfirm(selectors) if selectors.are_there() && length <= payload.len() => {
            Some(Role::Server)
        }
        Tpdu::Data { body, .. } if s7::is_plausible(body, length - 7) => s7::speaker(body),
        Tpdu::Data { body, .. } if s7_plus::is_plausible(body) => s7_plus::speaker(body),
        Tpdu::Data { body, .. } if mms::is_plausible(body) => mms::speaker(body),
        _ => return None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

/// One flow.
#[derive(Default)]
struct Iso {
    stations: [String; 2],
    /// A data unit that comes in several TPDUs.
    parts: [Assembly; 2],
    mms: mms::Mms,
    plus: s7_plus::Plus,
}

impl Dialect for Iso {
    type Key = Key;
    const JUDGE: fn(&[u8], bool) -> Head = judge;
    const SERVICE: Service = Service::IsoTcp;

    fn message(
        &mut self,
        from: Role,
        message: Message<'_>,
        at: At,
        exchange: &mut Exchange<Key>,
        out: &mut Output<'_>,
    ) -> Option<()> {
        let tpdu = cotp::read(message.bytes)?;
        let Self { stations, parts, mms, plus } = self;
        match tpdu {
            Tpdu::ConnectRequest(selectors) => {
                *stations = selectors.stations(from);
                let (service, stations) = (selectors.service(), &*stations);
                exchange.service = service.unwrap_or(exchange.service);
                let mut scene = Scene { from, at, exchange, out, stations };
                scene.ask(Key::Connect, connect(&selectors));
            }
            Tpdu::ConnectConfirm(selectors) => {
                if stations.iter().all(String::is_empty) {
                    let opener = from.other();
                    *stations = selectors.stations(opener);
                    exchange.service = selectors.service().unwrap_or(exchange.service);
                }
                let mut scene = Scene { from, at, exchange, out, stations };
                scene.answer(&Key::Connect, &Answer::default(), || connect(&selectors));
            }
            Tpdu::Disconnect { reason } => {
                let answer = Answer { error: Some(u32::from(reason)), ..Answer::default() };
                let mut scene = Scene { from, at, exchange, out, stations };
                if !scene.exchange.answer(&Key::Connect, from, &answer, at, scene.out) {
                    scene.tell(
                        Operation::new("disconnect", OperationClass::Session)
                            .with(format!("reason {reason}")),
                    );
                }
            }
            Tpdu::Error => {}
            Tpdu::Data { last: true, body } if parts[from.index()].is_empty() => {
                let mut scene = Scene { from, at, exchange, out, stations };
                return data(body, mms, plus, &mut scene);
            }
            Tpdu::Data { last, body } => {
                let assembly = &mut parts[from.index()];
                assembly.push(body, out);
                if last {
                    let (body, length) = assembly.take(out);
                    let is_cut = message.is_cut() || body.len() < length;
                    let mut scene = Scene { from, at, exchange, out, stations };
                    return data(&body, mms, plus, &mut scene).or(is_cut.then_some(()));
                }
            }
        }
        Some(())
    }

    fn gap(&mut self, from: Role) {
        self.parts[from.index()].forget();
        self.plus.forget(from);
    }

    fn end(&mut self, _exchange: &mut Exchange<Key>, out: &mut Output<'_>) {
        for part in &mut self.parts {
            part.take(out);
        }
    }
}

/// A data unit: what it is tells the flow's service.
fn data(body: &[u8], mms: &mut mms::Mms, plus: &mut s7_plus::Plus, scene: &mut Scene<'_, '_>) -> Option<()> {
    match body.first() {
        Some(0x32) => {
            scene.exchange.service = Service::S7comm;
            s7::read(body, scene)
        }
        Some(0x72) => {
            scene.exchange.service = Service::S7commPlus;
            plus.read(body, scene)
        }
        Some(_) if mms::is_plausible(body) => {
            scene.exchange.service = Service::Mms;
            mms.read(body, scene)
        }
        // An empty data unit keeps a connection; others are no protocol that is read.
        _ => Some(()),
    }
}

fn connect(selectors: &cotp::Selectors<'_>) -> Operation {
    Operation::new("connect", OperationClass::Session).on(selectors.text())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_request_with_selectors_is_recognised_and_a_remote_desktop_one_is_not() {
        let s7 = b"\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc0\x01\x0a\xc1\x02\x01\0\xc2\x02\x01\x02";
        assert_eq!(recognise(s7, false).unwrap().speaker, Some(Role::Client));
        let desktop = b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0";
        assert!(recognise(desktop, true).is_none());
        assert!(recognise(b"\x03\0\0\x07\x02\xf0\x80", false).is_none());
    }

    #[test]
    fn headers_that_no_transport_has_are_wrong() {
        for bytes in [&b"\x03\x01\0\x16"[..], b"\x03\0\0\x05\x02\xf0", b"\x03\0\0\x20\x05\xf0\x80", b"GET "] {
            assert_eq!(judge(bytes, true), Head::Wrong, "{bytes:?}");
        }
        assert_eq!(judge(b"\x03\0", true), Head::Incomplete);
    }
}
