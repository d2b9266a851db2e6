//! The newer capture format: sections, interfaces, blocks (draft-ietf-opsawg-pcapng).

use super::pcap::early_end;
use super::{Description, Flaw, FlawKind, Input, Item, OpenError, Order, RECORD_LIMIT, Record};

/// A section header's block type: the same in both byte orders.
pub const SECTION: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];

const SECTION_TYPE: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const STATISTICS: u32 = 5;
const ENHANCED_PACKET: u32 = 6;

const BYTE_ORDER_MAGIC: u32 = 0x1a2b_3c4d;

/// Options and packet headers of a block are looked for within this; what is longer is skipped unseen.
const BLOCK_WINDOW: usize = RECORD_LIMIT + 65_536;

/// Interfaces of one capture; a hostile file could declare one in every 20 bytes.
const INTERFACE_LIMIT: usize = 65_536;

struct Interface {
    link_type: u16,
    snaplen: u32,
    clock: Clock,
    offset_s: i64,
    /// What the capture said it had dropped so far.
    dropped: u64,
}

/// How ticks become nanoseconds (if_tsresol: a power of 10, or of 2).
#[derive(Clone, Copy)]
enum Clock {
    /// Nanoseconds a tick.
    Coarse(u64),
    /// Ticks a nanosecond, or a power of two a second.
    Fine(u128),
}

impl Clock {
    /// Option 9, if_tsresol: the top bit chooses the base, the rest is the negative exponent.
    fn new(resolution: u8) -> Self {
        let exponent = u32::from(resolution & 0x7f);
        if resolution & 0x80 == 0 {
            if exponent <= 9 {
                Clock::Coarse(10u64.pow(9 - exponent))
            } else {
                Clock::Fine(10u128.pow(exponent.min(30)))
            }
        } else {
            Clock::Fine(1u128 << exponent.min(64))
        }
    }

    fn nanoseconds(self, ticks: u64) -> i64 {
        let value = match self {
            Clock::Coarse(each) => u128::from(ticks) * u128::from(each),
            Clock::Fine(a_second) => u128::from(ticks) * 1_000_000_000 / a_second,
        };
        i64::try_from(value).unwrap_or(i64::MAX)
    }

    fn tick_ns(self) -> u64 {
        match self {
            Clock::Coarse(each) => each,
            Clock::Fine(a_second) => u64::try_from(1_000_000_000 / a_second).unwrap_or(0),
        }
    }
}

pub struct Pcapng {
    order: Order,
    interfaces: Vec<Interface>,
    /// The number of this section's first interface: sections number their own from 0.
    section_base: usize,
    /// The byte at which the block starts whose drops were told of: its frame is next.
    told: Option<u64>,
    skipping: Option<Skipping>,
    ended: bool,
}

/// A block that is too long to be looked at, and is being passed over.
struct Skipping {
    offset: u64,
    length: u32,
    left: u64,
}

/// Where a packet block keeps its data.
struct Packet {
    interface: usize,
    ts: Option<u64>,
    captured: usize,
    wire_length: u32,
    data_at: usize,
    /// Frames that the interface lost between the one before and this one.
    dropped: u64,
}

impl Pcapng {
    pub fn start(input: &mut Input) -> Result<Self, OpenError> {
        let head = input.peek(28)?;
        if head.len() < 28 {
            let length = head.len() as u64;
            if input.waits() {
                return Err(OpenError::NotYet);
            }
            let message = format!("a pcapng section header has 28 bytes, this file ends after {length}");
            return Err(OpenError::not(message, length));
        }
        let order = section_order(head).ok_or_else(|| {
            OpenError::not("not a pcapng file: the byte-order magic of its section is wrong", 8)
        })?;
        Ok(Self { order, interfaces: Vec::new(), section_base: 0, told: None, skipping: None, ended: false })
    }

