//! NetBIOS names: what Windows hosts, and panels built on Windows, call themselves (RFC 1001, RFC 1002).

use super::datagram::{by_structure, each_datagram};
use super::dns::message::{self, Message, Record, kind};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::inventory::text;
use crate::observations::Observation;
use crate::words::{Layer, ObservationKind as Kind, ObservationSource, Service};

pub const NAMES: Protocol = Protocol {
    service: Service::Netbios,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[137],
    recognise: recognise_names,
    parser: Some(|_| Box::new(Names)),
};

pub const DATAGRAMS: Protocol =
    Protocol { ports: &[138], recognise: recognise_datagram, parser: Some(|_| Box::new(Datagrams)), ..NAMES };

each_datagram!(Names, read_names);
each_datagram!(Datagrams, read_datagram);

/// A name's 16 characters, each as two letters (RFC 1001, 14.1).
const ENCODED: usize = 32;

/// What its last character says a name is for: the workstation itself.
const WORKSTATION: u8 = 0x00;
const FILE_SERVER: u8 = 0x20;

/// Set where a name is a group's (RFC 1002, 4.2.1.3).
const GROUP: u8 = 0x80;

fn recognise_names(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let message = message::read(payload).filter(|_| on_port)?;
    let name = message.questions.first().map(|question| &question.name);
    decoded(name.or(message.records.first().map(|record| &record.name))?)?;
    // A registration is a request to all: who is asked is nobody's server.
    let speaker = match (message.header.is_response(), message.header.opcode()) {
        (true, _) => Some(Role::Server),
        (false, 0) => Some(Role::Client),
        _ => None,
    };
    by_structure(speaker)
}

/// The name and its last character, of a label of 32 letters A to P; a scope behind it is left out.
fn decoded(name: &str) -> Option<(String, u8)> {
    let label = name.as_bytes().get(..ENCODED)?;
    if !label.iter().all(|letter| (b'A'..=b'P').contains(letter)) {
        return None;
    }
    let characters: Vec<u8> = label.chunks(2).map(|pair| (pair[0] - b'A') << 4 | (pair[1] - b'A')).collect();
    let (last, characters) = characters.split_last()?;
    Some((text::of(characters).trim_end().to_owned(), *last))
}

/// What a name is in an inventory.
fn kind_of(suffix: u8, group: bool) -> Option<Kind> {
    match (suffix, group) {
        (WORKSTATION | FILE_SERVER, false) => Some(Kind::HostName),
        (WORKSTATION, true) => Some(Kind::DomainName),
        _ => None,
    }
}

fn read_names(from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
    let Some(Message { questions, records, .. }) = message::read(bytes) else { return };
    let sender = if from == Role::Server { *out.server_ip } else { *out.client_ip };
    let mut tell = |mac, ip: [u8; 16], kind, value: &str| {
        if text::is_a_devices(&ip) {
            out.observe(&Observation { mac, ip, kind, source: ObservationSource::Netbios, value }, at);
        }
    };
    for record in &records {
        match (record.kind, record.data) {
            // Flags, then an address: of a registration or of an answer.
            (kind::NB, [flags, _, address @ ..]) => {
                // A registration's record points to the name in its question.
                let name =
                    if record.name.is_empty() { questions.first().map(|asked| &asked.name) } else { None };
                let Some((name, suffix)) = decoded(name.unwrap_or(&record.name)) else { continue };
                let ip = address.first_chunk::<4>().map_or([0; 16], |address| text::mapped(*address));
                if let Some(kind) = kind_of(suffix, flags & GROUP != 0) {
                    tell(0, ip, kind, &name);
                }
            }
            (kind::SRV, _) => node_status(record, sender, &mut tell),
            _ => {}
        }
    }
}

/// Takes the MAC address, the address, the kind and the value of what is told.
type Tell<'a> = dyn FnMut(u64, [u8; 16], Kind, &str) + 'a;

/// All names of a node, then its MAC address (RFC 1002, 4.2.18).
fn node_status(record: &Record<'_>, sender: [u8; 16], tell: &mut Tell<'_>) {
    let [count, rest @ ..] = record.data else { return };
    let Some((names, after)) = rest.split_at_checked(usize::from(*count) * 18) else { return };
    let mac = after.first_chunk::<6>().map_or(0, text::mac_of);
    for entry in names.chunks_exact(18) {
        if let Some(kind) = kind_of(entry[15], entry[16] & GROUP != 0) {
            tell(mac, sender, kind, text::of(&entry[..15]).trim_end());
        }
    }
}

/// Type, flags, identifier, source address and port, length, offset; then the source's name (RFC 1002, 4.4.2).
const DATAGRAM_HEADER: usize = 14;

fn source_name(payload: &[u8]) -> Option<(String, u8)> {
    let [0x10..=0x12, ..] = payload else { return None };
    // A length of 32, the letters, an end or a scope.
    let [32, label @ ..] = payload.get(DATAGRAM_HEADER..)? else { return None };
    decoded(std::str::from_utf8(label.get(..ENCODED)?).ok()?)
}

fn recognise_datagram(payload: &[u8], on_port: bool) -> Option<Recognised> {
    source_name(payload).filter(|_| on_port)?;
    by_structure(None)
}

fn read_datagram(from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
    let Some((name, suffix)) = source_name(bytes) else { return };
    let ip = if from == Role::Server { *out.server_ip } else { *out.client_ip };
    if let Some(kind) = kind_of(suffix, false).filter(|_| text::is_a_devices(&ip)) {
        out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Netbios, value: &name }, at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_example_is_decoded() {
        // RFC 1001, 14.1: FRED, filled up with blanks; the last character is 0 here.
        assert_eq!(decoded("EGFCEFEECACACACACACACACACACACAAA"), Some(("FRED".to_owned(), 0)));
    }

    #[test]
    fn other_labels_are_no_names() {
        for label in ["", "EGFCEFEE", "EGFCEFEECACACACACACACACACACACAaa", "www.example.org"] {
            assert_eq!(decoded(label), None, "{label}");
        }
    }
}
