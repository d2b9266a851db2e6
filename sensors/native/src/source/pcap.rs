//! The classic capture format, in both byte orders and both resolutions (draft-ietf-opsawg-pcap).

use super::{Description, Flaw, FlawKind, Input, Item, OpenError, Order, RECORD_LIMIT, Record};

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

const MICROSECONDS: u32 = 0xa1b2_c3d4;
const NANOSECONDS: u32 = 0xa1b2_3c4d;

/// True where the first four bytes are those of a pcap file.
pub fn is_magic(head: &[u8]) -> bool {
    head.len() == 4 && order_and_unit(head).is_some()
}

fn order_and_unit(head: &[u8]) -> Option<(Order, i64)> {
    [Order::Little, Order::Big].into_iter().find_map(|order| match order.u32(head, 0) {
        MICROSECONDS => Some((order, 1_000)),
        NANOSECONDS => Some((order, 1)),
        _ => None,
    })
}

pub struct Pcap {
    order: Order,
    /// Nanoseconds of one unit of the fraction.
    unit_ns: i64,
    snaplen: u32,
    link_type: u16,
    ended: bool,
}

impl Pcap {
    pub fn start(input: &mut Input) -> Result<Self, OpenError> {
        let header = input.peek(FILE_HEADER)?;
        if header.len() < FILE_HEADER {
            let length = header.len() as u64;
            if input.waits() {
                return Err(OpenError::NotYet);
            }
            let message =
                format!("a pcap file header has {FILE_HEADER} bytes, this file ends after {length}");
            return Err(OpenError::not(message, length));
        }
        let (order, unit_ns) = order_and_unit(header).expect("the caller has seen the magic");
        let pcap = Self {
            order,
            unit_ns,
            snaplen: order.u32(header, 16),
            // The upper half says whether frames end in an FCS; the type is the lower one.
            link_type: (order.u32(header, 20) & 0xffff) as u16,
            ended: false,
        };
        input.advance(FILE_HEADER);
        Ok(pcap)
    }

    pub fn description(&self) -> Description {
        Description {
            format: "pcap",
            byte_order: self.order.name(),
            ts_resolution_ns: self.unit_ns as u64,
            snaplen: self.snaplen,
            interfaces: 1,
            ..Description::default()
        }
    }

    #[inline]
    pub fn next_item<'a>(&mut self, input: &'a mut Input) -> Item<'a> {
        if self.ended {
            return Item::End(None);
        }
        let header = input.window(RECORD_HEADER);
        if header.len() < RECORD_HEADER {
            let left = header.len();
            return self.end(input, left, RECORD_HEADER);
        }
        let order = self.order;
        let seconds = order.u32(header, 0);
        let fraction = order.u32(header, 4);
        let captured = order.u32(header, 8) as usize;
        let wire_length = order.u32(header, 12);
        if captured > RECORD_LIMIT {
            self.ended = true;
            let detail = format!("a record of {captured} bytes; the longest that is read has {RECORD_LIMIT}");
            return Item::End(Some(Flaw::new(FlawKind::RecordLength, input.offset(), detail)));
        }
        let whole = RECORD_HEADER + captured;
        let available = input.window(whole).len();
        if available < whole {
            return self.end(input, available, whole);
        }
        input.advance(whole);
        Item::Frame(Record {
            ts: i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.unit_ns,
            wire_length: wire_length.max(captured as u32),
            link_type: self.link_type,
            interface: 0,
            data: input.held(captured, captured),
        })
    }

    /// Shows up to `most` frames that come next, as far as they are in memory; nothing is consumed.
    pub fn look_ahead<'a>(&self, mut ahead: &'a [u8], most: usize, mut each: impl FnMut(u16, &'a [u8])) {
        for _ in 0..most {
            let Some((header, rest)) = ahead.split_at_checked(RECORD_HEADER) else { return };
            let captured = self.order.u32(header, 8) as usize;
            let Some((frame, rest)) = rest.split_at_checked(captured) else { return };
            each(self.link_type, frame);
            ahead = rest;
        }
    }

    #[cold]
    fn end(&mut self, input: &Input, left: usize, wanted: usize) -> Item<'static> {
        if input.waits() {
            return Item::Pause;
        }
        self.ended = true;
        Item::End(early_end(input, left, wanted))
    }
}

/// Why a stream ended with `left` bytes of a record of `wanted`; none where it ended between records.
pub fn early_end(input: &Input, left: usize, wanted: usize) -> Option<Flaw> {
    let offset = input.offset();
    let here = offset + left as u64;
    if let Some(error) = input.error() {
        return Some(Flaw::new(FlawKind::Unreadable, here, error));
    }
    let detail =
        || format!("the file ends {left} bytes into a record of {wanted} that starts at byte {offset}");
    (left > 0).then(|| Flaw::new(FlawKind::Cut, here, detail()))
}
