//! SYNs within a connection that is already there: the same one again, another connection, or a forgery.
//!
//! A host that is asked for a new connection on ports in use answers a forged SYN with a challenge (RFC 5961, 4), not
//! with a SYN-ACK. So a live connection is left alone until the other side answers the new numbers; the challenger
//! waits apart, counted nowhere, until it is known which connection it belongs to.

use super::{Connection, OPTION_BYTES};
use crate::anomaly::At;
use crate::transport::{Segment, flag};

/// How long an answer is waited for: what a client waits in all for its first three SYNs (RFC 6298, 2.1: 1 + 2 + 4 s).
const ANSWER_NS: u64 = 7_000_000_000;

/// A SYN or SYN-ACK whose numbers are not those of the connection.
#[derive(Clone, Copy, Debug)]
pub struct Challenger {
    pub side: usize,
    pub at: At,
    pub wire_bytes: u32,
    /// How often it was seen.
    pub times: u32,
    pub sequence: u32,
    pub acknowledgment: u32,
    pub flags: u8,
    pub window: u16,
    /// Its options, padded with the end mark.
    options: [u8; OPTION_BYTES as usize],
    ports: [u16; 2],
}

impl Challenger {
    /// It as a segment again, without the data that it may have carried.
    pub fn segment(&self) -> Segment<'_> {
        Segment {
            source_port: self.ports[0],
            destination_port: self.ports[1],
            sequence: self.sequence,
            acknowledgment: self.acknowledgment,
            flags: self.flags,
            window: self.window,
            options: &self.options,
            payload: &[],
            length: 0,
        }
    }

    /// A SYN is answered by a SYN-ACK, and that by an ACK, of its number.
    fn is_answered_by(&self, side: usize, segment: &Segment<'_>) -> bool {
        let with = if self.flags & flag::ACK == 0 { flag::SYN | flag::ACK } else { flag::ACK };
        side != self.side
            && segment.flags & (flag::SYN | flag::ACK | flag::RST) == with
            && segment.acknowledgment == self.sequence.wrapping_add(1)
    }
}

/// What a segment says about the connection that is known under its ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    /// It is one of the connection's.
    None,
    /// It opens another connection.
    Opens,
    /// It answers the challenger: another connection is there since then.
    Answers,
    /// It may open another connection, or be forged.
    Challenges,
}

impl Connection {
    /// Where a SYN, or any segment while there is a challenger, belongs; `quiet` where nothing was heard for so long
    /// that the hosts may have forgotten.
    #[cold]
    pub fn judge(&self, side: usize, segment: &Segment<'_>, quiet: bool) -> Reuse {
        if self.challenger.as_ref().is_some_and(|challenger| challenger.is_answered_by(side, segment)) {
            return Reuse::Answers;
        }
        let stream = &self.streams[side];
        if !segment.has(flag::SYN) || segment.has(flag::RST) || !stream.is_known() {
            return Reuse::None;
        }
        let answers = segment.has(flag::ACK);
        if answers && self.handshake.may_be_answered() && self.fins & 1 << side == 0 {
            return Reuse::None;
        }
        // The same initial number is the same SYN again; after both FINs it is a replayed capture.
        if self.firsts[side] == segment.sequence && (answers || !self.closed_by_fin()) {
            return Reuse::None;
        }
        // Where only one side is seen, nobody can answer.
        let live = self.streams[1 - side].is_known() && !self.reset && !self.closed_by_fin() && !quiet;
        if live { Reuse::Challenges } else { Reuse::Opens }
    }

    /// Whether a segment that may be another network's has numbers that go on from this connection's; none where
    /// nothing is known to hold them against. Numbers are chosen by chance: that another connection's fit is one case
    /// in 2,048 by one of them, and in four millions by both.
    #[cold]
    pub fn goes_on(&self, side: usize, segment: &Segment<'_>) -> Option<bool> {
        let [own, peer] = [&self.streams[side], &self.streams[1 - side]];
        let is_syn = segment.has(flag::SYN);
        // Who begins anew has no number to go on from.
        if is_syn && (self.reset || self.closed_by_fin()) {
            return None;
        }
        let sent = own.is_known().then(|| match is_syn {
            true => self.firsts[side] == segment.sequence,
            false => own.is_near(segment.sequence),
        });
        let answered =
            (peer.is_known() && segment.has(flag::ACK)).then(|| peer.is_near(segment.acknowledgment));
        match (sent, answered) {
            (Some(sent), Some(answered)) => Some(sent && answered),
            (one, other) => one.or(other),
        }
    }

    /// Keeps a challenger apart; the one that it takes the place of, if any.
    pub fn challenge(
        &mut self,
        side: usize,
        segment: &Segment<'_>,
        wire_bytes: u32,
        at: At,
    ) -> Option<Challenger> {
        if let Some(same) = &mut self.challenger {
            if (same.side, same.sequence, same.flags) == (side, segment.sequence, segment.flags) {
                same.times = same.times.saturating_add(1);
                return None;
            }
        }
        let mut options = [0; OPTION_BYTES as usize];
        for (kept, byte) in options.iter_mut().zip(segment.options) {
            *kept = *byte;
        }
        let new = Challenger {
            side,
            at,
            wire_bytes,
            times: 1,
            sequence: segment.sequence,
            acknowledgment: segment.acknowledgment,
            flags: segment.flags,
            window: segment.window,
            options,
            ports: [segment.source_port, segment.destination_port],
        };
        self.replace_challenger(Some(new))
    }

    /// The challenger that nobody answered in time, or, where `now` is none, at all.
    pub fn take_unanswered(&mut self, now: Option<i64>) -> Option<Challenger> {
        let waits = self.challenger.as_ref().is_some_and(|challenger| {
            now.is_some_and(|now| now.saturating_sub(challenger.at.ts) <= ANSWER_NS as i64)
        });
        if waits { None } else { self.take_challenger() }
    }

    /// The challenger that was answered.
    pub fn take_challenger(&mut self) -> Option<Challenger> {
        self.replace_challenger(None)
    }

    /// The only place where it comes and goes: every segment reads the flag, and not the pointer.
    fn replace_challenger(&mut self, new: Option<Challenger>) -> Option<Challenger> {
        self.is_challenged = new.is_some();
        std::mem::replace(&mut self.challenger, new.map(Box::new)).map(|before| *before)
    }
}
