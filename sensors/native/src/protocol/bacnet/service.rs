//! Services: what they do, to which object and property (ASHRAE 135, 13 to 17).

use std::fmt::Write as _;

use super::names;
use super::npdu::Network;
use super::tag::{self, Kind, Tag};
use crate::anomaly::At;
use crate::observations::Observation;
use crate::protocol::operation::{Answer, Listed, Operation, Reader, printable};
use crate::protocol::{Output, Role};
use crate::words::{ObservationKind, ObservationSource, OperationClass as Class};

/// Tags of one message that are looked at.
const TAGS: usize = 512;

const READ_PROPERTY: u8 = 12;
const READ_MULTIPLE: u8 = 14;
const WRITE_PROPERTY: u8 = 15;
const WRITE_MULTIPLE: u8 = 16;
const READ_RANGE: u8 = 26;

const I_AM: u8 = 0;
const I_HAVE: u8 = 1;
const WHO_HAS: u8 = 7;
const WHO_IS: u8 = 8;

fn tags(body: &[u8]) -> impl Iterator<Item = Tag<'_>> {
    let mut reader = Reader(body);
    (0..TAGS).map_while(move |_| tag::read(&mut reader))
}

/// A confirmed service's name, class and what its request says.
pub fn confirmed(service: u8, body: &[u8]) -> Operation {
    let (name, class) = match service {
        0 => ("acknowledge alarm", Class::Write),
        1 => ("change of value", Class::Read),
        2 => ("event", Class::Read),
        3 => ("get alarm summary", Class::Read),
        4 => ("get enrollment summary", Class::Read),
        5 => ("subscribe to changes", Class::Read),
        6 => ("read file", Class::Read),
        7 => ("write file", Class::Program),
        8 => ("add list element", Class::Write),
        9 => ("remove list element", Class::Write),
        10 => ("create object", Class::Configure),
        11 => ("delete object", Class::Configure),
        READ_PROPERTY => ("read property", Class::Read),
        13 => ("read property conditional", Class::Read),
        READ_MULTIPLE => ("read properties", Class::Read),
        WRITE_PROPERTY => ("write property", Class::Write),
        WRITE_MULTIPLE => ("write properties", Class::Write),
        17 => ("device communication control", Class::Stop),
        18 => ("private transfer", Class::Other),
        19 => ("text message", Class::Other),
        20 => ("reinitialize device", Class::Restart),
        21..=23 => ("virtual terminal", Class::Session),
        24 => ("authenticate", Class::Session),
        25 => ("request key", Class::Session),
        READ_RANGE => ("read range", Class::Read),
        27 => ("life safety operation", Class::Write),
        28 => ("subscribe to changes of a property", Class::Read),
        29 => ("get event information", Class::Read),
        30 => ("subscribe to changes of properties", Class::Read),
        31 => ("changes of values", Class::Read),
        _ => return Operation::new(format!("service {service}"), Class::Other),
    };
    let mut operation = Operation::new(name, class);
    match service {
        READ_PROPERTY | READ_MULTIPLE | WRITE_PROPERTY | WRITE_MULTIPLE | READ_RANGE | 5 | 28 | 1 => {
            properties(body, service, &mut operation);
        }
        17 => communication_control(body, &mut operation),
        20 => reinitialize(body, &mut operation),
        6 | 7 | 8 | 9 | 11 => {
            let object = tags(body).find_map(|tag| tag.object().filter(|_| tag.value.len() == 4));
            operation.object = object.unwrap_or_default();
        }
        _ => {}
    }
    operation
}

