//! What a response tells of devices: their names, services and systems.

use super::message::{Message, Record, kind};
use super::{Relative, answer};
use crate::anomaly::At;
use crate::inventory::{roles, text};
use crate::observations::Observation;
use crate::protocol::{Output, Role};
use crate::words::{ObservationKind as Kind, ObservationSource as Source};

/// Writes what a response tells.
pub fn tell(relative: Relative, from: Role, message: &Message<'_>, at: At, out: &mut Output<'_>) {
    let sender = if from == Role::Server { *out.server_ip } else { *out.client_ip };
    let source = match relative {
        Relative::Unicast | Relative::Stream => Source::Dns,
        Relative::Multicast => Source::Mdns,
        Relative::LinkLocal => Source::Llmnr,
    };
    let mut say = |ip: [u8; 16], kind, value: &str| {
        if text::is_a_devices(&ip) {
            out.observe(&Observation { mac: 0, ip, kind, source, value }, at);
        }
    };
    if source == Source::Dns {
        say(sender, Kind::Role, roles::DNS_SERVER);
    }
    for record in &message.records {
        if let Some(address) = answer::address(record) {
            // What the network's DNS says is a name in it; what a device says of itself is its own name.
            let kind = if source == Source::Dns { Kind::DomainName } else { Kind::HostName };
            let asked = message.questions.first().filter(|_| record.is_answer);
            say(address, kind, asked.map_or(record.name.as_str(), |question| question.name.as_str()));
        } else if record.kind == kind::PTR {
            pointer(relative, message, record, sender, &mut say);
        } else if record.kind == kind::HINFO && relative == Relative::Multicast {
            // Processor, then operating system (RFC 1035, 3.3.2).
            if let Some(system) = answer::strings(record).nth(1) {
                say(sender, Kind::OperatingSystem, &text::of(system));
            }
        }
    }
}

/// A pointer from an address to its name, or, among services, from their kind to one of them (RFC 6763, 4.1).
fn pointer(
    relative: Relative,
    message: &Message<'_>,
    record: &Record<'_>,
    sender: [u8; 16],
    say: &mut dyn FnMut([u8; 16], Kind, &str),
) {
    let Some(target) = answer::target(message.bytes, record) else { return };
    if let Some(ip) = reversed(&record.name) {
        return say(ip, Kind::DomainName, &target);
    }
    if relative != Relative::Multicast || !record.is_answer {
        return;
    }
    let listed = record.name.eq_ignore_ascii_case("_services._dns-sd._udp.local");
    let service = if listed { target.as_str() } else { record.name.as_str() };
    if let Some(service) = service.strip_suffix(".local") {
        if service.ends_with("._tcp") || service.ends_with("._udp") {
            say(sender, Kind::Service, service);
        }
    }
}

/// The address whose name is asked for: 4.3.2.1.in-addr.arpa, or 32 digits of ip6.arpa (RFC 3596, 2.5).
fn reversed(name: &str) -> Option<[u8; 16]> {
    let name = name.to_ascii_lowercase();
    if let Some(digits) = name.strip_suffix(".in-addr.arpa") {
        let mut octets = [0; 4];
        let mut parts = digits.split('.');
        for octet in octets.iter_mut().rev() {
            *octet = parts.next()?.parse().ok()?;
        }
        return parts.next().is_none().then(|| text::mapped(octets));
    }
    let digits = name.strip_suffix(".ip6.arpa")?;
    let mut address = [0u8; 16];
    let mut parts = digits.split('.');
    for octet in address.iter_mut().rev() {
        let [low, high] = [parts.next()?, parts.next()?];
        *octet = u8::from_str_radix(high, 16).ok()? << 4 | u8::from_str_radix(low, 16).ok()? & 15;
    }
    parts.next().is_none().then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reversed_names_are_addresses() {
        assert_eq!(reversed("4.3.2.1.in-addr.arpa"), Some(text::mapped([1, 2, 3, 4])));
        let v6 = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.IP6.ARPA";
        assert_eq!(text::ip(&reversed(v6).unwrap()), "4321:0:1:2:3:4:567:89ab");
        for other in ["3.2.1.in-addr.arpa", "5.4.3.2.1.in-addr.arpa", "1.ip6.arpa", "example.org"] {
            assert_eq!(reversed(other), None, "{other}");
        }
    }
}
