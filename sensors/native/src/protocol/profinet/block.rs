//! DCP blocks: names, addresses, identifiers, orders to a device (IEC 61158-6-10, 4.3).

use std::net::Ipv4Addr;

use crate::layer2::FrameOutput;
use crate::observations::Observation;
use crate::protocol::operation::{Listed, Reader, hex, printable};
use crate::words::{ObservationKind as Kind, ObservationSource, OperationClass as Class};

/// Blocks of one frame that are looked at.
const BLOCKS: usize = 32;

/// What stands before a block's value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Block information: answers and hello.
    Told,
    /// Nothing: what a device has to have to answer.
    Filter,
    /// A qualifier: whether it is kept without power.
    Set,
}

struct Block {
    option: u8,
    sub: u8,
    value: String,
}

/// The blocks of a frame.
#[derive(Default)]
pub struct Blocks(Vec<Block>);

pub fn name(option: u8, sub: u8) -> String {
    let known = match (option, sub) {
        (1, 1) => "MAC address",
        (1, 2) => "IP address",
        (1, 3) => "IP suite",
        (2, 1) => "manufacturer",
        (2, 2) => "station name",
        (2, 3) => "device identifier",
        (2, 4) => "device role",
        (2, 5) => "device options",
        (2, 6) => "alias",
        (2, 7) => "device instance",
        (2, 8) => "OEM identifier",
        (3, _) => "DHCP",
        (5, 1) => "start",
        (5, 2) => "end",
        (5, 3) => "signal",
        (5, 4) => "response",
        (5, 5) => "factory reset",
        (5, 6) => "reset to factory",
        (6, 1) => "initiative",
        (0xff, 0xff) => "all",
        _ => return format!("option {option}.{sub}"),
    };
    known.into()
}

/// Reads blocks as far as they are whole.
pub fn read(body: &[u8], form: Form) -> Blocks {
    let mut reader = Reader(body);
    let mut blocks = Vec::new();
    while blocks.len() < BLOCKS && !reader.is_empty() {
        let Some(block) = block(&mut reader, form) else { break };
        blocks.push(block);
    }
    Blocks(blocks)
}

fn block(reader: &mut Reader<'_>, form: Form) -> Option<Block> {
    let [option, sub] = *reader.chunk()?;
    let length = usize::from(reader.u16_be()?);
    let mut value = Reader(reader.take(length)?);
    if length % 2 == 1 {
        reader.up_to(1);
    }
    if form != Form::Filter && length >= 2 {
        value.skip(2)?;
    }
    Some(Block { option, sub, value: text(option, sub, value).unwrap_or_default() })
}

fn text(option: u8, sub: u8, mut value: Reader<'_>) -> Option<String> {
    let text = match (option, sub) {
        (1, 2 | 3) => {
            let [ip, mask, gateway] =
                [*value.chunk::<4>()?, *value.chunk::<4>()?, *value.chunk::<4>()?].map(Ipv4Addr::from);
            format!("{ip} mask {mask} gateway {gateway}")
        }
        (2, 1 | 2 | 6) => printable(value.0),
        (2, 3) => format!("vendor 0x{:04x} device 0x{:04x}", value.u16_be()?, value.u16_be()?),
        (2, 4) => role(value.u8()?),
        (2, 5) | (5, _) | (0xff, _) => String::new(),
        _ => hex(value.0),
    };
    Some(text)
}

fn role(bits: u8) -> String {
    let words = ["IO device", "IO controller", "IO multidevice", "IO supervisor"];
    let set: Vec<_> =
        words.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 != 0).map(|(_, word)| *word).collect();
    set.join(", ")
}

/// The first block that was not set: control, response, then option, suboption and error.
pub fn refused(body: &[u8]) -> Option<u8> {
    let mut reader = Reader(body);
    for _ in 0..BLOCKS {
        let [option, sub] = *reader.chunk()?;
        let length = usize::from(reader.u16_be()?);
        let value = reader.take(length)?;
        if length % 2 == 1 {
            reader.up_to(1);
        }
        match (option, sub, value) {
            (5, 4, [_, _, error, ..]) if *error != 0 => return Some(*error),
            _ => {}
        }
    }
    None
}

impl Blocks {
    fn find(&self, option: u8, sub: u8) -> Option<&Block> {
        self.0.iter().find(|block| (block.option, block.sub) == (option, sub))
    }

    /// What a set does: the strongest of its blocks.
    pub fn set_name(&self) -> &'static str {
        let has = |option, sub| self.find(option, sub).is_some();
        match () {
            () if has(5, 5) || has(5, 6) => "reset to factory",
            () if has(5, 3) => "signal",
            () if has(2, 2) => "set station name",
            () if has(1, 2) || has(1, 3) => "set IP address",
            () => "set",
        }
    }

    pub fn set_class(&self) -> Class {
        match self.set_name() {
            "reset to factory" => Class::Restart,
            _ => Class::Configure,
        }
    }

    /// The names of the blocks.
    pub fn names(&self) -> String {
        let mut names = Listed::default();
        for block in &self.0 {
            names.push(&name(block.option, block.sub));
        }
        names.into_text()
    }

    /// Names and values of the blocks that have one.
    pub fn text(&self) -> String {
        let mut texts = Listed::default();
        for block in &self.0 {
            let name = name(block.option, block.sub);
            match block.value.as_str() {
                "" if (block.option, block.sub) == (0xff, 0xff) => texts.push(&name),
                "" => continue,
                value => texts.push(&format!("{name} {value}")),
            };
        }
        texts.into_text()
    }

    /// Tells the inventory what a device says of itself.
    pub fn observe(&self, mac: u64, out: &mut FrameOutput<'_>) {
        let mut ip = [0; 16];
        let address = self.find(1, 2).and_then(|block| block.value.split(' ').next());
        if let Some(address) = address.and_then(|text| text.parse::<Ipv4Addr>().ok()) {
            if !address.is_unspecified() {
                ip = address.to_ipv6_mapped().octets();
            }
        }
        for block in &self.0 {
            let kind = match (block.option, block.sub) {
                (2, 1) => Kind::Model,
                (2, 2) => Kind::HostName,
                (2, 3) => Kind::Description,
                (2, 4) => Kind::Role,
                (1, 2) if ip != [0; 16] => Kind::Address,
                _ => continue,
            };
            let value = match kind {
                Kind::Address => block.value.split(' ').next().unwrap_or_default().to_owned(),
                Kind::Description => format!("PROFINET {}", block.value),
                Kind::Role => format!("PROFINET {}", block.value),
                _ => block.value.clone(),
            };
            let source = ObservationSource::ProfinetDcp;
            out.observe(&Observation { mac, ip, kind, source, value: &value });
        }
    }
}
