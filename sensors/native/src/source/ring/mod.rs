//! A network interface in; frames, kernel drops and the passing of time out. Nothing is ever sent.
//!
//! The only place of the engine with `unsafe` code: `area` (the memory shared with the kernel) and `socket` (system
//! calls). It changes nothing on the interface but its promiscuous mode, which the kernel reverts on its own.

#[expect(unsafe_code, reason = "memory that is shared with the kernel")]
mod area;
mod block;
mod clock;
mod counters;
mod shape;
#[expect(unsafe_code, reason = "system calls")]
mod socket;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::recorder::Recorder;
use super::{Description, Flaw, FlawKind, Item, Record};
use area::Area;
use clock::HardwareClock;
use counters::add;
use shape::{blocks, link_type};
use socket::{RETIRE, Socket, Waited};

pub use counters::Counters;

/// Rows are handed over at least this often.
const BATCH: Duration = Duration::from_secs(1);

/// The longest wait without a look at whether we should end.
const WAIT: Duration = Duration::from_millis(100);

/// A partly filled block comes within the kernel's timer; then nothing more is on its way.
const LAST_BLOCK: Duration = Duration::from_millis(3 * RETIRE.as_millis() as u64);

/// How an interface is listened to.
#[derive(Clone, Debug)]
pub struct Options {
    pub interface: String,
    /// Memory of each ring.
    pub ring_bytes: usize,
    /// Bytes kept of a frame.
    pub snaplen: u32,
    pub promiscuous: bool,
    /// Wait for an interface that is down or away instead of ending.
    pub wait: bool,
}

/// Why an interface cannot be listened to.
#[derive(Debug)]
pub enum RingError {
    /// What was being done, and what the system said.
    Io(&'static str, io::Error),
    /// Its frames have a form (ARPHRD_) that is not read.
    LinkType(u16),
}

/// One ring: all of an interface's packets, or its share of the flows.
pub struct Ring {
    // The order matters: the mapping goes before the socket that it belongs to.
    area: Area,
    socket: Socket,
    options: Options,
    link_type: u16,
    counters: Arc<Counters>,
    recorder: Option<Recorder>,
    /// One of several rings of its interface.
    shares: bool,
    index: usize,
    /// The block at `index` is ours, and this many of its packets are still to be read, from this place on.
    holding: bool,
    left: u32,
    place: usize,
    /// To be given before anything else.
    pending: VecDeque<Item<'static>>,
    batch_ends: Instant,
    /// The time of the newest packet and the moment that it was read at: together they are a clock.
    newest: Option<(i64, Instant)>,
    hardware: HardwareClock,
    packets: u64,
    wire_bytes: u64,
    /// When the last blocks are in, once we are to end.
    ending: Option<Instant>,
    ended: bool,
}

impl Ring {
    /// Opens `count` rings that share the flows of one interface. No packet comes before `start`.
    pub fn open(options: &Options, count: usize) -> Result<Vec<Self>, RingError> {
        let mut rings = Vec::new();
        let mut group = None;
        for _ in 0..count.max(1) {
            let mut ring = Self::open_one(options)?;
            if count > 1 {
                ring.shares = true;
                let joined = ring.socket.join(group);
                group = Some(joined.map_err(|error| RingError::Io("sharing flows over rings", error))?);
            }
            rings.push(ring);
        }
        Ok(rings)
    }

    fn open_one(options: &Options) -> Result<Self, RingError> {
        let failed = |doing| move |error| RingError::Io(doing, error);
        let mut socket = Socket::open(&options.interface).map_err(failed("opening a packet socket"))?;
        let hardware_type = socket.hardware_type().map_err(failed("looking at the interface"))?;
        let link_type = link_type(hardware_type).ok_or(RingError::LinkType(hardware_type))?;
        let (block_bytes, blocks) = blocks(options.ring_bytes);
        let area = socket.ring(block_bytes, blocks).map_err(failed("setting up the ring"))?;
        socket.bind(options.promiscuous).map_err(failed("listening to the interface"))?;
        Ok(Self {
            area,
            socket,
            options: options.clone(),
            link_type,
            counters: Arc::default(),
            recorder: None,
            shares: false,
            index: 0,
            holding: false,
            left: 0,
            place: 0,
            pending: VecDeque::new(),
            batch_ends: Instant::now(),
            newest: None,
            hardware: HardwareClock::NotSeen,
            packets: 0,
            wire_bytes: 0,
            ending: None,
            ended: false,
        })
    }

