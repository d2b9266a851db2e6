//! SSDP: what devices announce over HTTP-like datagrams (UPnP Device Architecture 2.0, 1.2).

use super::datagram::{by_structure, each_datagram};
use super::{Output, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::inventory::text;
use crate::observations::Observation;
use crate::words::{Layer, ObservationKind as Kind, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Ssdp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[1900],
    recognise,
    parser: Some(|_| Box::new(Ssdp)),
};

each_datagram!(Ssdp, read);

/// Header lines of a message that are looked at.
const LINES: usize = 32;

const NOTIFY: &[u8] = b"NOTIFY * HTTP/1.1\r\n";
const SEARCH: &[u8] = b"M-SEARCH * HTTP/1.1\r\n";
const FOUND: &[u8] = b"HTTP/1.1 200 OK\r\n";

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    if payload.starts_with(SEARCH) {
        return by_structure(Some(Role::Client));
    }
    if payload.starts_with(NOTIFY) {
        return by_structure(None);
    }
    if on_port && payload.starts_with(FOUND) {
        return by_structure(Some(Role::Server));
    }
    None
}

fn read(from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
    if bytes.starts_with(SEARCH) || recognise(bytes, true).is_none() {
        return;
    }
    let ip = if from == Role::Server { *out.server_ip } else { *out.client_ip };
    for line in bytes.split(|byte| *byte == b'\n').skip(1).take(LINES) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let (name, value) = (&line[..colon], &line[colon + 1..]);
        let kind = match name {
            name if name.eq_ignore_ascii_case(b"SERVER") => Kind::Software,
            name if name.eq_ignore_ascii_case(b"NT") || name.eq_ignore_ascii_case(b"ST") => Kind::Service,
            _ => continue,
        };
        let value = &text::of(value.trim_ascii());
        // One device's own number is no kind of service.
        if text::is_a_devices(&ip) && !value.starts_with("uuid:") {
            out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Ssdp, value }, at);
        }
    }
}
