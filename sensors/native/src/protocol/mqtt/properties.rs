//! The properties of MQTT 5 (5.0, 2.2.2): each with its identifier, type, and the packets that may carry it.

use super::reader::Reader;
use super::words::PacketType;

/// How a property's value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Byte,
    TwoBytes,
    FourBytes,
    Variable,
    Binary,
    Text,
    Pair,
}

/// A property's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    Number(u32),
    Binary(&'a [u8]),
    Text(&'a [u8]),
    Pair(&'a [u8], &'a [u8]),
}

/// A bit for each packet type, and one for the will's own properties.
const WILL: u16 = 1 << 15;

const fn places(packets: &[PacketType]) -> u16 {
    let mut bits = 0;
    let mut index = 0;
    while index < packets.len() {
        bits |= 1 << packets[index] as u16;
        index += 1;
    }
    bits
}

use PacketType as P;

const ACKNOWLEDGEMENTS: u16 =
    places(&[P::Connack, P::Puback, P::Pubrec, P::Pubrel, P::Pubcomp, P::Suback, P::Unsuback])
        | places(&[P::Disconnect, P::Auth]);
const EVERYWHERE: u16 =
    ACKNOWLEDGEMENTS | places(&[P::Connect, P::Publish, P::Subscribe, P::Unsubscribe]) | WILL;

/// Identifiers that are read on their own.
pub mod id {
    pub const MESSAGE_EXPIRY: u8 = 2;
    pub const CONTENT_TYPE: u8 = 3;
    pub const RESPONSE_TOPIC: u8 = 8;
    pub const CORRELATION_DATA: u8 = 9;
    pub const SESSION_EXPIRY: u8 = 17;
    pub const ASSIGNED_CLIENT: u8 = 18;
    pub const AUTHENTICATION_DATA: u8 = 22;
    pub const TOPIC_ALIAS_MAXIMUM: u8 = 34;
    pub const TOPIC_ALIAS: u8 = 35;
    pub const USER_PROPERTY: u8 = 38;
}

/// Name, form and places of a property; `None` where the standard has none of that number.
fn known(identifier: u8) -> Option<(&'static str, Form, u16)> {
    const PUBLISHED: u16 = places(&[P::Publish]) | WILL;
    const CONNECTING: u16 = places(&[P::Connect, P::Connack]);
    const ANSWERED: u16 = places(&[P::Connack]);
    let property = match identifier {
        1 => ("payload_format_indicator", Form::Byte, PUBLISHED),
        2 => ("message_expiry_interval", Form::FourBytes, PUBLISHED),
        3 => ("content_type", Form::Text, PUBLISHED),
        8 => ("response_topic", Form::Text, PUBLISHED),
        9 => ("correlation_data", Form::Binary, PUBLISHED),
        11 => ("subscription_identifier", Form::Variable, places(&[P::Publish, P::Subscribe])),
        17 => ("session_expiry_interval", Form::FourBytes, CONNECTING | places(&[P::Disconnect])),
        18 => ("assigned_client_identifier", Form::Text, ANSWERED),
        19 => ("server_keep_alive", Form::TwoBytes, ANSWERED),
        21 => ("authentication_method", Form::Text, CONNECTING | places(&[P::Auth])),
        22 => ("authentication_data", Form::Binary, CONNECTING | places(&[P::Auth])),
        23 => ("request_problem_information", Form::Byte, places(&[P::Connect])),
        24 => ("will_delay_interval", Form::FourBytes, WILL),
        25 => ("request_response_information", Form::Byte, places(&[P::Connect])),
        26 => ("response_information", Form::Text, ANSWERED),
        28 => ("server_reference", Form::Text, ANSWERED | places(&[P::Disconnect])),
        31 => ("reason_string", Form::Text, ACKNOWLEDGEMENTS),
        33 => ("receive_maximum", Form::TwoBytes, CONNECTING),
        34 => ("topic_alias_maximum", Form::TwoBytes, CONNECTING),
        35 => ("topic_alias", Form::TwoBytes, places(&[P::Publish])),
        36 => ("maximum_qos", Form::Byte, ANSWERED),
        37 => ("retain_available", Form::Byte, ANSWERED),
        38 => ("user_property", Form::Pair, EVERYWHERE),
        39 => ("maximum_packet_size", Form::FourBytes, CONNECTING),
        40 => ("wildcard_subscription_available", Form::Byte, ANSWERED),
        41 => ("subscription_identifier_available", Form::Byte, ANSWERED),
        42 => ("shared_subscription_available", Form::Byte, ANSWERED),
        _ => return None,
    };
    Some(property)
}

/// The name of a property that is known.
pub fn name(identifier: u8) -> &'static str {
    known(identifier).map_or("", |(name, _, _)| name)
}

