//! Bodies of control packets (MQTT 5.0, chapter 3; 3.1.1, chapter 3; 3.1): what each says, or why it cannot be read.

use super::framing::Packet;
use super::properties::{Carrier, Properties};
use super::reader::Reader;
use super::words::{PacketType, Version};

/// The will of a CONNECT packet (3.1.2.5, 3.1.3.2 to 3.1.3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    pub topic: &'a [u8],
    pub payload: &'a [u8],
    pub qos: u8,
    pub retain: bool,
    pub properties: Properties<'a>,
}

/// A CONNECT packet; what is secret in it is dropped here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    pub version: Version,
    /// The protocol level, with the bridge bit of mosquitto taken off.
    pub level: u8,
    pub is_bridge: bool,
    pub clean_start: bool,
    pub keep_alive_s: u16,
    pub client_id: &'a [u8],
    pub user_name: Option<&'a [u8]>,
    pub has_password: bool,
    pub will: Option<Will<'a>>,
    pub properties: Properties<'a>,
}

/// What a packet says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    Connect(Connect<'a>),
    Connack {
        session_present: bool,
        code: u8,
        properties: Properties<'a>,
    },
    Publish {
        topic: &'a [u8],
        packet_id: Option<u16>,
        properties: Properties<'a>,
        /// As much of it as was kept.
        payload: &'a [u8],
        payload_bytes: u32,
    },
    /// PUBACK, PUBREC, PUBREL, PUBCOMP.
    Acknowledge {
        packet_id: u16,
        code: Option<u8>,
        properties: Properties<'a>,
    },
    Subscribe {
        packet_id: u16,
        properties: Properties<'a>,
        filters: Filters<'a>,
    },
    Unsubscribe {
        packet_id: u16,
        properties: Properties<'a>,
        filters: Filters<'a>,
    },
    /// SUBACK and UNSUBACK: a code for each filter; none in an UNSUBACK before 5.
    Granted {
        packet_id: u16,
        codes: &'a [u8],
        properties: Properties<'a>,
    },
    Ping,
    /// DISCONNECT and AUTH.
    Reasoned {
        code: u8,
        properties: Properties<'a>,
    },
}

impl<'a> Body<'a> {
    /// The properties of the packet itself; a will has its own.
    pub fn properties(&self) -> Properties<'a> {
        match self {
            Self::Connect(connect) => connect.properties,
            Self::Connack { properties, .. }
            | Self::Publish { properties, .. }
            | Self::Acknowledge { properties, .. }
            | Self::Subscribe { properties, .. }
            | Self::Unsubscribe { properties, .. }
            | Self::Granted { properties, .. }
            | Self::Reasoned { properties, .. } => *properties,
            Self::Ping => Properties::default(),
        }
    }
}

/// Topic filters that were found whole, each with its options byte in a SUBSCRIBE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filters<'a> {
    bytes: &'a [u8],
    with_options: bool,
}

impl<'a> Filters<'a> {
    fn read(bytes: &'a [u8], with_options: bool, version: Version) -> Result<Self, &'static str> {
        let mut rest = Reader::new(bytes);
        if bytes.is_empty() {
            return Err("no topic filter (3.8.3)");
        }
        while !rest.rest.is_empty() {
            rest.sized().filter(|filter| !filter.is_empty()).ok_or("topic filter cut or empty (3.8.3)")?;
            if with_options {
                let options = rest.byte().ok_or("subscription options missing (3.8.3.1)")?;
                let reserved = if version == Version::V5 { 0xc0 } else { 0xfc };
                if options & reserved != 0 || options & 3 == 3 || options & 0x30 == 0x30 {
                    return Err("subscription options that there are none of (3.8.3.1)");
                }
            }
        }
        Ok(Self { bytes, with_options })
    }

    /// Each filter with its options; 0 where there are none.
    pub fn iter(self) -> impl Iterator<Item = (&'a [u8], u8)> {
        let mut rest = Reader::new(self.bytes);
        std::iter::from_fn(move || {
            let filter = rest.sized()?;
            let options = if self.with_options { rest.byte()? } else { 0 };
            Some((filter, options))
        })
    }
}

/// The kept bytes of a packet end before what is asked for; not its fault.
const CUT: &str = "";

type Read<T> = Result<T, &'static str>;

/// Reads a body as a version has it; `Version::Unknown` reads as 3.1.1. An empty error says that too little of the
/// packet was kept to tell.
#[inline]
pub fn read<'a>(packet: &Packet<'a>, version: Version) -> Read<Body<'a>> {
    let body = read_body(packet, version);
    match body {
        Err(_) if packet.is_cut() => Err(CUT),
        body => body,
    }
}

