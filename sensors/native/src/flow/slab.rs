//! The flows themselves, side by side: a slot's number is a place in memory, without a pointer to be waited for.

use super::Flow;

/// Flows that are allocated together: what is not used yet of it takes no memory, as nobody has written there.
const PIECE: usize = 1_024;

/// Flows by slot. Pieces never move, whatever is added.
#[derive(Default)]
pub struct Slab {
    pieces: Vec<Vec<Option<Flow>>>,
    free: Vec<u32>,
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
            return slot;
        }
        if self.pieces.last().is_none_or(|piece| piece.len() == PIECE) {
            self.pieces.push(Vec::with_capacity(PIECE));
        }
        let before = (self.pieces.len() - 1) * PIECE;
        let piece = &mut self.pieces[before / PIECE];
        piece.push(Some(flow));
        (before + piece.len() - 1) as u32
    }

    /// Takes the flow out of a slot, which is free from now on.
    pub fn take(&mut self, slot: u32) -> Option<Flow> {
        let flow = self.pieces.get_mut(slot as usize / PIECE)?.get_mut(slot as usize % PIECE)?.take()?;
        self.free.push(slot);
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
}