/// Objects and properties of a request; the value that it writes.
fn properties(body: &[u8], service: u8, operation: &mut Operation) {
    let writes = matches!(service, WRITE_PROPERTY | WRITE_MULTIPLE);
    // Where the object's identifier and the property's stand; subscriptions begin with a process identifier.
    let (object_tag, property_tag) = match service {
        5 | 28 => (1, if service == 28 { 4 } else { 0xff }),
        // Behind the device that tells.
        1 => (2, 0xff),
        READ_MULTIPLE | WRITE_MULTIPLE => (0, 0xff),
        _ => (0, 1),
    };
    let mut objects = Listed::default();
    let mut values = Listed::default();
    let mut object = String::new();
    let mut depth = 0u32;
    // Names of properties stand in brackets behind their object.
    let mut in_list = false;
    let mut in_value = false;
    let mut count = 0u32;
    let indexed = matches!(service, READ_PROPERTY | WRITE_PROPERTY | READ_RANGE);
    // The property that was named last.
    let mut named: Option<String> = None;
    for tag in tags(body) {
        match tag.kind {
            Kind::Opening => {
                depth += 1;
                in_list |= depth == 1 && tag.number == 1 && property_tag == 0xff;
                in_value |= writes && matches!((depth, tag.number), (1, 3) | (2, 2));
            }
            Kind::Closing => {
                depth = depth.saturating_sub(1);
                in_list &= depth > 0;
                in_value &= depth > u32::from(in_list);
            }
            Kind::Value if in_value => {
                values.push(&tag.show());
            }
            Kind::Value if depth == 0 && tag.is(object_tag) && tag.value.len() == 4 => {
                object = tag.object().unwrap_or_default();
                if property_tag == 0xff && !matches!(service, READ_MULTIPLE | WRITE_MULTIPLE) {
                    objects.push(&object);
                }
            }
            Kind::Value if depth == 0 && tag.is(property_tag) || in_list && depth == 1 && tag.is(0) => {
                count += 1;
                if let Some(named) = named.take() {
                    objects.push(&named);
                }
                named = Some(format!("{object} {}", names::property(tag.unsigned().unwrap_or(0))));
            }
            // An element of it.
            Kind::Value if depth == 0 && indexed && tag.is(2) || in_list && depth == 1 && tag.is(1) => {
                if let (Some(named), Some(index)) = (&mut named, tag.unsigned()) {
                    let _ = write!(named, "[{index}]");
                }
            }
            Kind::Value if depth == 0 && writes && tag.is(4) => {
                operation.detail = format!("priority {}", tag.unsigned().unwrap_or(0));
            }
            Kind::Value => {}
        }
    }
    if let Some(named) = named {
        objects.push(&named);
    }
    operation.object = objects.into_text();
    operation.value = values.into_text();
    operation.quantity = (count > 0).then_some(count);
}

/// Duration, what to do, and perhaps a password, of which only the presence is told (16.1).
fn communication_control(body: &[u8], operation: &mut Operation) {
    for tag in tags(body) {
        if tag.is(0) {
            operation.detail = format!("for {} minutes", tag.unsigned().unwrap_or(0));
        } else if tag.is(1) {
            let (word, class) = match tag.unsigned() {
                Some(0) => ("enable", Class::Start),
                Some(1) => ("disable", Class::Stop),
                _ => ("disable initiation", Class::Stop),
            };
            operation.value = word.into();
            operation.class = class;
        } else if tag.is(2) {
            note(&mut operation.detail, "password present");
        }
    }
}

/// The state to be reached, and perhaps a password (16.4).
fn reinitialize(body: &[u8], operation: &mut Operation) {
    for tag in tags(body) {
        if tag.is(0) {
            let (word, class) = match tag.unsigned() {
                Some(0) => ("coldstart", Class::Restart),
                Some(1) => ("warmstart", Class::Restart),
                Some(2) => ("start backup", Class::Program),
                Some(3) => ("end backup", Class::Program),
                Some(4) => ("start restore", Class::Program),
                Some(5) => ("end restore", Class::Program),
                Some(6) => ("abort restore", Class::Program),
                _ => ("activate changes", Class::Restart),
            };
            operation.value = word.into();
            operation.class = class;
        } else if tag.is(1) {
            note(&mut operation.detail, "password present");
        }
    }
}

fn note(detail: &mut String, more: &str) {
    if !detail.is_empty() {
        detail.push_str(", ");
    }
    detail.push_str(more);
}

/// An unconfirmed service; what a device tells by itself is told as such.
pub fn unconfirmed(service: u8, body: &[u8]) -> Operation {
    let (name, class) = match service {
        I_AM => ("I am", Class::Discover),
        I_HAVE => ("I have", Class::Discover),
        2 => ("change of value", Class::Read),
        3 => ("event", Class::Read),
        4 => ("private transfer", Class::Other),
        5 => ("text message", Class::Other),
        6 => ("time synchronization", Class::Configure),
        WHO_HAS => ("who has", Class::Discover),
        WHO_IS => ("who is", Class::Discover),
        9 => ("UTC time synchronization", Class::Configure),
        10 => ("write group", Class::Write),
        11 => ("changes of values", Class::Read),
        _ => ("unconfirmed service", Class::Other),
    };
    let mut operation = Operation::new(name, class);
    match service {
        I_AM => operation.object = tags(body).find_map(|tag| tag.object()).unwrap_or_default(),
        WHO_IS => {
            let limits: Vec<_> =
                tags(body).filter_map(|tag| tag.unsigned()).map(|id| id.to_string()).collect();
            operation.object = match limits.as_slice() {
                [low, high] => format!("device {low} to {high}"),
                _ => "all devices".into(),
            };
        }
        2 => properties(body, 1, &mut operation),
        // What is looked for, or was found, by identifier or name.
        WHO_HAS | I_HAVE => operation.object = looked_for(service, body),
        6 | 9 => {
            let words: Vec<_> = tags(body).map(|tag| tag.show()).collect();
            operation.value = words.join(" ");
        }
        _ => {}
    }
    if matches!(service, I_AM | I_HAVE | 2 | 3 | 11) { operation.told() } else { operation }
}

