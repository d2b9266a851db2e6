//! A capture in, rows out: the way of every frame, stage by stage.

mod kept;
mod numbers;
mod place;
mod time;
mod within;

use arrow_array::RecordBatch;

use crate::anomaly::{AnomalyKind, At, Flowless};
use crate::coverage::Coverage;
use crate::duplicates::Duplicates;
use crate::flow::{CoverageDelta, Flow, FlowKey, FlowTable, Identity, Networks, Shared};
use crate::fragments::Fragments;
use crate::inventory::ndp;
use crate::layer2::{self, FrameOutput};
use crate::limits::Limits;
use crate::link::{self, LinkError, Network};
use crate::net::{self, Malformed, Packet};
use crate::observations::Observed;
use crate::protocol::mqtt::Names;
use crate::protocol::{Counts, FrameMemory};
use crate::source::{Item, Record, Source};
use crate::summary::Summary;
use crate::tables::Tables;
use crate::tcp::{Challenger, Held, Reuse};
use crate::transport::{self, Segment, TCP, UDP};
use crate::tunnel;
use crate::warm::Ahead;
use crate::words::{EndReason, Layer};

pub use kept::Kept;
use numbers::Numbers;

/// Rows after which a call returns before it has taken all the frames that it may: a super-frame can hold 7,000
/// messages, so that frames alone do not bound a batch.
pub const ROWS_A_CALL: usize = 1 << 18;

/// IP protocols whose packets say nothing that is left unread: ICMP, IGMP, TCP, UDP, ICMPv6.
const READ_PROTOCOLS: [u8; 5] = [1, 2, TCP, UDP, ICMPV6];

const ICMPV6: u8 = 58;

/// Slots of the flow table, each once however many flows it had: a flood of flows makes no list of its length.
#[derive(Default)]
struct ActiveSlots {
    slots: Vec<u32>,
    listed: Vec<bool>,
}

impl ActiveSlots {
    fn add(&mut self, slot: u32) {
        let index = slot as usize;
        if self.listed.len() <= index {
            self.listed.resize(index + 1, false);
        }
        if !std::mem::replace(&mut self.listed[index], true) {
            self.slots.push(slot);
        }
    }

    fn take(&mut self) -> Vec<u32> {
        for slot in &self.slots {
            self.listed[*slot as usize] = false;
        }
        std::mem::take(&mut self.slots)
    }
}

/// What carried a packet: one frame, or those of its fragments.
#[derive(Clone, Copy)]
struct Carried {
    interface: u16,
    packets: u32,
    wire_bytes: u32,
    /// The capture does not have all of it.
    cut: bool,
    /// Of the frame that completed it.
    at: At,
}

/// What a packet of another protocol than TCP carries.
struct Said<'a> {
    payload: &'a [u8],
    length: u32,
    /// Which of the networks behind tunnels it was said in.
    network: u16,
    is_copy: bool,
}

/// Decodes frames, one after the other.
pub struct Decoder {
    shared: Shared,
    table: FlowTable,
    numbers: Numbers,
    networks: Networks,
    duplicates: Duplicates,
    ahead: Ahead,
    fragments: Fragments,
    coverage: Coverage,
    summary: Summary,
    flowless: Flowless,
    /// Slots with traffic in the current minute.
    active: ActiveSlots,
    minute: Option<i64>,
    /// When flows were last looked through for silence.
    swept: i64,
    interfaces_unread: Vec<u16>,
    /// Interface and link type of the frames that came last, and how many they were.
    run: (u16, u16),
    run_frames: u64,
    /// Messages without room that the coverage was told of.
    messages_told: u64,
    /// The source had nothing more when it was asked last.
    idle: bool,
    ended: bool,
}

