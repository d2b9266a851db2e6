//! What a flow counts, apart by how often it is counted: every packet touches the first part, few flows have the other.

use crate::tcp::TcpCounters;

/// What every packet of a side adds to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    pub packets: u32,
    pub data_segments: u32,
    pub wire_bytes: u64,
    pub payload_bytes: u64,
}

/// What few packets of a side add to.
#[derive(Clone, Copy, Debug, Default)]
pub struct Incidents {
    pub tcp: TcpCounters,
    pub duplicate_packets: u32,
    pub resets: u32,
    pub fins: u32,
}

/// Both sides' counters of a stretch of time.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Counted {
    pub sides: [Counters; 2],
    incidents: Option<Box<[Incidents; 2]>>,
}

impl Counters {
    fn add(&mut self, more: &Self) {
        self.packets = self.packets.saturating_add(more.packets);
        self.data_segments = self.data_segments.saturating_add(more.data_segments);
        self.wire_bytes += more.wire_bytes;
        self.payload_bytes += more.payload_bytes;
    }
}

impl Incidents {
    fn add(&mut self, more: &Self) {
        self.tcp.add(&more.tcp);
        self.duplicate_packets = self.duplicate_packets.saturating_add(more.duplicate_packets);
        self.resets = self.resets.saturating_add(more.resets);
        self.fins = self.fins.saturating_add(more.fins);
    }
}

impl Counted {
    /// A side's incidents, to be counted on.
    #[cold]
    pub fn incidents_of(&mut self, side: usize) -> &mut Incidents {
        &mut self.incidents.get_or_insert_default()[side]
    }

    /// Both sides' incidents.
    pub fn incidents(&self) -> [Incidents; 2] {
        self.incidents.as_deref().copied().unwrap_or_default()
    }

    /// Adds those of a later stretch.
    pub fn add(&mut self, more: &Self) {
        for (sum, side) in self.sides.iter_mut().zip(&more.sides) {
            sum.add(side);
        }
        if let Some(more) = &more.incidents {
            let all = self.incidents.get_or_insert_default();
            for (sum, side) in all.iter_mut().zip(more.iter()) {
                sum.add(side);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_add_up_whether_or_not_something_happened_in_them() {
        let mut total = Counted::default();
        let mut quiet = Counted::default();
        quiet.sides[0].packets = 3;
        let mut lossy = Counted::default();
        lossy.sides[1].wire_bytes = 60;
        lossy.incidents_of(1).tcp.gap_bytes = 7;
        for stretch in [&quiet, &lossy, &quiet, &lossy] {
            total.add(stretch);
        }
        assert_eq!((total.sides[0].packets, total.sides[1].wire_bytes), (6, 120));
        assert_eq!(total.incidents()[1].tcp.gap_bytes, 14);
        assert_eq!(total.incidents()[0].tcp.gap_bytes, 0);
    }

    #[test]
    fn a_count_stays_at_its_highest() {
        let mut total = Counted::default();
        let mut many = Counted::default();
        many.sides[0].packets = u32::MAX;
        many.incidents_of(0).fins = u32::MAX;
        total.add(&many);
        total.add(&many);
        assert_eq!((total.sides[0].packets, total.incidents()[0].fins), (u32::MAX, u32::MAX));
    }
}