/// The object of who-has, named or identified, and that of I-have, behind its device (16.9).
fn looked_for(service: u8, body: &[u8]) -> String {
    if service == I_HAVE {
        return tags(body).nth(1).and_then(|tag| tag.object()).unwrap_or_default();
    }
    let text = |tag: &Tag<'_>| match tag.value {
        [0, text @ ..] => printable(text),
        _ => String::new(),
    };
    let find = |number| tags(body).find(|tag| tag.is(number));
    find(2).and_then(|tag| tag.object()).or_else(|| find(3).map(|tag| text(&tag))).unwrap_or_default()
}

/// Services that change something: each is a row of its own.
pub fn is_set(service: u8) -> bool {
    matches!(service, 4..=6 | 9 | 10)
}

/// What tells the counted services apart: the service and the object that it names.
pub fn counting_key(service: u8, body: &[u8]) -> u64 {
    let object = match service {
        I_AM | WHO_IS => tags(body).find_map(|tag| tag.unsigned()),
        2 => tags(body).find(|tag| tag.is(2)).and_then(|tag| tag.unsigned()),
        _ => None,
    };
    0x200 | u64::from(service) | u64::from(object.unwrap_or(0)) << 16
}

fn observe(
    kind: ObservationKind,
    value: &str,
    network: &Network<'_>,
    from: Role,
    at: At,
    out: &mut Output<'_>,
) {
    // The address is the router's, not the device's, where the device stands behind one.
    if !network.source.is_empty() || value.is_empty() {
        return;
    }
    let ip = *if from == Role::Client { out.client_ip } else { out.server_ip };
    out.observe(&Observation { mac: 0, ip, kind, source: ObservationSource::Bacnet, value }, at);
}

/// I-am: the device's instance and its vendor (16.10.2).
pub fn observe_device(
    service: u8,
    body: &[u8],
    network: &Network<'_>,
    from: Role,
    at: At,
    out: &mut Output<'_>,
) {
    if service != I_AM {
        return;
    }
    let mut tags = tags(body);
    let Some(device) = tags.next().and_then(|tag| tag.object()) else { return };
    let Some(vendor) = tags.nth(2).and_then(|tag| tag.unsigned()) else { return };
    observe(ObservationKind::Role, &format!("BACnet {device}"), network, from, at, out);
    observe(ObservationKind::Vendor, &names::vendor(vendor), network, from, at, out);
}

/// What an answer says; what it tells of the device goes to the inventory.
pub fn answer(
    service: u8,
    body: &[u8],
    network: &Network<'_>,
    from: Role,
    at: At,
    out: &mut Output<'_>,
) -> Answer {
    let mut answer = Answer::default();
    if !matches!(service, READ_PROPERTY | READ_MULTIPLE) {
        return answer;
    }
    let (property_tag, value_tag) = if service == READ_PROPERTY { (1, 3) } else { (2, 4) };
    let mut values = Listed::default();
    let (mut device, mut property, mut in_value, mut in_error) = (false, 0, false, false);
    for tag in tags(body) {
        if tag.is(0) && tag.value.len() == 4 && !in_value {
            // Type 8 is the device object.
            device = tag.value[0] == 0x02 && tag.value[1] & 0xc0 == 0;
        } else if tag.is(property_tag) && !in_value {
            property = tag.unsigned().unwrap_or(0);
        } else if tag.opens(value_tag) {
            in_value = true;
        } else if tag.closes(value_tag) {
            in_value = false;
        } else if tag.opens(5) && service == READ_MULTIPLE {
            in_error = true;
        } else if tag.closes(5) {
            in_error = false;
        } else if in_value {
            let text = tag.show();
            values.push(&text);
            if let (true, Some(kind)) = (device, told(property)) {
                observe(kind, &tag.text().unwrap_or_default(), network, from, at, out);
            }
        } else if in_error && tag.kind == Kind::Value {
            // Class, then code: the code stays.
            answer.error = tag.unsigned();
            answer.detail = format!("error {}", names::error(tag.unsigned().unwrap_or(0)));
        }
    }
    answer.value = values.into_text();
    answer
}

/// What a property of the device object tells.
fn told(property: u32) -> Option<ObservationKind> {
    let kind = match property {
        names::APPLICATION_SOFTWARE => ObservationKind::Software,
        names::DESCRIPTION => ObservationKind::Description,
        names::FIRMWARE => ObservationKind::Firmware,
        names::MODEL => ObservationKind::Model,
        names::NAME => ObservationKind::HostName,
        names::VENDOR_NAME => ObservationKind::Vendor,
        names::SERIAL_NUMBER => ObservationKind::SerialNumber,
        _ => return None,
    };
    Some(kind)
}