impl Decoder {
    pub fn new(limits: Limits) -> Self {
        Self {
            shared: Shared {
                last_flow_id: 0,
                tables: Tables::default(),
                limits,
                counts: Counts::default(),
                observed: Observed::default(),
                frames: FrameMemory::default(),
                sparkplug: Names::default(),
                held: Held::default(),
                covered: CoverageDelta::default(),
                undecided_bytes: 0,
            },
            table: FlowTable::default(),
            numbers: Numbers::new(&limits),
            networks: Networks::default(),
            duplicates: Duplicates::default(),
            ahead: Ahead::default(),
            fragments: Fragments::default(),
            coverage: Coverage::default(),
            summary: Summary::default(),
            flowless: Flowless::default(),
            active: ActiveSlots::default(),
            minute: None,
            swept: i64::MIN,
            interfaces_unread: Vec::new(),
            run: (u16::MAX, u16::MAX),
            run_frames: 0,
            messages_told: 0,
            idle: false,
            ended: false,
        }
    }

    /// Decodes up to `most` frames, fewer where they make many rows, where flows cannot be numbered any more, or where
    /// the source pauses; false once the capture has ended.
    pub fn run(&mut self, source: &mut Source, most: u64) -> bool {
        self.idle = false;
        for _ in 0..most {
            if self.ahead.is_used_up() {
                self.ahead.look(source, &self.table, &self.duplicates);
            }
            match source.next_item() {
                Item::Frame(record) => {
                    self.ahead.pass();
                    self.frame(&record);
                    if self.shared.tables.rows() >= self.numbers.rows_a_call {
                        return true;
                    }
                }
                Item::Dropped { interface, packets } => {
                    self.summary.dropped_packets += packets;
                    self.coverage.cell(interface).dropped += packets;
                }
                Item::Flaw(flaw) => self.flaw(&flaw),
                Item::Between => {}
                Item::Quiet(now) => self.quiet(now),
                Item::Pause => {
                    self.idle = true;
                    return true;
                }
                Item::End(flaw) => {
                    self.end(flaw);
                    return false;
                }
            }
        }
        true
    }

    /// True where the last run stopped because the source had nothing more for now.
    pub fn is_idle(&self) -> bool {
        self.idle
    }

    /// Ends the capture where there is no source to say so.
    pub fn finish_capture(&mut self) {
        self.end(None);
    }

    /// The rows since the last call, by table.
    pub fn take(&mut self) -> Vec<(&'static str, RecordBatch)> {
        self.end_run();
        self.shared.tables.take()
    }

    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Names of Sparkplug metrics that had no room.
    pub fn names_not_kept(&self) -> u64 {
        self.shared.sparkplug.not_kept
    }

    pub fn counts(&self) -> &Counts {
        &self.shared.counts
    }

    /// The number of the last frame.
    pub fn frame_number(&self) -> u64 {
        self.summary.frames
    }

    /// Takes one frame.
    pub fn frame(&mut self, record: &Record<'_>) {
        let summary = &mut self.summary;
        summary.frames += 1;
        summary.count_time(record.ts);
        let at = At { ts: record.ts, frame: summary.frames };
        self.pass_time(record.ts);
        let cut = record.wire_length as usize - record.data.len();
        let cell = self.coverage.cell(record.interface);
        cell.link_type = record.link_type;
        cell.packets += 1;
        cell.wire_bytes += u64::from(record.wire_length);
        cell.captured_bytes += record.data.len() as u64;
        if cut > 0 {
            cell.cut += 1;
            self.summary.truncated_frames += 1;
        }
        self.count_interface(record);
        let link = match link::read(record.link_type, record.data) {
            Ok(link) => link,
            Err(LinkError::UnknownType) => return self.unknown_link(record, at),
            Err(LinkError::Short) => {
                let why = "shorter than its link header";
                return self.malformed(record.interface, AnomalyKind::LinkHeader, why, at);
            }
        };
        self.summary.count_link(&link);
        let (interface, wire_bytes) = (record.interface, record.wire_length);
        let carried = Carried { interface, packets: 1, wire_bytes, cut: cut > 0, at };
        let read = match link.network {
            Network::V4(bytes) => net::v4(bytes, cut),
            Network::V6(bytes) => net::v6(bytes, cut),
            _ => return self.network(&carried, &link, cut, None),
        };
        match read {
            Ok(packet) if tunnel::is_plain(&packet) => {
                self.summary.count_protocol(packet.protocol);
                self.plain(&carried, &link, &packet);
            }
            Ok(packet) => self.packet(&carried, &link, &packet, None),
            Err(Malformed(why)) => self.malformed(interface, AnomalyKind::NetworkHeader, why, at),
        }
    }

