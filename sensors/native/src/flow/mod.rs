//! Packets of one 5-tuple in; roles, counters, rows and the parser's bytes out.

mod chain;
mod counters;
mod heard;
mod identity;
mod index;
mod networks;
mod reuse;
mod rows;
mod slab;
mod sources;
mod table;
mod talk;

use crate::anomaly::{AnomalyKind, At, Tally};
use crate::limits::Limits;
use crate::link::Link;
use crate::net::Packet;
use crate::observations::Observed;
use crate::protocol::mqtt::Names;
use crate::protocol::{Counts, FrameMemory, Parser, Protocol};
use crate::tables::Tables;
use crate::tcp::{Connection, Held, Listener, Sample};
use crate::transport::{Segment, flag};
use crate::words::{Confidence, EndReason, RoleSource, Service};

use counters::Counted;
use heard::Heard;
pub use identity::{FlowKey, Identity};
pub use networks::Networks;
pub use table::{FlowTable, Queue};
use talk::Talk;

/// Packets of one side alone that prove a flow: where the other side cannot be seen, a flood of the like costs so many
/// times more.
const PROVEN_PACKETS: u8 = 8;

/// What all flows write to and obey.
pub struct Shared {
    /// The number of the last flow whose first row was written.
    pub last_flow_id: u32,
    pub tables: Tables,
    pub limits: Limits,
    pub counts: Counts,
    pub observed: Observed,
    pub frames: FrameMemory,
    pub sparkplug: Names,
    pub held: Held,
    /// What the coverage was not told yet.
    pub covered: CoverageDelta,
    /// Bytes of payloads that wait until it is known who is the client.
    pub undecided_bytes: u64,
}

impl Shared {
    /// A flow's sender is seen for the first time: how far away it is, and in which VLAN.
    pub fn note_sender(&mut self, link: &Link<'_>, packet: &Packet<'_>, at: At) {
        let Self { observed, limits, tables, .. } = self;
        observed.note_sender(link, packet, at, limits, &mut tables.observations);
    }
}

/// Who is the client, and how that is known.
#[derive(Clone, Copy, Debug)]
pub struct Roles {
    /// The client's side: 0 is who sent the first packet.
    client: u8,
    pub source: RoleSource,
}

impl Roles {
    pub fn new(client: usize, source: RoleSource) -> Self {
        Self { client: client as u8, source }
    }

    /// The client's side.
    #[inline]
    pub fn client(self) -> usize {
        usize::from(self.client & 1)
    }
}

/// The minute that is being counted.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Minute {
    pub last: At,
    counted: Counted,
}

/// What waits until it is known who is the client.
enum Waiting {
    Bytes(usize, Vec<u8>, At),
    Gap(usize, u64, At),
    Sample(Sample, bool, u64, At),
    Anomaly(AnomalyKind, At, String),
}

/// What a flow heard before it was known who is the client, or who reads its messages: most hear nothing.
#[derive(Default)]
struct Early {
    waiting: Vec<Waiting>,
    /// Bytes missing from each side's stream before there was a parser to tell.
    missed: [u64; 2],
    /// The other side spoke behind bytes of this one that were not seen.
    unseen: [bool; 2],
    heard: Heard,
}

/// Everything of a flow but its TCP state.
///
/// In this order: what every packet reads lies side by side and first, up to the key, so that few cache lines are waited
/// for.
#[repr(C)]
pub struct Core {
    /// The protocol whose messages are read, and who reads them.
    parser: Option<(&'static Protocol, Box<dyn Parser>)>,
    /// From 1, in the order of the flows' first rows; 0 before that row.
    pub id: u32,
    /// The capture interface that saw it last.
    pub interface: u16,
    pub roles: Option<Roles>,
    pub established: bool,
    /// Enough was heard that a flood does not make the like of it.
    proven: bool,
    /// Who was heard, a bit a side, and how often in all.
    heard: u8,
    heard_packets: u8,
    service: Service,
    confidence: Confidence,
    /// The flow was handed over: its name stays whatever is read now.
    named_for_good: bool,
    /// The connection was closed or reset.
    closed: bool,
    /// Payloads that were shown to the protocols.
    looked: u8,
    joined_midstream: bool,
    /// Something was counted in this minute.
    pub active: bool,
    pub queued: Queue,
    pub last: At,
    pub minute: Minute,
    pub identity: Identity,
    early: Option<Box<Early>>,
    /// Of the minutes that are over: there from the first one on.
    totals: Option<Box<Counted>>,
    tally: Tally,
    pub first: At,
    /// The first packet of the minute, while it is active.
    minute_first: At,
}

/// One flow.
///
/// In this order: of the TCP state what opens a connection comes first, of the rest what ends a flow comes last, and what
/// every packet reads is in between, on five cache lines of their own.
#[repr(C, align(64))]
pub struct Flow {
    /// In place, not boxed: every segment reads it, and one more pointer is one more cache miss.
    tcp: Option<Connection>,
    /// When it was last moved to the fresh end of its queue.
    pub touched: i64,
    pub core: Core,
    /// The flow's place in the order of first packets.
    pub serial: u64,
}

/// What the coverage of a minute is told by a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CoverageDelta {
    pub data_segments: u64,
    pub unseen_segments: u64,
    pub gap_bytes: u64,
}