/// Who carries properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Packet(PacketType),
    Will,
}

/// Properties that were found whole; reading them again cannot fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Properties<'a>(&'a [u8]);

impl<'a> Properties<'a> {
    /// The length, then the properties (2.2.2.1). `Err` where they are broken or in a packet that has none of them.
    #[inline]
    pub fn read(reader: &mut Reader<'a>, carrier: Carrier) -> Result<Self, &'static str> {
        let length = reader.variable().ok_or("property length missing (2.2.2.1)")?;
        let bytes = reader.take(length as usize).ok_or("properties longer than the packet (2.2.2.1)")?;
        let mut rest = Reader::new(bytes);
        let place = match carrier {
            Carrier::Packet(packet) => 1 << packet as u16,
            Carrier::Will => WILL,
        };
        let mut seen = 0u64;
        while !rest.rest.is_empty() {
            let (identifier, _) = next(&mut rest).ok_or("a property is unknown or cut (2.2.2.2)")?;
            let (_, form, places) = known(identifier).ok_or("a property is unknown (2.2.2.2)")?;
            if places & place == 0 {
                return Err("a property that this packet may not have (2.2.2.2)");
            }
            // User properties and a publication's subscription identifiers may come again.
            let again = seen & 1 << identifier != 0;
            if again && form != Form::Pair && form != Form::Variable {
                return Err("a property that may be there once comes twice (2.2.2.2)");
            }
            seen |= 1 << identifier;
        }
        Ok(Self(bytes))
    }

    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// Identifier and value of each, in order.
    pub fn iter(self) -> impl Iterator<Item = (u8, Value<'a>)> {
        let mut rest = Reader::new(self.0);
        std::iter::from_fn(move || next(&mut rest))
    }

    /// The first number of an identifier.
    pub fn number(self, identifier: u8) -> Option<u32> {
        self.iter().find_map(|(found, value)| match value {
            Value::Number(number) if found == identifier => Some(number),
            _ => None,
        })
    }
}

fn next<'a>(rest: &mut Reader<'a>) -> Option<(u8, Value<'a>)> {
    // A variable number by the standard; every identifier that there is has one byte.
    let identifier = rest.byte()?;
    let (_, form, _) = known(identifier)?;
    let value = match form {
        Form::Byte => Value::Number(u32::from(rest.byte()?)),
        Form::TwoBytes => Value::Number(u32::from(rest.two_bytes()?)),
        Form::FourBytes => Value::Number(rest.four_bytes()?),
        Form::Variable => Value::Number(rest.variable()?),
        Form::Binary => Value::Binary(rest.sized()?),
        Form::Text => Value::Text(rest.sized()?),
        Form::Pair => Value::Pair(rest.sized()?, rest.sized()?),
    };
    Some((identifier, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], packet: PacketType) -> Result<Properties<'_>, &'static str> {
        Properties::read(&mut Reader::new(bytes), Carrier::Packet(packet))
    }

    #[test]
    fn values_of_every_form() {
        let fields = b"\x01\x01\x02\0\0\0\x4d\x03\0\x01t\x08\0\x01r\x09\0\x02\x01\x02\x0b\x80\x01\x23\0\x05\x26\0\x01k\0\x01v";
        let bytes = [&[fields.len() as u8], &fields[..]].concat();
        let properties = read(&bytes, P::Publish).unwrap();
        let all: Vec<_> = properties.iter().collect();
        assert_eq!(all.len(), 8);
        assert_eq!(all[1], (2, Value::Number(77)));
        assert_eq!(all[5], (11, Value::Number(128)));
        assert_eq!(all[7], (38, Value::Pair(b"k", b"v")));
        assert_eq!(properties.number(id::TOPIC_ALIAS), Some(5));
    }

    #[test]
    fn what_is_broken_misplaced_or_repeated_is_refused() {
        for bytes in [
            &b"\x02\x04\x01"[..],    // unknown
            b"\x02\x23\x01",         // cut
            b"\x03\x24\x01",         // longer than the packet
            b"\x02\x24\x01",         // of a CONNACK
            b"\x04\x01\x01\x01\x01", // twice
            b"",
        ] {
            assert!(read(bytes, P::Publish).is_err(), "{bytes:?}");
        }
        assert!(read(b"\x04\x0b\x01\x0b\x02", P::Publish).is_ok());
    }

    #[test]
    fn all_27_properties_are_known_by_different_names() {
        let names: std::collections::BTreeSet<_> =
            (0..=255).filter_map(known).map(|(name, _, _)| name).collect();
        assert_eq!(names.len(), 27);
    }
}