    /// Takes a packet that is whole and has no other one inside.
    ///
    /// Every frame comes this way, and calls on it cost a tenth of the speed: it and all that it calls for most packets
    /// are a part of `frame`, and once more of `packet`, which tunnels and fragments go through.
    #[inline(always)]
    fn plain(&mut self, carried: &Carried, link: &link::Link<'_>, packet: &Packet<'_>) {
        let Carried { interface, at, .. } = *carried;
        let (network, is_copy) = match link.tunnel.id {
            None => (0, self.duplicates.is_copy(packet, 0, at.ts)),
            Some(_) => self.place(link, packet, at.ts),
        };
        if is_copy {
            self.summary.duplicates += 1;
            self.coverage.cell(interface).duplicates += 1;
        }
        if packet.protocol == ICMPV6 {
            let Shared { tables, limits, observed, frames: memory, .. } = &mut self.shared;
            let flowless = &mut self.flowless;
            let mut out = FrameOutput { link, at, tables, observed, flowless, limits, memory };
            ndp::read(packet, &mut out);
        }
        if packet.protocol == TCP {
            match transport::tcp(packet.transport, packet.transport_length) {
                Ok(segment) => self.tcp(carried, link, (packet, network), &segment, is_copy),
                Err(Malformed(why)) => self.bad_transport(interface, Layer::Tcp, why, at),
            }
            return;
        }
        let (ports, payload, length) = if packet.protocol == UDP {
            match transport::udp(packet.transport, packet.transport_length) {
                Ok(datagram) => {
                    let ports = [datagram.source_port, datagram.destination_port];
                    (ports, datagram.payload, datagram.length)
                }
                Err(Malformed(why)) => return self.bad_transport(interface, Layer::Udp, why, at),
            }
        } else {
            if !READ_PROTOCOLS.contains(&packet.protocol) {
                self.unread(interface);
            }
            ([0, 0], &[][..], packet.transport_length as u32)
        };
        self.datagram(carried, link, packet, ports, Said { payload, length, network, is_copy });
    }

