//! The two halves of a TCP handshake, as a tap between the hosts sees them.

use crate::anomaly::At;

#[derive(Clone, Copy, Debug)]
struct Step {
    side: usize,
    sequence: u32,
    ts: i64,
}

/// SYN, SYN-ACK and ACK: when, and whether their times can be trusted.
#[derive(Debug, Default)]
pub struct Handshake {
    syn: Option<Step>,
    syn_ack: Option<Step>,
    /// A SYN or SYN-ACK was sent again: which of them was answered cannot be known.
    repeated: bool,
    pub complete: bool,
    pub syn_frame: Option<u64>,
    pub syn_ack_frame: Option<u64>,
    pub server_half_ns: Option<u64>,
    pub client_half_ns: Option<u64>,
}

impl Handshake {
    pub fn syn(&mut self, side: usize, sequence: u32, at: At) {
        if self.syn.is_some() {
            self.repeated = true;
            return;
        }
        self.syn_frame = Some(at.frame);
        self.syn = Some(Step { side, sequence, ts: at.ts });
    }

    /// A SYN-ACK of any number may still belong to this handshake.
    pub fn may_be_answered(&self) -> bool {
        !self.complete && (self.syn.is_some() || self.syn_ack.is_none())
    }

    /// The server half, where this SYN-ACK answers the one SYN.
    pub fn syn_ack(&mut self, side: usize, sequence: u32, acknowledgment: u32, at: At) -> Option<u64> {
        if self.syn_ack.is_some() {
            self.repeated = true;
            return None;
        }
        self.syn_ack_frame = Some(at.frame);
        self.syn_ack = Some(Step { side, sequence, ts: at.ts });
        let syn = self.syn?;
        if self.repeated || syn.side == side || acknowledgment != syn.sequence.wrapping_add(1) {
            return None;
        }
        self.server_half_ns = elapsed(syn.ts, at.ts);
        self.server_half_ns
    }

    /// The client half, where this ACK is the first that answers the one SYN-ACK.
    #[inline]
    pub fn ack(&mut self, side: usize, acknowledgment: u32, at: At) -> Option<u64> {
        if self.complete {
            return None;
        }
        let syn_ack = self.syn_ack?;
        // Later acknowledgements complete it too, where the capture missed the first: without a time.
        let beyond = acknowledgment.wrapping_sub(syn_ack.sequence.wrapping_add(1)) as i32;
        if syn_ack.side == side || beyond < 0 {
            return None;
        }
        self.complete = true;
        if self.repeated || beyond != 0 {
            return None;
        }
        self.client_half_ns = elapsed(syn_ack.ts, at.ts);
        self.client_half_ns
    }

    /// Both halves: the round trip between the hosts.
    pub fn sum_ns(&self) -> Option<u64> {
        Some(self.server_half_ns?.saturating_add(self.client_half_ns?))
    }
}

/// Nanoseconds between two times; none where the capture has them in the wrong order.
pub fn elapsed(from: i64, to: i64) -> Option<u64> {
    (to >= from).then(|| to.abs_diff(from))
}
