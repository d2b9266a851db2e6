//! What becomes of each packet: it waits for an answer, answers one, or stands alone (MQTT 5.0, 4.3 and 4.4).

use super::packets::Body;
use super::pairing::{Exchange, Key, Pending, answered_exchange};
use super::row::{Answer, Row};
use super::said::{self, Said};
use super::words::{PacketType, SparkplugType};
use super::{Mqtt, UNCONFIRMED_LIMIT, inventory};
use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Output, Progress, Role};
use crate::words::{Confidence, Outcome};

impl Mqtt {
    pub(super) fn publish(
        &mut self,
        from: Role,
        said: Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let exchange = match said.qos {
            Some(1) => Exchange::AtLeastOnce,
            Some(2) => Exchange::ExactlyOnce,
            _ => {
                self.follow(&said, from, at, out);
                return self.one_way(from, said, after_gap, at, out);
            }
        };
        let Some(id) = said.packet_id else { return };
        let key = Key { exchange, from, id };
        if !self.is_repeated(&key, &said, at, out) {
            self.follow(&said, from, at, out);
            self.wait(key, said.into_owned(), after_gap, at, out);
        }
    }

    pub(super) fn ask(
        &mut self,
        exchange: Exchange,
        from: Role,
        said: Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let Some(id) = said.packet_id else { return };
        let key = Key { exchange, from, id };
        if !self.is_repeated(&key, &said, at, out) {
            self.wait(key, said.into_owned(), after_gap, at, out);
        }
    }

    /// True where the packet only repeats one that waits. An identifier that is used again for something else ends
    /// what waits under it.
    fn is_repeated(&mut self, key: &Key, said: &Said<'_>, at: At, out: &mut Output<'_>) -> bool {
        let Some(waiting) = self.pairing.get(key) else { return false };
        if said.dup {
            waiting.retries = waiting.retries.saturating_add(1);
            return true;
        }
        let hidden = waiting.after_gap;
        if let Some(pending) = self.pairing.take(key, out) {
            self.finish(pending, None, Outcome::Unanswered, out);
        }
        // Its answer may have been lost.
        if !hidden && !self.lost[key.from.other().index()].explains(at, out.limits.mqtt_pending_s) {
            self.anomaly(AnomalyKind::IdentifierInUse, at, out, &|| {
                format!("packet identifier {} is used again before its answer (2.2.1)", key.id)
            });
        }
        false
    }