impl Flow {
    /// A flow with its first packet's identity; it counts nothing yet.
    pub fn new(serial: u64, identity: Identity, at: At, is_tcp: bool) -> Self {
        Self {
            core: Core {
                id: 0,
                identity,
                first: at,
                minute_first: At::default(),
                last: at,
                roles: None,
                minute: Minute::default(),
                totals: None,
                established: false,
                proven: false,
                heard: 0,
                heard_packets: 0,
                service: Service::Unknown,
                confidence: Confidence::None,
                parser: None,
                named_for_good: false,
                closed: false,
                looked: 0,
                joined_midstream: false,
                active: false,
                queued: if is_tcp { Queue::TcpNew } else { Queue::OtherNew },
                early: None,
                tally: Tally::default(),
                interface: 0,
            },
            serial,
            tcp: is_tcp.then(Connection::default),
            touched: at.ts,
        }
    }

    /// Reads a little of every cache line that the next packet needs; the value means nothing.
    #[inline(always)]
    pub fn glance(&self) -> u64 {
        let core = &self.core;
        let tcp = self.tcp.as_ref().map_or(0, Connection::glance);
        tcp ^ self.touched as u64 ^ core.last.frame ^ u64::from(core.identity.protocol())
    }

    /// Which side sent a packet.
    #[inline]
    pub fn side_of(&self, packet: &Packet<'_>, source_port: u16) -> usize {
        self.core.identity.side_of(&packet.source, source_port)
    }

    /// True where a side has not sent a packet yet.
    #[inline]
    pub fn is_first_of(&self, side: usize) -> bool {
        self.core.is_unseen(side)
    }

    /// Counts a packet, which came in so many; true where it is the first of the minute.
    #[inline]
    pub fn count(&mut self, side: usize, packets: u32, wire_bytes: u32, payload_bytes: u32, at: At) -> bool {
        let core = &mut self.core;
        core.last = core.last.later(at);
        core.prove(side);
        let first = core.touch_minute(at);
        let counters = &mut core.minute.counted.sides[side];
        counters.packets = counters.packets.saturating_add(packets);
        counters.wire_bytes += u64::from(wire_bytes);
        counters.payload_bytes += u64::from(payload_bytes);
        core.established |= payload_bytes > 0;
        first
    }

    /// Counts a SPAN duplicate; true where it is the first packet of the minute.
    pub fn count_duplicate(&mut self, side: usize, at: At) -> bool {
        let first = self.core.touch_minute(at);
        let duplicates = &mut self.core.minute.counted.incidents_of(side).duplicate_packets;
        *duplicates = duplicates.saturating_add(1);
        first
    }

    /// Takes a TCP segment.
    #[inline(always)]
    pub fn segment(&mut self, side: usize, segment: &Segment<'_>, at: At, shared: &mut Shared) {
        let Self { core, tcp, .. } = self;
        let Some(tcp) = tcp else { return };
        if core.roles.is_none() {
            if segment.has(flag::SYN) && !segment.has(flag::RST) {
                let answer = segment.has(flag::ACK);
                let client = if answer { 1 - side } else { side };
                let source = if answer { RoleSource::SynAck } else { RoleSource::Syn };
                Talk { core, shared }.decide(client, source);
            } else {
                core.joined_midstream = true;
            }
        }
        if segment.flags & (flag::RST | flag::FIN) != 0 {
            let incidents = core.minute.counted.incidents_of(side);
            incidents.resets += u32::from(segment.has(flag::RST));
            incidents.fins += u32::from(segment.has(flag::FIN));
        }
        let limits = shared.limits.reassembly();
        // Taken out for the call, so that the listener can write to everything else.
        let mut held = std::mem::take(&mut shared.held);
        tcp.segment(side, segment, at, &limits, &mut held, &mut Talk { core, shared });
        shared.held = held;
        core.established |= tcp.is_open;
    }

    /// The queue that this flow waits in for its end.
    #[inline]
    pub fn queue(&self) -> Queue {
        match &self.tcp {
            Some(tcp) if tcp.reset || tcp.closed_by_fin() => Queue::TcpClosed,
            Some(_) if self.core.proven => Queue::TcpOpen,
            Some(_) => Queue::TcpNew,
            None if self.core.proven => Queue::Other,
            None => Queue::OtherNew,
        }
    }

