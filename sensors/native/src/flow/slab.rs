//! The flows themselves, side by side: a slot's number is a place in memory, without a pointer to be waited for.

use super::Flow;

/// Flows that are allocated together: what is not used yet of it takes no memory, as nobody has written there.
const PIECE: usize = 1_024;

/// Flows by slot. Pieces never move, whatever is added.
#[derive(Default)]
pub struct Slab {
    pieces: Vec<Vec<Option<Flow>>>,
    /// Flows in each piece.
    counts: Vec<usize>,
    free: Vec<u32>,
    is_closing: bool,
}

impl Slab {
    /// The flow in a slot, where it has one.
    #[inline(always)]
    pub fn get(&self, slot: u32) -> Option<&Flow> {
        self.pieces.get(slot as usize / PIECE)?.get(slot as usize % PIECE)?.as_ref()
    }

    #[inline(always)]
    pub fn get_mut(&mut self, slot: u32) -> Option<&mut Flow> {
        self.pieces.get_mut(slot as usize / PIECE)?.get_mut(slot as usize % PIECE)?.as_mut()
    }

    /// Puts a flow in a slot, one that was free where there is any.
    pub fn add(&mut self, flow: Flow) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.pieces[slot as usize / PIECE][slot as usize % PIECE] = Some(flow);
            self.counts[slot as usize / PIECE] += 1;
            return slot;
        }
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
            self.counts.push(0);
        }
        let last = self.pieces.len() - 1;
        let piece = &mut self.pieces[last];
        piece.push(Some(flow));
        self.counts[last] += 1;
        (last * PIECE + piece.len() - 1) as u32
    }

    /// From now on flows are only taken out, all of them: a piece that has none left gives its memory to their rows.
    pub fn close(&mut self) {
        self.is_closing = true;
        self.free = Vec::new();
    }

    /// Takes the flow out of a slot, which is free from now on.
    pub fn take(&mut self, slot: u32) -> Option<Flow> {
        let number = slot as usize / PIECE;
        let flow = self.pieces.get_mut(number)?.get_mut(slot as usize % PIECE)?.take()?;
        self.counts[number] -= 1;
        if !self.is_closing {
            self.free.push(slot);
        } else if self.counts[number] == 0 {
            self.pieces[number] = Vec::new();
        }
        Some(flow)
    }

    /// All flows and their slots, in the order of these.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Flow)> {
        (0..).zip(self.pieces.iter().flatten()).filter_map(|(slot, flow)| Some((slot, flow.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::anomaly::At;
    use crate::flow::{FlowKey, Identity};
    use crate::link;
    use crate::net::Packet;
    use crate::transport::UDP;

    fn flow(serial: u64) -> Flow {
        let packet = Packet {
            source: [1; 16],
            destination: [2; 16],
            protocol: UDP,
            id: 0,
            hops: 64,
            fragment: None,
            transport: &[],
            transport_length: 0,
        };
        let link = link::read(link::ETHERNET, &[0; 14]).unwrap();
        let identity = Identity::new(FlowKey::new(&packet, 1, 2), &link, &packet, 1);
        Flow::new(serial, identity, At::default(), false)
    }

    #[test]
    fn a_flow_stays_in_its_slot_and_the_slot_is_used_again() {
        let mut slab = Slab::default();
        let slots: Vec<u32> = (0..3_000).map(|serial| slab.add(flow(serial))).collect();
        for (slot, serial) in slots.iter().zip(0..) {
            assert_eq!(slab.get(*slot).map(|flow| flow.serial), Some(serial));
        }
        assert_eq!(slab.take(slots[1_500]).map(|flow| flow.serial), Some(1_500));
        assert!(slab.get(slots[1_500]).is_none() && slab.take(slots[1_500]).is_none());
        assert_eq!(slab.iter().count(), 2_999);
        assert_eq!(slab.add(flow(7)), slots[1_500]);
        assert_eq!(slab.iter().count(), 3_000);
        assert!(slab.get(u32::MAX).is_none());
    }

    #[test]
    fn a_slab_that_is_closed_gives_its_memory_back_and_still_takes_flows() {
        let mut slab = Slab::default();
        let slots: Vec<u32> = (0..3_000).map(|serial| slab.add(flow(serial))).collect();
        slab.close();
        for slot in &slots {
            assert!(slab.take(*slot).is_some());
        }
        assert!(slab.pieces.iter().all(|piece| piece.capacity() == 0));
        let slot = slab.add(flow(7));
        assert_eq!(slab.get(slot).map(|flow| flow.serial), Some(7));
        assert_eq!(slab.iter().count(), 1);
    }
}