fn read_body<'a>(packet: &Packet<'a>, version: Version) -> Read<Body<'a>> {
    use PacketType as P;
    let mut reader = Reader::new(packet.body);
    let kind = packet.kind;
    match kind {
        P::Connect => connect(reader).map(Body::Connect),
        P::Connack => {
            let flags = reader.byte().ok_or("acknowledge flags missing (3.2.2.1)")?;
            let code = reader.byte().ok_or("reason code missing (3.2.2.2)")?;
            if flags > 1 {
                return Err("acknowledge flags that there are none of (3.2.2.1)");
            }
            let properties = last_properties(&mut reader, kind, version, false)?;
            ended(reader)?;
            Ok(Body::Connack { session_present: flags == 1, code, properties })
        }
        P::Publish => publish(packet, reader, version),
        P::Puback | P::Pubrec | P::Pubrel | P::Pubcomp => {
            let packet_id = identifier(&mut reader)?;
            let code = reader.byte();
            if code.is_some() && version.is_before_5() {
                return Err("more than a packet identifier (3.1.1, 3.4.2)");
            }
            let properties = last_properties(&mut reader, kind, version, true)?;
            ended(reader)?;
            Ok(Body::Acknowledge { packet_id, code, properties })
        }
        P::Subscribe | P::Unsubscribe => {
            let packet_id = identifier(&mut reader)?;
            let properties = last_properties(&mut reader, kind, version, false)?;
            let filters = Filters::read(reader.rest, kind == P::Subscribe, version)?;
            Ok(if kind == P::Subscribe {
                Body::Subscribe { packet_id, properties, filters }
            } else {
                Body::Unsubscribe { packet_id, properties, filters }
            })
        }
        P::Suback | P::Unsuback => {
            let packet_id = identifier(&mut reader)?;
            let properties = last_properties(&mut reader, kind, version, false)?;
            let codes = reader.rest;
            match (kind, version == Version::V5, codes.is_empty()) {
                (P::Unsuback, false, false) => Err("more than a packet identifier (3.1.1, 3.11)"),
                (P::Unsuback, false, true) => Ok(Body::Granted { packet_id, codes, properties }),
                (_, _, true) => Err("no reason code (3.9.3, 3.11.3)"),
                _ => Ok(Body::Granted { packet_id, codes, properties }),
            }
        }
        P::Pingreq | P::Pingresp => Ok(Body::Ping),
        P::Disconnect | P::Auth => {
            let code = reader.byte();
            if code.is_some() && version.is_before_5() {
                return Err("a reason code before MQTT 5 (3.1.1, 3.14)");
            }
            let properties = last_properties(&mut reader, kind, version, true)?;
            ended(reader)?;
            Ok(Body::Reasoned { code: code.unwrap_or(0), properties })
        }
    }
}

fn identifier(reader: &mut Reader<'_>) -> Read<u16> {
    reader.two_bytes().filter(|id| *id != 0).ok_or("no packet identifier (2.2.1)")
}

fn ended(reader: Reader<'_>) -> Read<()> {
    if reader.rest.is_empty() { Ok(()) } else { Err("bytes behind the packet's last field") }
}

