//! DTLS over UDP: hellos that are whole in one datagram are read, anything else of it is named (RFC 6347, 4.1, 4.2.2).

use super::hello::{ClientHello, ServerHello};
use super::{client_said, message, server_said};
use crate::protocol::introduction::Introduction;
use crate::protocol::named::{self, Shape};
use crate::protocol::reading::Fields;
use crate::protocol::{Protocol, Recognised, Role, Transport};
use crate::words::{Confidence, Layer, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Dtls,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[443, 4433, 5684],
    recognise,
    parser: Some(|_| named::parser::<Dtls>(Confidence::Structure)),
};

struct Record<'a> {
    kind: u8,
    /// Of the keys: 0 is in clear.
    epoch: u16,
    body: &'a [u8],
}

/// The first record; the others of the datagram have to fit too.
fn record(payload: &[u8]) -> Option<Record<'_>> {
    let mut first = None;
    let mut fields = Fields(payload);
    while !fields.is_empty() {
        let kind = fields.u8().filter(|kind| (20..=23).contains(kind))?;
        fields.u16().filter(|version| matches!(version, 0xfeff | 0xfefd))?;
        let epoch = fields.u16()?;
        // Sequence numbers begin at 0 with every epoch; nobody sends 2^32 records.
        fields.take(2).filter(|high| *high == [0, 0])?;
        fields.u32()?;
        let body = fields.medium()?;
        first.get_or_insert(Record { kind, epoch, body });
    }
    first
}

/// A whole handshake message in clear: its type and body.
fn whole_message<'a>(record: &Record<'a>) -> Option<(u8, &'a [u8])> {
    if record.kind != 22 || record.epoch != 0 {
        return None;
    }
    let mut fields = Fields(record.body);
    let (kind, length) = (fields.u8()?, fields.u24()?);
    fields.u16()?;
    let (offset, here) = (fields.u24()?, fields.u24()?);
    let body = fields.take(usize::try_from(here).ok()?)?;
    (offset == 0 && here == length).then_some((kind, body))
}

fn recognise(payload: &[u8], _on_port: bool) -> Option<Recognised> {
    let record = record(payload)?;
    let speaker = match whole_message(&record) {
        Some((message::CLIENT_HELLO, _)) => Some(Role::Client),
        Some((message::SERVER_HELLO | message::HELLO_VERIFY_REQUEST, _)) => Some(Role::Server),
        _ => None,
    };
    Some(Recognised { confidence: Confidence::Structure, speaker })
}

#[derive(Default)]
struct Dtls {
    client: Option<ClientHello>,
}

impl Shape for Dtls {
    const SERVICE: Service = Service::Dtls;
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Tls);

    fn fits(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> bool {
        let Some(record) = record(bytes) else { return false };
        said.encrypted = true;
        match (whole_message(&record), from) {
            (Some((message::CLIENT_HELLO, body)), Role::Client) => {
                let Some(hello) = ClientHello::read(body, true) else { return false };
                client_said(&hello, 'd', said);
                self.client = Some(hello);
            }
            (Some((message::SERVER_HELLO, body)), Role::Server) => {
                let Some(hello) = ServerHello::read(body) else { return false };
                server_said(&hello, self.client.as_ref(), said);
            }
            _ => {}
        }
        true
    }
}
