//! The two halves of a TCP handshake, as a tap between the hosts sees them.

use std::num::NonZeroU64;

use super::MaybeNs;
use crate::anomaly::At;

#[derive(Clone, Copy, Debug)]
struct Step {
    ts: i64,
    sequence: u32,
    /// Of the second side: a flag, so that a step that may be missing takes no more room.
    second: bool,
}

impl Step {
    fn is_of(&self, side: usize) -> bool {
        usize::from(self.second) == side
    }
}

/// SYN, SYN-ACK and ACK: when, and whether their times can be trusted. Segments behind it read nothing of it.
#[derive(Debug, Default)]
pub struct Handshake {
    syn: Option<Step>,
    syn_ack: Option<Step>,
    syn_frame: Option<NonZeroU64>,
    syn_ack_frame: Option<NonZeroU64>,
    server_half: MaybeNs,
    client_half: MaybeNs,
    state: State,
}

/// How a handshake went. Numbers, not flags: a connection that is missing is told by a flag of it, and that shall not be
/// one that nothing else is read beside.
#[derive(Debug, Default)]
struct State(u8);

/// A SYN or SYN-ACK was sent again: which of them was answered cannot be known.
const REPEATED: u8 = 1;
const COMPLETE: u8 = 2;

impl Handshake {
    fn is_repeated(&self) -> bool {
        self.state.0 & REPEATED != 0
    }

    pub fn is_complete(&self) -> bool {
        self.state.0 & COMPLETE != 0
    }

    pub fn syn(&mut self, side: usize, sequence: u32, at: At) {
        if self.syn.is_some() {
            self.state.0 |= REPEATED;
            return;
        }
        self.syn_frame = NonZeroU64::new(at.frame);
        self.syn = Some(Step { ts: at.ts, sequence, second: side == 1 });
    }

    /// A SYN-ACK of any number may still belong to this handshake.
    pub fn may_be_answered(&self) -> bool {
        !self.is_complete() && (self.syn.is_some() || self.syn_ack.is_none())
    }

    /// The server half, where this SYN-ACK answers the one SYN.
    pub fn syn_ack(&mut self, side: usize, sequence: u32, acknowledgment: u32, at: At) -> Option<u64> {
        if self.syn_ack.is_some() {
            self.state.0 |= REPEATED;
            return None;
        }
        self.syn_ack_frame = NonZeroU64::new(at.frame);
        self.syn_ack = Some(Step { ts: at.ts, sequence, second: side == 1 });
        let syn = self.syn?;
        if self.is_repeated() || syn.is_of(side) || acknowledgment != syn.sequence.wrapping_add(1) {
            return None;
        }
        self.server_half = elapsed(syn.ts, at.ts).into();
        self.server_half_ns()
    }

    /// The client half, where this ACK is the first that answers the one SYN-ACK.
    #[inline]
    pub fn ack(&mut self, side: usize, acknowledgment: u32, at: At) -> Option<u64> {
        if self.is_complete() {
            return None;
        }
        let syn_ack = self.syn_ack?;
        // Later acknowledgements complete it too, where the capture missed the first: without a time.
        let beyond = acknowledgment.wrapping_sub(syn_ack.sequence.wrapping_add(1)) as i32;
        if syn_ack.is_of(side) || beyond < 0 {
            return None;
        }
        self.state.0 |= COMPLETE;
        if self.is_repeated() || beyond != 0 {
            return None;
        }
        self.client_half = elapsed(syn_ack.ts, at.ts).into();
        self.client_half_ns()
    }

    /// Both halves: the round trip between the hosts.
    pub fn sum_ns(&self) -> Option<u64> {
        Some(self.server_half_ns()?.saturating_add(self.client_half_ns()?))
    }

    /// SYN-ACK minus SYN.
    pub fn server_half_ns(&self) -> Option<u64> {
        self.server_half.get()
    }

    /// ACK minus SYN-ACK.
    pub fn client_half_ns(&self) -> Option<u64> {
        self.client_half.get()
    }

    pub fn syn_frame(&self) -> Option<u64> {
        self.syn_frame.map(NonZeroU64::get)
    }

    pub fn syn_ack_frame(&self) -> Option<u64> {
        self.syn_ack_frame.map(NonZeroU64::get)
    }
}

/// Nanoseconds between two times; none where the capture has them in the wrong order.
pub fn elapsed(from: i64, to: i64) -> Option<u64> {
    (to >= from).then(|| to.abs_diff(from))
}
