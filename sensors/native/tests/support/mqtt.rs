//! MQTT packets, byte by byte (MQTT 5.0 and 3.1.1, chapter 3).
#![allow(dead_code, reason = "each test file uses a part of it")]

/// A packet with its fixed header.
pub fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    let mut length = body.len();
    loop {
        let low = (length & 0x7f) as u8;
        length >>= 7;
        bytes.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    bytes.extend(body);
    bytes
}

/// A text with its length in front.
pub fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u16).to_be_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// A CONNECT of 3.1.1, clean, 60 s.
pub fn connect(client: &str) -> Vec<u8> {
    packet(0x10, &[&b"\0\x04MQTT\x04\x02\0\x3c"[..], &text(client)].concat())
}

/// A CONNECT of 5 with properties.
pub fn connect5(client: &str, properties: &[u8]) -> Vec<u8> {
    let length = [properties.len() as u8];
    packet(0x10, &[&b"\0\x04MQTT\x05\x02\0\x3c"[..], &length, properties, &text(client)].concat())
}

pub const CONNACK: &[u8] = b"\x20\x02\0\0";
pub const CONNACK5: &[u8] = b"\x20\x03\0\0\0";
pub const PINGREQ: &[u8] = b"\xc0\0";
pub const PINGRESP: &[u8] = b"\xd0\0";

/// A PUBLISH of 3.1.1 with QoS 0.
pub fn publish(topic: &str, payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&text(topic)[..], payload].concat())
}

/// A PUBLISH of 3.1.1 with an identifier; `first` has its flags.
pub fn publish_id(first: u8, topic: &str, id: u16, payload: &[u8]) -> Vec<u8> {
    packet(first, &[&text(topic)[..], &id.to_be_bytes(), payload].concat())
}

/// A PUBLISH of 5 with QoS 0.
pub fn publish5(topic: &str, properties: &[u8], payload: &[u8]) -> Vec<u8> {
    packet(0x30, &[&text(topic)[..], &[properties.len() as u8], properties, payload].concat())
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP, or an UNSUBACK of 3.1.1.
pub fn acknowledge(first: u8, id: u16) -> Vec<u8> {
    packet(first, &id.to_be_bytes())
}

/// A SUBSCRIBE of 3.1.1.
pub fn subscribe(id: u16, filters: &[(&str, u8)]) -> Vec<u8> {
    let filters: Vec<u8> =
        filters.iter().flat_map(|(filter, qos)| [text(filter), vec![*qos]].concat()).collect();
    packet(0x82, &[&id.to_be_bytes()[..], &filters].concat())
}

/// A SUBACK of 3.1.1.
pub fn suback(id: u16, codes: &[u8]) -> Vec<u8> {
    packet(0x90, &[&id.to_be_bytes()[..], codes].concat())
}