    pub fn description(&self) -> Description {
        let first = self.interfaces.first();
        Description {
            format: "pcapng",
            byte_order: self.order.name(),
            ts_resolution_ns: first.map_or(1_000, |interface| interface.clock.tick_ns()),
            snaplen: first.map_or(0, |interface| interface.snaplen),
            interfaces: self.interfaces.len() as u32,
            ..Description::default()
        }
    }

    pub fn next_item<'a>(&mut self, input: &'a mut Input) -> Item<'a> {
        loop {
            if self.ended {
                return Item::End(None);
            }
            if let Some(skipping) = &mut self.skipping {
                if let Err(item) = pass_over(input, skipping) {
                    self.ended = matches!(item, Item::End(_));
                    return item;
                }
                self.skipping = None;
            }
            let head = input.window(12);
            let left = head.len();
            if left < 12 {
                return self.end(input, left, 12);
            }
            let starts_section = head[..4] == SECTION;
            if starts_section {
                match section_order(head) {
                    Some(order) => self.order = order,
                    None => return self.bad(input, "a section header without a byte-order magic".into()),
                }
            }
            let kind = if starts_section { SECTION_TYPE } else { self.order.u32(head, 0) };
            let length = self.order.u32(head, 4);
            if length < 12 || length % 4 != 0 {
                return self
                    .bad(input, format!("a block of {length} bytes: at least 12, and a multiple of 4"));
            }
            // Nothing of a block counts before all of it is there: it may be read twice where a file grows.
            let shown = (length as usize).min(BLOCK_WINDOW + 12);
            let block = input.window(shown);
            if block.len() < shown {
                let left = block.len();
                return self.end(input, left, length as usize);
            }
            let block = &block[8..shown - 4];
            let mut dropped = None;
            let packet = match kind {
                SECTION_TYPE => {
                    self.section_base = self.interfaces.len();
                    Ok(None)
                }
                INTERFACE => self.interface(block).map(|()| None),
                ENHANCED_PACKET => self.enhanced(block).map(Some),
                OLD_PACKET => self.old(block).map(Some),
                SIMPLE_PACKET => self.simple(block).map(Some),
                STATISTICS => {
                    dropped = self.statistics(block);
                    Ok(None)
                }
                _ => Ok(None),
            };
            match packet {
                Ok(Some(packet)) => {
                    let told = self.newly_dropped(&packet, input.offset());
                    return told.unwrap_or_else(|| self.frame(input, length as usize, &packet));
                }
                Ok(None) => {
                    let left = u64::from(length);
                    self.skipping = Some(Skipping { offset: input.offset(), length, left });
                }
                Err(detail) => return self.bad(input, detail),
            }
            if let Some((interface, packets)) = dropped {
                return Item::Dropped { interface, packets };
            }
        }
    }

    /// Shows up to `most` frames that come next, as far as they are in memory; nothing is consumed.
    pub fn look_ahead<'a>(&self, mut ahead: &'a [u8], most: usize, mut each: impl FnMut(u16, &'a [u8])) {
        for _ in 0..most {
            if self.skipping.is_some() {
                return;
            }
            let Some(header) = ahead.get(..28) else { return };
            let length = self.order.u32(header, 4) as usize;
            let captured = self.order.u32(header, 20) as usize;
            let interface = self.section_base + self.order.u32(header, 8) as usize;
            let Some(link_type) = self.interfaces.get(interface).map(|known| known.link_type) else { return };
            if self.order.u32(header, 0) != ENHANCED_PACKET {
                return;
            }
            let Some((block, rest)) = ahead.split_at_checked(length) else { return };
            let Some(frame) = block.get(28..28 + captured) else { return };
            each(link_type, frame);
            ahead = rest;
        }
    }

    fn frame<'a>(&mut self, input: &'a mut Input, length: usize, packet: &Packet) -> Item<'a> {
        // A packet block is in the window whole: its data ends there, and its options are 64 KiB at most.
        if length > BLOCK_WINDOW + 12 {
            return self.bad(input, format!("a packet block of {length} bytes"));
        }
        let Some(interface) = self.interfaces.get(packet.interface) else {
            let number = packet.interface - self.section_base;
            return self.bad(input, format!("a packet of interface {number}, which is not declared"));
        };
        let ts = packet.ts.map_or(0, |ticks| {
            let since_offset = interface.clock.nanoseconds(ticks);
            since_offset.saturating_add(interface.offset_s.saturating_mul(1_000_000_000))
        });
        let link_type = interface.link_type;
        input.advance(length);
        Item::Frame(Record {
            ts,
            wire_length: packet.wire_length.max(packet.captured as u32),
            link_type,
            interface: packet.interface.min(usize::from(u16::MAX)) as u16,
            data: input.held(length - 8 - packet.data_at, packet.captured),
        })
    }

    #[cold]
    fn end(&mut self, input: &Input, left: usize, wanted: usize) -> Item<'static> {
        if input.waits() {
            return Item::Pause;
        }
        self.ended = true;
        Item::End(early_end(input, left, wanted))
    }

    #[cold]
    fn bad(&mut self, input: &Input, detail: String) -> Item<'static> {
        self.ended = true;
        Item::End(Some(Flaw::new(FlawKind::BadBlock, input.offset(), detail)))
    }

    fn interface(&mut self, block: &[u8]) -> Result<(), String> {
        if block.len() < 8 {
            return Err("an interface description without its 8 bytes".into());
        }
        if self.interfaces.len() >= INTERFACE_LIMIT {
            return Err(format!("more than {INTERFACE_LIMIT} interfaces"));
        }
        let mut interface = Interface {
            link_type: self.order.u16(block, 0),
            snaplen: self.order.u32(block, 4),
            clock: Clock::Coarse(1_000),
            offset_s: 0,
            dropped: 0,
        };
        for (code, value) in options(self.order, &block[8..]) {
            match (code, value.len()) {
                (9, 1..) => interface.clock = Clock::new(value[0]),
                (14, 8..) => interface.offset_s = self.order.u64(value, 0) as i64,
                _ => {}
            }
        }
        self.interfaces.push(interface);
        Ok(())
    }

    /// What a packet block says was lost just before it, once.
    #[inline]
    fn newly_dropped(&mut self, packet: &Packet, offset: u64) -> Option<Item<'static>> {
        if packet.dropped == 0 || self.told == Some(offset) {
            return None;
        }
        self.told = Some(offset);
        let interface = self.interfaces.get_mut(packet.interface)?;
        // A part of what statistics blocks count from the start of the capture: they tell what is new beyond it.
        interface.dropped = interface.dropped.saturating_add(packet.dropped);
        let number = packet.interface.min(usize::from(u16::MAX)) as u16;
        Some(Item::Dropped { interface: number, packets: packet.dropped })
    }

    fn enhanced(&self, block: &[u8]) -> Result<Packet, String> {
        if block.len() < 20 {
            return Err("an enhanced packet block without its 20 bytes".into());
        }
        let ticks = u64::from(self.order.u32(block, 4)) << 32 | u64::from(self.order.u32(block, 8));
        let interface = self.order.u32(block, 0) as usize;
        let (captured, wire_length) = (self.order.u32(block, 12), self.order.u32(block, 16));
        let mut packet = self.packet(block, interface, Some(ticks), 20, captured, wire_length)?;
        // Option 4, epb_dropcount; most blocks have no options at all.
        let behind = block.get(20 + packet.captured.next_multiple_of(4)..).unwrap_or_default();
        if !behind.is_empty() {
            let counts = options(self.order, behind).filter(|(code, value)| *code == 4 && value.len() >= 8);
            packet.dropped = counts.map(|(_, value)| self.order.u64(value, 0)).fold(0, u64::saturating_add);
        }
        Ok(packet)
    }

    fn old(&self, block: &[u8]) -> Result<Packet, String> {
        if block.len() < 20 {
            return Err("a packet block without its 20 bytes".into());
        }
        let ticks = u64::from(self.order.u32(block, 4)) << 32 | u64::from(self.order.u32(block, 8));
        let interface = usize::from(self.order.u16(block, 0));
        let (captured, wire_length) = (self.order.u32(block, 12), self.order.u32(block, 16));
        let mut packet = self.packet(block, interface, Some(ticks), 20, captured, wire_length)?;
        // All ones where nobody counted.
        packet.dropped = match self.order.u16(block, 2) {
            u16::MAX => 0,
            dropped => u64::from(dropped),
        };
        Ok(packet)
    }

    fn simple(&self, block: &[u8]) -> Result<Packet, String> {
        if block.len() < 4 {
            return Err("a simple packet block without its length".into());
        }
        let wire_length = self.order.u32(block, 0);
        let snaplen = self.interfaces.get(self.section_base).map_or(0, |interface| interface.snaplen);
        let mut captured = wire_length.min((block.len() - 4) as u32);
        if snaplen > 0 {
            captured = captured.min(snaplen);
        }
        self.packet(block, 0, None, 4, captured, wire_length)
    }

    fn packet(
        &self,
        block: &[u8],
        interface: usize,
        ts: Option<u64>,
        data_at: usize,
        captured: u32,
        wire_length: u32,
    ) -> Result<Packet, String> {
        let captured = captured as usize;
        if captured > RECORD_LIMIT || captured > block.len() - data_at {
            return Err(format!("a packet of {captured} bytes in a block of {}", block.len() + 12));
        }
        Ok(Packet {
            interface: self.section_base.saturating_add(interface),
            ts,
            captured,
            wire_length,
            data_at,
            dropped: 0,
        })
    }

    /// isb_ifdrop (5) and isb_osdrop (7) count from the start of the capture: what is new is given on. Drops that packet
    /// blocks told of are among them.
    fn statistics(&mut self, block: &[u8]) -> Option<(u16, u64)> {
        if block.len() < 12 {
            return None;
        }
        let number = self.section_base.saturating_add(self.order.u32(block, 0) as usize);
        let mut total = 0u64;
        for (code, value) in options(self.order, &block[12..]) {
            if matches!(code, 5 | 7) && value.len() >= 8 {
                total = total.saturating_add(self.order.u64(value, 0));
            }
        }
        let interface = self.interfaces.get_mut(number)?;
        let new = total.saturating_sub(interface.dropped);
        interface.dropped = interface.dropped.max(total);
        (new > 0).then_some((number.min(usize::from(u16::MAX)) as u16, new))
    }
}

