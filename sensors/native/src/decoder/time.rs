//! What packet time brings about: minutes end, flows fall silent, the capture ends.

use super::Decoder;
use crate::anomaly::{AnomalyKind, At};
use crate::flow::{Queue, Shared};
use crate::source::{Flaw, FlawKind};
use crate::words::EndReason;

const MINUTE_NS: i64 = 60_000_000_000;
pub(super) const SECOND_NS: i64 = 1_000_000_000;

impl Decoder {
    /// Minutes end and silence is noticed by packet time.
    #[inline]
    pub(super) fn pass_time(&mut self, ts: i64) {
        let is_in_minute = self.minute.is_some_and(|minute| {
            u64::try_from(ts.wrapping_sub(minute)).is_ok_and(|passed| passed < MINUTE_NS as u64)
        });
        if !is_in_minute || ts.abs_diff(self.swept) >= SECOND_NS as u64 {
            self.notice_time(ts);
        }
    }

    #[inline(never)]
    fn notice_time(&mut self, ts: i64) {
        let minute = ts.div_euclid(MINUTE_NS).saturating_mul(MINUTE_NS);
        match self.minute {
            Some(current) if current == minute => {}
            // A packet that is a little late counts in the minute that has begun.
            Some(current) if ts < current && current.abs_diff(ts) < MINUTE_NS as u64 => {}
            Some(current) => {
                self.end_minute(current);
                self.minute = Some(minute);
            }
            None => self.minute = Some(minute),
        }
        if ts.abs_diff(self.swept) >= SECOND_NS as u64 {
            self.swept = ts;
            self.end_silent_flows(ts);
            if !self.fragments.is_empty() {
                self.end_old_fragments(ts);
            }
        }
    }

    fn end_minute(&mut self, minute: i64) {
        for slot in self.active.take() {
            let Some(flow) = self.table.try_get(slot) else { continue };
            if flow.core.active {
                flow.end_minute(minute, &mut self.shared);
                self.coverage.add(flow.core.interface, &mut self.shared.covered);
            }
        }
        let Shared { tables, frames, limits, .. } = &mut self.shared;
        frames.end_minute(minute.saturating_add(MINUTE_NS), limits, tables);
        self.count_evictions();
        self.coverage.write(minute, &mut self.shared.tables.coverage);
    }

    fn end_silent_flows(&mut self, now: i64) {
        for queue in Queue::ALL {
            let limits = &self.shared.limits;
            let idle_s = match queue {
                Queue::TcpOpen | Queue::TcpNew => limits.tcp_idle_s,
                Queue::TcpClosed => limits.tcp_closed_idle_s,
                Queue::Other | Queue::OtherNew => limits.udp_idle_s,
            };
            let idle_ns = idle_s.saturating_mul(SECOND_NS as u64);
            while let Some(slot) = self.table.stalest(queue) {
                let last = self.table.get(slot).core.last.ts;
                if now <= last || now.abs_diff(last) < idle_ns {
                    break;
                }
                self.finish(slot, EndReason::Idle);
            }
        }
    }

    /// The capture has ended: everything that is open is written.
    pub(super) fn end(&mut self, flaw: Option<Flaw>) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        if let Some(flaw) = flaw {
            self.flaw(&flaw);
        }
        self.end_fragments();
        self.table.close();
        for slot in self.table.slots_by_age() {
            self.finish(slot, EndReason::EndOfCapture);
        }
        self.shared.frames.end(&mut self.shared.tables);
        if let Some(minute) = self.minute {
            self.count_evictions();
            self.coverage.write(minute, &mut self.shared.tables.coverage);
        }
        self.shared.sparkplug.forget();
    }

    /// A capture is not whole.
    pub(super) fn flaw(&mut self, flaw: &Flaw) {
        let kind = match flaw.kind {
            FlawKind::Cut => AnomalyKind::CaptureCut,
            FlawKind::RecordLength => AnomalyKind::RecordLength,
            FlawKind::BadBlock => AnomalyKind::BadBlock,
            FlawKind::Unreadable | FlawKind::InterfaceLost => AnomalyKind::ReadError,
        };
        if flaw.kind != FlawKind::InterfaceLost {
            self.summary.cut_at_byte = Some(flaw.offset);
        }
        let at = At { ts: self.summary.last_ts.unwrap_or_default(), frame: self.summary.frames };
        self.report(kind, at, &flaw.to_string());
    }

    /// Time passes without a frame: minutes end and silent flows do all the same.
    pub(super) fn quiet(&mut self, now: i64) {
        if self.minute.is_some() {
            self.pass_time(now);
        }
    }

    /// Tells the coverage what limits have cost since last asked: they are everybody's, so it is told of the interface
    /// that was heard last.
    fn count_evictions(&mut self) {
        let Shared { held, counts, observed, sparkplug, frames, .. } = &mut self.shared;
        let bytes = std::mem::take(&mut held.evicted_bytes);
        let requests = std::mem::take(&mut counts.evicted_requests) + frames.take_evicted_requests();
        let observations = observed.take_not_kept();
        let all_messages = [
            counts.mqtt_not_held,
            counts.opcua_given_up,
            counts.operation_messages_cut,
            counts.introductions_given_up,
            sparkplug.not_kept,
        ];
        let all_messages: u64 = all_messages.iter().sum();
        let messages = all_messages - std::mem::replace(&mut self.messages_told, all_messages);
        // A minute without a frame has no coverage row.
        if bytes | requests | observations | messages > 0 {
            let (interface, _) = self.run;
            let cell = self.coverage.cell(interface);
            cell.evicted_bytes += bytes;
            cell.evicted_requests += requests;
            cell.evicted_observations += observations;
            cell.evicted_messages += messages;
        }
    }
}