/// The properties of a version that has them; `optional` where they may be left out together with their length.
fn last_properties<'a>(
    reader: &mut Reader<'a>,
    kind: PacketType,
    version: Version,
    optional: bool,
) -> Read<Properties<'a>> {
    if version != Version::V5 || (optional && reader.rest.is_empty()) {
        return Ok(Properties::default());
    }
    Properties::read(reader, Carrier::Packet(kind))
}

#[inline]
fn publish<'a>(packet: &Packet<'a>, mut reader: Reader<'a>, version: Version) -> Read<Body<'a>> {
    let topic = reader.sized().ok_or("topic cut (3.3.2.1)")?;
    let packet_id = if packet.flags & 0b0110 == 0 { None } else { Some(identifier(&mut reader)?) };
    let properties = if version == Version::V5 {
        Properties::read(&mut reader, Carrier::Packet(PacketType::Publish))?
    } else {
        Properties::default()
    };
    let payload = reader.rest;
    let head_bytes = packet.body.len() - payload.len();
    let payload_bytes = packet.body_bytes - head_bytes as u32;
    Ok(Body::Publish { topic, packet_id, properties, payload, payload_bytes })
}

fn connect(mut reader: Reader<'_>) -> Read<Connect<'_>> {
    let name = reader.sized().ok_or("protocol name cut (3.1.2.1)")?;
    let level = reader.byte().ok_or("protocol level missing (3.1.2.2)")?;
    // A bridge of mosquitto says that it is one in the highest bit.
    let (level, is_bridge) = (level & 0x7f, level & 0x80 != 0);
    let version = match (name, level) {
        (b"MQIsdp", 3) => Version::V31,
        (b"MQTT", 4) => Version::V311,
        (b"MQTT", 5) => Version::V5,
        (b"MQTT" | b"MQIsdp", _) => return Err("a protocol level that there is none of (3.1.2.2)"),
        _ => return Err("another protocol's name (3.1.2.1)"),
    };
    let flags = reader.byte().ok_or("connect flags missing (3.1.2.3)")?;
    let keep_alive_s = reader.two_bytes().ok_or("keep alive missing (3.1.2.10)")?;
    let has_will = flags & 0x04 != 0;
    let qos = flags >> 3 & 3;
    if flags & 1 != 0 || qos == 3 || (!has_will && flags & 0x38 != 0) {
        return Err("connect flags that contradict themselves (3.1.2.3)");
    }
    let properties = match version {
        Version::V5 => Properties::read(&mut reader, Carrier::Packet(PacketType::Connect))?,
        _ => Properties::default(),
    };
    let client_id = reader.sized().ok_or("client identifier cut (3.1.3.1)")?;
    let will = if has_will {
        let properties = match version {
            Version::V5 => Properties::read(&mut reader, Carrier::Will)?,
            _ => Properties::default(),
        };
        let topic = reader.sized().ok_or("will topic cut (3.1.3.3)")?;
        let payload = reader.sized().ok_or("will payload cut (3.1.3.4)")?;
        Some(Will { topic, payload, qos, retain: flags & 0x20 != 0, properties })
    } else {
        None
    };
    let user_name =
        if flags & 0x80 != 0 { Some(reader.sized().ok_or("user name cut (3.1.3.5)")?) } else { None };
    let has_password = flags & 0x40 != 0;
    if has_password {
        reader.sized().ok_or("password cut (3.1.3.6)")?;
    }
    ended(reader)?;
    Ok(Connect {
        version,
        level,
        is_bridge,
        clean_start: flags & 0x02 != 0,
        keep_alive_s,
        client_id,
        user_name,
        has_password,
        will,
        properties,
    })
}

impl Version {
    /// True where it is known to be older than 5.
    pub fn is_before_5(self) -> bool {
        matches!(self, Self::V31 | Self::V311 | Self::V3)
    }
}
