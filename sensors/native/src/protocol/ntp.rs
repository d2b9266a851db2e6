//! NTP: who gives the time, and how far from a clock it is (RFC 5905, 7.3).

use super::datagram::by_structure;
use super::{Output, Parser, Progress, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::inventory::roles;
use crate::observations::Observation;
use crate::words::{Confidence, Layer, ObservationKind as Kind, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Ntp,
    layer: Layer::Application,
    transport: Transport::Udp,
    ports: &[123],
    recognise,
    parser: Some(|_| Box::new(Ntp { told: false })),
};

/// The shortest packet of modes 1 to 5.
const LENGTH: usize = 48;

const CLIENT: u8 = 3;
const SERVER: u8 = 4;
const BROADCAST: u8 = 5;

/// Strata of servers; 0 is a refusal, 16 a clock that is not set (RFC 5905, 7.3).
const STRATA: std::ops::RangeInclusive<u8> = 1..=15;

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let first = payload.first().filter(|_| on_port && payload.len() >= LENGTH)?;
    let (version, mode) = (first >> 3 & 7, first & 7);
    if !(1..=4).contains(&version) || !(1..=BROADCAST).contains(&mode) {
        return None;
    }
    by_structure(match mode {
        CLIENT => Some(Role::Client),
        SERVER => Some(Role::Server),
        _ => None,
    })
}

/// One flow; once the server has said what it is, there is nothing more to learn.
struct Ntp {
    told: bool,
}

impl Parser for Ntp {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        if recognise(bytes, true).is_none() {
            return;
        }
        let (version, mode, stratum) = (bytes[0] >> 3 & 7, bytes[0] & 7, bytes[1]);
        let ip = match (mode, from) {
            (SERVER, Role::Server) => *out.server_ip,
            (BROADCAST, Role::Client) => *out.client_ip,
            _ => return,
        };
        self.told = true;
        if !STRATA.contains(&stratum) {
            return;
        }
        let mut tell = |kind, value: &str| {
            out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Ntp, value }, at);
        };
        tell(Kind::Role, roles::NTP_SERVER);
        tell(Kind::Service, &format!("NTPv{version}, stratum {stratum}"));
    }

    fn gap(&mut self, _from: Role, _length: u64) {}

    fn expire(&mut self, _now: i64, _out: &mut Output<'_>) {}

    fn end(&mut self, _now: i64, _capture_ended: bool, _out: &mut Output<'_>) {}

    fn confidence(&self) -> Confidence {
        Confidence::Structure
    }

    fn progress(&self) -> Progress {
        if self.told { Progress::Done } else { Progress::Reading }
    }
}