    pub(super) fn wait(
        &mut self,
        key: Key,
        said: Said<'static>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        if !self.is_confirmed() && self.pairing.waiting() >= UNCONFIRMED_LIMIT {
            self.progress = Progress::Wrong;
            return;
        }
        let mut pairing = std::mem::take(&mut self.pairing);
        pairing.ask(key, said, at, after_gap, out, |pending, out| {
            self.finish(pending, None, Outcome::Unanswered, out);
        });
        pairing.expire(at.ts, out, |pending, out| self.finish(pending, None, Outcome::Unanswered, out));
        self.pairing = pairing;
    }

    pub(super) fn answer(
        &mut self,
        from: Role,
        said: Said<'_>,
        body: &Body<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let asker = from.other();
        let key = answered_exchange(said.kind).and_then(|exchange| match said.packet_id {
            Some(id) => Some(Key { exchange, from: asker, id }),
            None => self.pairing.oldest_unnumbered(exchange, asker),
        });
        let Some(mut pending) = key.and_then(|key| self.pairing.take(&key, out)) else {
            return self.orphan(from, said, after_gap, at, out);
        };
        let answer = answer_of(&said, after_gap, at);
        take_over(&mut pending.said, &said, body);
        let asked = pending.said.rare.as_ref().map_or(0, |rare| rare.requested_qos.len());
        let granted = pending.said.rare.as_ref().map_or(0, |rare| rare.granted.len());
        let fits = said.kind != PacketType::Suback || asked == granted;
        if fits {
            self.confirm(Confidence::Structure, out);
        } else {
            self.anomaly(AnomalyKind::ResponseMismatch, at, out, &|| {
                format!("SUBACK with {granted} codes for {asked} filters (3.9.3)")
            });
        }
        let outcome = Pending::outcome(&answer, self.session.version().is_before_5());
        if said.kind == PacketType::Connack && outcome == Outcome::Answered {
            inventory::tell_of_broker(at, out);
        }
        self.finish(pending, Some(answer), outcome, out);
    }

    /// PUBREC: the first answer of an exactly-once delivery, the last one where it refuses.
    pub(super) fn received(
        &mut self,
        from: Role,
        said: Said<'_>,
        body: &Body<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let Some(id) = said.packet_id else { return };
        let key = Key { exchange: Exchange::ExactlyOnce, from: from.other(), id };
        let before_5 = self.session.version().is_before_5();
        let Some(pending) = self.pairing.get(&key) else {
            return self.orphan(from, said, after_gap, at, out);
        };
        if pending.answer.is_some() {
            pending.retries = pending.retries.saturating_add(1);
            return;
        }
        let answer = answer_of(&said, after_gap, at);
        pending.answer = Some(answer);
        take_over(&mut pending.said, &said, body);
        self.confirm(Confidence::Structure, out);
        if Pending::outcome(&answer, before_5) == Outcome::Refused {
            if let Some(pending) = self.pairing.take(&key, out) {
                self.finish(pending, None, Outcome::Refused, out);
            }
        }
    }

    /// PUBREL: its PUBLISH waits, or came by an earlier connection of the session.
    pub(super) fn release(
        &mut self,
        from: Role,
        said: Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let Some(id) = said.packet_id else { return };
        let key = Key { exchange: Exchange::ExactlyOnce, from, id };
        if let Some(pending) = self.pairing.get(&key) {
            if pending.pubrel.is_some() {
                pending.retries = pending.retries.saturating_add(1);
            } else {
                pending.pubrel = Some(at);
            }
            pending.after_gap |= after_gap;
            return;
        }
        let key = Key { exchange: Exchange::Release, from, id };
        match self.pairing.get(&key) {
            Some(pending) => pending.retries = pending.retries.saturating_add(1),
            None => self.wait(key, said.into_owned(), after_gap, at, out),
        }
    }

    /// PUBCOMP: the end of an exactly-once delivery.
    pub(super) fn complete(
        &mut self,
        from: Role,
        said: Said<'_>,
        body: &Body<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let Some(id) = said.packet_id else { return };
        let asker = from.other();
        let before_5 = self.session.version().is_before_5();
        let answer = answer_of(&said, after_gap, at);
        let delivery = Key { exchange: Exchange::ExactlyOnce, from: asker, id };
        let release = Key { exchange: Exchange::Release, from: asker, id };
        let outcome = Pending::outcome(&answer, before_5);
        if let Some(mut pending) = self.pairing.take(&delivery, out) {
            take_over(&mut pending.said, &said, body);
            self.confirm(Confidence::Structure, out);
            pending.after_gap |= after_gap;
            // The code of what was refused is the one that tells.
            if outcome == Outcome::Refused {
                if let Some(first) = &mut pending.answer {
                    (first.code, first.kind) = (answer.code, answer.kind);
                }
            }
            let mut row = pending.row(outcome);
            row.pubcomp = Some(at);
            return self.write_or_hold(&row, out);
        }
        let Some(mut pending) = self.pairing.take(&release, out) else {
            return self.orphan(from, said, after_gap, at, out);
        };
        take_over(&mut pending.said, &said, body);
        self.confirm(Confidence::Structure, out);
        self.finish(pending, Some(answer), outcome, out);
    }

    /// AUTH: a client's waits for the broker's, or for the CONNACK; a broker's challenge is a packet of its own.
    pub(super) fn authenticate(
        &mut self,
        from: Role,
        said: Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        if from == Role::Client {
            let key = self.pairing.next_unnumbered(Exchange::Authenticate, from);
            return self.wait(key, said.into_owned(), after_gap, at, out);
        }
        if !self.answer_authentication(from, &said, after_gap, at, out) {
            self.one_way(from, said, after_gap, at, out);
        }
    }

    /// Answers the client's AUTH that waits; false where none does.
    pub(super) fn answer_authentication(
        &mut self,
        from: Role,
        said: &Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) -> bool {
        let key = self.pairing.oldest_unnumbered(Exchange::Authenticate, from.other());
        let Some(pending) = key.and_then(|key| self.pairing.take(&key, out)) else { return false };
        let answer = answer_of(said, after_gap, at);
        let outcome = Pending::outcome(&answer, self.session.version().is_before_5());
        self.finish(pending, Some(answer), outcome, out);
        true
    }

    /// An answer that nobody asked for.
    pub(super) fn orphan(
        &mut self,
        from: Role,
        said: Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        // Where the asking side is not seen, or has holes, the question was only not heard.
        let asker = from.other().index();
        let is_explained = out.one_sided || self.lost[asker].explains(at, out.limits.mqtt_pending_s);
        if self.heard[asker] && !is_explained {
            let word = said.kind.word();
            let id = said.packet_id;
            self.anomaly(AnomalyKind::OrphanResponse, at, out, &|| match id {
                Some(id) => format!("{word} of packet identifier {id} that nothing waits for"),
                None => format!("{word} that nothing waits for"),
            });
        }
        let answer = answer_of(&said, after_gap, at);
        let alone = Row::alone(&said, from, Outcome::Orphan, after_gap || is_explained);
        self.write_or_hold(&Row { answer: Some(answer), ..alone }, out);
    }

    /// A packet that nothing answers.
    #[inline]
    pub(super) fn one_way(
        &mut self,
        from: Role,
        said: Said<'_>,
        after_gap: bool,
        at: At,
        out: &mut Output<'_>,
    ) {
        let alone = Row::alone(&said, from, Outcome::OneWay, after_gap);
        self.write_or_hold(&Row { request: Some(at), ..alone }, out);
    }

    /// An edge node's own messages are numbered: one that is missing was lost before the tap.
    fn follow(&mut self, said: &Said<'_>, from: Role, at: At, out: &mut Output<'_>) {
        let Some(message) = said.sparkplug.as_deref().filter(|_| from == Role::Client) else { return };
        if let Some(due) = self.sequences.follow(message) {
            let (node, seq) = (&message.node, message.seq.unwrap_or_default());
            self.anomaly(AnomalyKind::SequenceGap, at, out, &|| {
                format!("edge node {node}: seq {seq} where {due} was due (Sparkplug 3.0, 6.4)")
            });
        }
        let will = self.session.will_bd_seq.filter(|_| message.kind == SparkplugType::Nbirth);
        if let Some((will, birth)) = will.zip(message.bd_seq).filter(|(will, birth)| will != birth) {
            self.anomaly(AnomalyKind::SequenceGap, at, out, &|| {
                format!("NBIRTH with bdSeq {birth} where the will has {will} (Sparkplug 3.0, 6.4)")
            });
        }
    }
}

fn answer_of(said: &Said<'_>, after_gap: bool, at: At) -> Answer {
    Answer { at, kind: said.kind, code: said.code, wire_bytes: said.wire_bytes, after_gap }
}

/// Puts what an answer says beside its code into the row of what it answers.
fn take_over(asked: &mut Said<'static>, answer: &Said<'_>, body: &Body<'_>) {
    if let Some(rare) = &answer.rare {
        if rare.session_present {
            asked.rare().session_present = true;
        }
        if !rare.granted.is_empty() {
            asked.rare().granted.clone_from(&rare.granted);
        }
    }
    let properties = body.properties();
    if !properties.is_empty() {
        said::note(asked, properties, &format!("{}.", answer.kind.word()));
    }
}