    /// Takes a packet of another protocol than TCP. Without TCP's signs what it says, its port, or who spoke first
    /// tells the roles.
    pub fn datagram(&mut self, side: usize, payload: &[u8], at: At, shared: &mut Shared) {
        let core = &mut self.core;
        let mut talk = Talk { core, shared };
        if talk.core.roles.is_none() {
            talk.decide_by_datagram(side, payload);
        }
        if !payload.is_empty() && talk.wants_bytes() {
            talk.bytes(side, payload, at);
        }
    }

    /// The minute is over: writes its row.
    pub fn end_minute(&mut self, minute: i64, shared: &mut Shared) {
        self.settle(false, shared);
        let core = &mut self.core;
        let now = core.minute.last.ts;
        let mut talk = Talk { core, shared };
        if talk.core.roles.is_none() {
            talk.decide_by_port();
        }
        talk.with_parser(|parser, out| parser.expire(now, out));
        self.write_minute(minute, shared);
    }

    /// The flow is over: writes all that is left of it.
    pub fn end(&mut self, reason: EndReason, now: i64, minute: i64, shared: &mut Shared) {
        self.settle(true, shared);
        let core = &mut self.core;
        core.closed = self.tcp.as_ref().is_some_and(|tcp| tcp.reset || tcp.closed_by_fin());
        let mut talk = Talk { core, shared };
        if talk.core.roles.is_none() {
            talk.decide_by_port();
        }
        let capture_ended = reason == EndReason::EndOfCapture;
        let now = now.max(talk.core.last.ts);
        talk.with_parser(|parser, out| parser.end(now, capture_ended, out));
        talk.forget_heard();
        self.write_minute(minute, shared);
        let reason = match &self.tcp {
            Some(tcp) if reason == EndReason::Idle || capture_ended => {
                if tcp.closed_by_fin() {
                    EndReason::Fin
                } else if tcp.reset {
                    EndReason::Reset
                } else {
                    reason
                }
            }
            _ => reason,
        };
        self.write_flow(reason, shared);
    }

    fn settle(&mut self, end: bool, shared: &mut Shared) {
        self.forget_challenger(end, shared);
        let Self { core, tcp, .. } = self;
        let Some(tcp) = tcp else { return };
        if !tcp.is_unsettled() {
            return;
        }
        let at = core.last;
        let limits = shared.limits.reassembly();
        let mut held = std::mem::take(&mut shared.held);
        tcp.settle(at, end, &limits, &mut held, &mut Talk { core, shared });
        shared.held = held;
    }
}

impl Core {
    /// Notes who speaks.
    #[inline]
    fn prove(&mut self, side: usize) {
        if self.proven {
            return;
        }
        self.heard |= 1 << side;
        self.heard_packets = self.heard_packets.saturating_add(1);
        self.proven = self.heard == 3 || self.heard_packets >= PROVEN_PACKETS;
    }

    /// True where a side has not sent a packet yet.
    #[inline]
    fn is_unseen(&self, side: usize) -> bool {
        self.minute.counted.sides[side].packets == 0
            && self.totals.as_ref().is_none_or(|totals| totals.sides[side].packets == 0)
    }

    /// True where not one packet of one of the sides was seen yet.
    #[inline]
    fn is_one_sided(&self) -> bool {
        self.heard != 3 && (self.is_unseen(0) || self.is_unseen(1))
    }

    /// Reads a little of the parser.
    #[inline]
    pub fn glance_at_parser(&self) -> u64 {
        self.parser.as_ref().map_or(0, |(_, parser)| parser.glance())
    }

    /// Marks the minute as one with traffic; true where it was none before.
    #[inline]
    fn touch_minute(&mut self, at: At) -> bool {
        let minute = &mut self.minute;
        if self.active {
            minute.last = minute.last.later(at);
            return false;
        }
        self.active = true;
        minute.last = at;
        self.minute_first = at;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn what_every_segment_reads_of_a_flow_lies_on_five_cache_lines() {
        let core = offset_of!(Flow, core);
        assert_eq!(offset_of!(Flow, tcp) + Connection::FIRST_READ, 128);
        assert!(core + offset_of!(Core, identity) + Identity::READ <= 448, "{core}");
        assert!(size_of::<Flow>() <= 576, "{}", size_of::<Flow>());
    }

    #[test]
    fn each_of_those_lines_is_glanced_at() {
        let tcp = offset_of!(Flow, tcp);
        let core = offset_of!(Flow, core);
        let [reset, stream] = Connection::GLANCED;
        let frame = core + offset_of!(Core, last) + offset_of!(At, frame);
        let key = core + offset_of!(Core, identity) + Identity::READ - 1;
        let lines =
            [tcp + reset, tcp + stream, offset_of!(Flow, touched), frame, key].map(|place| place / 64);
        assert_eq!(lines, [2, 3, 4, 5, 6]);
    }
}