    #[inline(always)]
    fn tcp(
        &mut self,
        carried: &Carried,
        link: &link::Link<'_>,
        (packet, network): (&Packet<'_>, u16),
        segment: &Segment<'_>,
        is_copy: bool,
    ) {
        let Carried { interface, packets, wire_bytes, at, .. } = *carried;
        let ports = [segment.source_port, segment.destination_port];
        let key = FlowKey::new(packet, ports[0], ports[1]).within(network);
        let mut found = self.table.find_near(&key, self.ahead.likely());
        if is_copy {
            return self.copy(found, packet, ports[0], at);
        }
        if let Some(slot) = found {
            let flow = self.table.get(slot);
            let side = flow.side_of(packet, ports[0]);
            match flow.judge(side, segment, at.ts, &self.shared.limits) {
                Reuse::None => {}
                Reuse::Challenges => {
                    if flow.challenge(side, segment, wire_bytes, at, &mut self.shared) {
                        self.active.add(slot);
                    }
                    return;
                }
                Reuse::Opens => {
                    self.finish(slot, EndReason::Reused);
                    found = None;
                }
                Reuse::Answers => {
                    let challenger = flow.take_challenger();
                    self.finish(slot, EndReason::Reused);
                    let identity = Identity::new(key, link, packet, ports[0]).reversed();
                    found = challenger.map(|first| self.begin_with(&first, identity, interface));
                }
            }
        }
        let slot = match found {
            Some(slot) => slot,
            None => self.open(Identity::new(key, link, packet, ports[0]), true, interface, at),
        };
        let flow = self.table.get(slot);
        let side = flow.side_of(packet, ports[0]);
        flow.core.interface = interface;
        if flow.is_first_of(side) {
            self.shared.note_sender(link, packet, at);
        }
        if flow.count(side, packets, wire_bytes, segment.length, at) {
            self.active.add(slot);
        }
        flow.segment(side, segment, at, &mut self.shared);
        self.table.touch(slot, at.ts);
        self.coverage.add(interface, &mut self.shared.covered);
    }

    /// A flow whose first segment was seen before it was known to be one.
    #[cold]
    fn begin_with(&mut self, first: &Challenger, identity: Identity, interface: u16) -> u32 {
        let slot = self.open(identity, true, interface, first.at);
        let flow = self.table.get(slot);
        flow.core.interface = interface;
        if flow.count(0, first.times, first.wire_bytes.saturating_mul(first.times), 0, first.at) {
            self.active.add(slot);
        }
        // Twice is enough to know that it was repeated.
        for _ in 0..first.times.min(2) {
            flow.first_segment(&first.segment(), first.at, &mut self.shared);
        }
        slot
    }

    fn datagram(
        &mut self,
        carried: &Carried,
        link: &link::Link<'_>,
        packet: &Packet<'_>,
        ports: [u16; 2],
        said: Said<'_>,
    ) {
        let Carried { interface, packets, wire_bytes, at, .. } = *carried;
        let key = FlowKey::new(packet, ports[0], ports[1]).within(said.network);
        let found = self.table.find_near(&key, self.ahead.likely());
        if said.is_copy {
            return self.copy(found, packet, ports[0], at);
        }
        let slot = match found {
            Some(slot) => slot,
            None => self.open(Identity::new(key, link, packet, ports[0]), false, interface, at),
        };
        let flow = self.table.get(slot);
        let side = flow.side_of(packet, ports[0]);
        flow.core.interface = interface;
        if flow.is_first_of(side) {
            self.shared.note_sender(link, packet, at);
        }
        if flow.count(side, packets, wire_bytes, said.length, at) {
            self.active.add(slot);
        }
        flow.datagram(side, said.payload, at, &mut self.shared);
        self.table.touch(slot, at.ts);
    }

    fn copy(&mut self, found: Option<u32>, packet: &Packet<'_>, source_port: u16, at: At) {
        let Some(slot) = found else { return };
        let flow = self.table.get(slot);
        let side = flow.side_of(packet, source_port);
        if flow.count_duplicate(side, at) {
            self.active.add(slot);
        }
    }

    /// A new flow; the table's limit may cost another one its place.
    fn open(&mut self, identity: Identity, is_tcp: bool, interface: u16, at: At) -> u32 {
        if self.table.len() as u64 >= self.shared.limits.flow_limit {
            let share = self.shared.limits.flows_per_source;
            if let Some(victim) = self.table.victim(identity.ip(0), share) {
                self.finish(victim, EndReason::Evicted);
                self.summary.evicted_flows += 1;
                self.coverage.cell(interface).evicted_flows += 1;
            }
        }
        let slot = self.table.add(|serial| Flow::new(serial, identity, at, is_tcp));
        self.numbers.watch(self.shared.last_flow_id, self.table.len());
        slot
    }

    fn finish(&mut self, slot: u32, reason: EndReason) {
        let mut flow = self.table.remove(slot);
        // Where the ports are used again the next flow is there at once, of the same key.
        if reason != EndReason::Reused {
            self.networks.forget(&flow.core.identity.key);
        }
        let now = self.summary.last_ts.unwrap_or_default();
        let minute = self.minute.unwrap_or_default();
        flow.end(reason, now, minute, &mut self.shared);
        self.coverage.add(flow.core.interface, &mut self.shared.covered);
    }

    fn report(&mut self, kind: AnomalyKind, at: At, detail: &str) {
        self.report_met(Layer::Application, kind, at, detail);
    }

    /// The same, of a kind that more than one layer knows.
    fn report_met(&mut self, layer: Layer, kind: AnomalyKind, at: At, detail: &str) {
        let Shared { tables, limits, .. } = &mut self.shared;
        self.flowless.report((layer, kind), at, detail, limits, &mut tables.anomalies);
    }

    #[cold]
    fn malformed(&mut self, interface: u16, kind: AnomalyKind, why: &str, at: At) {
        self.count_malformed(interface);
        self.report(kind, at, why);
    }

    #[cold]
    fn bad_transport(&mut self, interface: u16, layer: Layer, why: &str, at: At) {
        self.count_malformed(interface);
        self.report_met(layer, AnomalyKind::TransportHeader, at, why);
    }

    fn count_malformed(&mut self, interface: u16) {
        self.coverage.cell(interface).malformed += 1;
        self.summary.malformed_frames += 1;
    }

    /// A frame that carries no IP packet.
    fn without_ip(&mut self, carried: &Carried, link: &link::Link<'_>, ether_type: u16, payload: &[u8]) {
        let Carried { interface, at, .. } = *carried;
        let Some(read) = layer2::reader(ether_type, payload) else { return self.unread(interface) };
        let Shared { tables, limits, observed, frames: memory, .. } = &mut self.shared;
        let flowless = &mut self.flowless;
        let mut out = FrameOutput { link, at, tables, observed, flowless, limits, memory };
        if !read(payload, &mut out) {
            let why = "not what its Ethernet type says";
            self.malformed(interface, AnomalyKind::NetworkHeader, why, at);
        }
    }

    #[cold]
    fn unread(&mut self, interface: u16) {
        self.coverage.cell(interface).unread += 1;
        self.summary.unread_frames += 1;
    }

    #[cold]
    fn unknown_link(&mut self, record: &Record<'_>, at: At) {
        self.unread(record.interface);
        if !self.interfaces_unread.contains(&record.interface) && self.interfaces_unread.len() < 256 {
            self.interfaces_unread.push(record.interface);
            let detail =
                format!("interface {}: link type {} is not read", record.interface, record.link_type);
            self.report(AnomalyKind::UnknownLinkType, at, &detail);
        }
    }

    /// Counts a frame for its link type; frames of one interface come in runs, which cost one comparison.
    #[inline]
    fn count_interface(&mut self, record: &Record<'_>) {
        let here = (record.interface, record.link_type);
        if self.run != here {
            self.end_run();
            self.run = here;
            self.summary.interfaces_seen.insert(record.interface);
        }
        self.run_frames += 1;
    }

    fn end_run(&mut self) {
        if self.run_frames > 0 {
            *self.summary.link_types.entry(self.run.1).or_default() += self.run_frames;
            self.run_frames = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::time::SECOND_NS;
    use super::*;

    #[test]
    fn a_flood_of_flows_within_a_minute_leaves_no_list_of_them() {
        let mut limits = Limits::default();
        limits.set("flow_limit", 4).unwrap();
        let mut decoder = Decoder::new(limits);
        let mut packet = vec![0x45, 0, 0, 28, 0, 0, 0, 0, 64, UDP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        packet.extend([0, 0, 0, 7, 0, 8, 0, 0]);
        for port in 0..1_000u16 {
            packet[20..22].copy_from_slice(&port.to_be_bytes());
            decoder.frame(&Record { ts: 0, wire_length: 28, link_type: 101, interface: 0, data: &packet });
        }
        assert_eq!(decoder.summary().evicted_flows, 996);
        assert!(decoder.active.slots.len() <= 4, "{}", decoder.active.slots.len());
        decoder.finish_capture();
        assert_eq!(decoder.shared.tables.flow_minutes.len(), 1_000);
    }

    #[test]
    fn a_minute_ends_by_the_clock_of_the_source_where_no_frame_comes() {
        let mut decoder = Decoder::new(Limits::default());
        decoder.quiet(59 * SECOND_NS);
        let packet = [0x45, 0, 0, 20, 0, 0, 0, 0, 64, 253, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
        decoder.frame(&Record { ts: 0, wire_length: 20, link_type: 101, interface: 0, data: &packet });
        decoder.quiet(59 * SECOND_NS);
        assert_eq!(decoder.shared.tables.coverage.len(), 0);
        decoder.quiet(60 * SECOND_NS);
        assert_eq!(decoder.shared.tables.coverage.len(), 1);
        assert_eq!(decoder.shared.tables.flow_minutes.len(), 1);
        // What has passed without a frame leaves no row.
        decoder.quiet(600 * SECOND_NS);
        decoder.finish_capture();
        assert_eq!(decoder.shared.tables.coverage.len(), 1);
    }
}