    /// Records every frame too.
    pub fn record(&mut self, recorder: Recorder) {
        self.recorder = Some(recorder);
    }

    /// From now on packets come.
    pub fn start(&self) -> io::Result<()> {
        self.socket.accept(self.options.snaplen.max(1))
    }

    /// What it has seen; readable while it runs.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// LINKTYPE_ of the frames.
    pub fn link_type(&self) -> u16 {
        self.link_type
    }

    pub fn description(&self) -> Description {
        Description {
            format: "live",
            byte_order: if cfg!(target_endian = "little") { "little" } else { "big" },
            ts_resolution_ns: 1,
            compressed: false,
            snaplen: self.options.snaplen,
            interfaces: 1,
        }
    }

    /// The next frame; about once a second what was dropped, what time it is if nothing comes, and a pause.
    #[inline]
    pub fn next_item(&mut self) -> Item<'_> {
        if self.left == 0 {
            if let Some(item) = self.next_block() {
                return item;
            }
        }
        self.left -= 1;
        // The kernel's numbers are checked, and so the block is ours and the packet within it.
        let Some(block) = self.area.block(self.index) else { return Item::Between };
        let Some(packet) = block::packet(block, self.place) else {
            self.left = 0;
            add(&self.counters.bad_blocks, 1);
            return Item::Between;
        };
        self.place = packet.next;
        if packet.is_outgoing {
            add(&self.counters.own_packets, 1);
            return Item::Between;
        }
        let mut ts = packet.ts;
        if packet.hardware_time {
            if self.hardware != HardwareClock::Trusted {
                ts = self.hardware.time(ts, &self.socket, &self.counters);
            }
            add(&self.counters.hardware_timestamps, 1);
        }
        let packet = block::restore_tag(block, packet);
        let record = Record {
            ts,
            wire_length: packet.wire_length.max(packet.captured as u32),
            link_type: self.link_type,
            interface: 0,
            data: &block[packet.at..packet.at + packet.captured],
        };
        self.packets += 1;
        self.wire_bytes += u64::from(record.wire_length);
        if self.left == 0 {
            self.newest = Some((ts, Instant::now()));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.frame(&record);
        }
        Item::Frame(record)
    }

    /// Shows up to `most` packets of the current block that come next; those with a VLAN tag to restore are not ready.
    pub fn look_ahead<'a>(&'a self, most: usize, mut each: impl FnMut(u16, &'a [u8])) {
        let Some(block) = self.area.look(self.index).filter(|_| self.left > 0) else { return };
        let mut place = self.place;
        for _ in 0..most.min(self.left as usize) {
            let Some(packet) = block::packet(block, place) else { return };
            if !packet.has_tag() {
                each(self.link_type, &block[packet.at..packet.at + packet.captured]);
            }
            place = packet.next;
        }
    }