/// Passes over what is left of a block; where it does not end, what to say of it.
fn pass_over(input: &mut Input, skipping: &mut Skipping) -> Result<(), Item<'static>> {
    while skipping.left > 0 {
        let step = input.skip(skipping.left);
        skipping.left -= step;
        if step == 0 && input.waits() {
            return Err(Item::Pause);
        }
        if step == 0 {
            let Skipping { offset, length, .. } = *skipping;
            let detail = format!("the file ends inside the block of {length} bytes at byte {offset}");
            return Err(Item::End(Some(Flaw::new(FlawKind::Cut, input.offset(), detail))));
        }
    }
    Ok(())
}

fn section_order(head: &[u8]) -> Option<Order> {
    [Order::Little, Order::Big].into_iter().find(|order| order.u32(head, 8) == BYTE_ORDER_MAGIC)
}

/// The options of a block, as (code, value), until the end mark or the first that does not fit.
fn options(order: Order, mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        if bytes.len() < 4 {
            return None;
        }
        let code = order.u16(bytes, 0);
        let length = usize::from(order.u16(bytes, 2));
        if code == 0 || 4 + length > bytes.len() {
            return None;
        }
        let value = &bytes[4..4 + length];
        bytes = &bytes[(4 + length.next_multiple_of(4)).min(bytes.len())..];
        Some((code, value))
    })
}