    /// Goes to the next block; what has to be said before its first packet.
    #[cold]
    fn next_block(&mut self) -> Option<Item<'static>> {
        loop {
            if let Some(item) = self.pending.pop_front() {
                return Some(item);
            }
            if self.ended {
                return Some(Item::End(None));
            }
            if self.holding {
                self.area.release(self.index);
                self.index = (self.index + 1) % self.area.blocks();
                self.holding = false;
            }
            let now = Instant::now();
            let is_ready = self.area.is_ready(self.index);
            if now >= self.batch_ends {
                self.batch_ends = now + BATCH;
                self.hand_over(now, !is_ready);
                continue;
            }
            if is_ready {
                if self.take_block() {
                    return None;
                }
                continue;
            }
            if let Some(last) = self.ending {
                if now >= last {
                    self.end(now);
                    continue;
                }
            } else if self.counters.is_stopped() {
                // Nothing more is let in: what is in the ring is all that is left.
                let _ = self.socket.accept(0);
                self.ending = Some(now + LAST_BLOCK);
            }
            self.wait(now);
        }
    }

    /// Takes the block that is ready; false where there is nothing in it.
    fn take_block(&mut self) -> bool {
        self.holding = true;
        let started = self.area.block(self.index).and_then(|block| block::start(block));
        let Some((packets, first)) = started else {
            add(&self.counters.bad_blocks, 1);
            return false;
        };
        (self.left, self.place) = (packets, first);
        packets > 0
    }

    /// A pause is due: what was dropped, the time where nothing comes, then the pause itself.
    fn hand_over(&mut self, now: Instant, is_idle: bool) {
        self.count_drops();
        if let (true, Some((ts, then))) = (is_idle, self.newest) {
            let passed = i64::try_from(now.saturating_duration_since(then).as_nanos()).unwrap_or(i64::MAX);
            // Behind by what the packet waited: a minute is closed late, never early.
            self.pending.push_back(Item::Quiet(ts.saturating_add(passed)));
        }
        if let Some(recorder) = &mut self.recorder {
            recorder.flush();
        }
        add(&self.counters.packets, std::mem::take(&mut self.packets));
        add(&self.counters.wire_bytes, std::mem::take(&mut self.wire_bytes));
        self.pending.push_back(Item::Pause);
    }

    fn count_drops(&mut self) {
        let Ok(since) = self.socket.statistics() else { return };
        add(&self.counters.full_ring, since.freezes);
        if since.dropped > 0 {
            add(&self.counters.dropped_packets, since.dropped);
            self.pending.push_back(Item::Dropped { interface: 0, packets: since.dropped });
            if let Some(recorder) = &mut self.recorder {
                recorder.dropped(since.dropped);
            }
        }
    }

    fn wait(&mut self, now: Instant) {
        let at_most = WAIT.min(self.batch_ends.saturating_duration_since(now));
        match self.socket.wait(at_most) {
            Waited::Nothing => {}
            // Awake a moment before the block is ours: without this, we would ask again and again.
            Waited::Readable if !self.area.is_ready(self.index) => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Waited::Readable => {}
            Waited::Down if self.options.wait => {}
            Waited::Down => {
                let is_there = self.socket.interface_index() == Some(self.socket.bound_index());
                self.lose(if is_there { "went down" } else { "vanished" }, now);
            }
        }
        if self.options.wait && self.ending.is_none() {
            self.look_for_interface(now);
        }
    }

    fn lose(&mut self, what: &str, now: Instant) {
        let name = &self.options.interface;
        self.counters.set_lost(&format!("{name}: the interface {what} while it was listened to"));
        self.ending = Some(now + LAST_BLOCK);
    }

    /// The interface may have gone, and another one of its name may have come.
    fn look_for_interface(&mut self, now: Instant) {
        let is_up = self.socket.is_up();
        let index = self.socket.interface_index();
        let is_another = index != Some(self.socket.bound_index());
        if is_another && self.shares {
            // The kernel binds no socket anew that shares its flows with others.
            return self.lose("vanished, which several rings cannot wait for,", now);
        }
        if is_up && is_another {
            // A bound socket needs no privilege to be bound again.
            if let Err(error) = self.socket.bind(self.options.promiscuous) {
                self.counters.set_trouble(&format!("{}: {error}", self.options.interface));
            }
        }
        self.counters.interface_down.store(u64::from(!is_up), std::sync::atomic::Ordering::Relaxed);
    }

    fn end(&mut self, now: Instant) {
        self.ended = true;
        let lost = self.counters.lost();
        self.hand_over(now, false);
        if let Some(recorder) = &mut self.recorder {
            recorder.close();
        }
        if !lost.is_empty() {
            self.pending.push_back(Item::Flaw(Flaw::new(FlawKind::InterfaceLost, 0, lost)));
        }
    }
}
