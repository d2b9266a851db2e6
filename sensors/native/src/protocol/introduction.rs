//! The frame of a parser that reads how a service introduces itself: messages in, one row and observations out.
//!
//! A protocol says what one message means (`Dialogue`); keeping the bytes until a message is whole, gaps, the verdict's
//! confidence and the row are the same for all of them and live here.

use super::{Output, Parser, Progress, Role};
use crate::anomaly::{AnomalyKind, At};
use crate::observations::Observation;
use crate::tables::{ROW, ServiceRow};
use crate::words::{Confidence, Login, ObservationKind, ObservationSource, Service};

/// Bytes of one side that are kept while a message is not whole: more than any message of an introduction has.
const KEPT_LIMIT: usize = 40_000;

/// What a service said of itself so far; fields as in the table `services`.
#[derive(Clone, Debug, Default)]
pub struct Introduction {
    /// A narrower name for the flow than the protocol's own.
    pub service: Option<Service>,
    /// The row may be written, though messages go on to be read.
    pub ready: bool,
    pub version: String,
    pub client_software: String,
    pub server_software: String,
    pub host_name: String,
    pub client_name: String,
    pub server_name: String,
    pub user: String,
    pub login: Option<Login>,
    pub refused_logins: u16,
    pub secret_seen: bool,
    pub encrypted: bool,
    pub resumed: bool,
    pub alpn: Vec<String>,
    pub key_exchange: String,
    pub cipher: String,
    pub certificate_subject: String,
    pub certificate_issuer: String,
    pub certificate_sha256: String,
    pub certificate_not_after: Option<i64>,
    pub ja4: String,
    pub hassh: String,
    pub hassh_server: String,
    detail: Vec<String>,
}

/// Remarks of one introduction that are kept.
const REMARKS_LIMIT: usize = 16;

impl Introduction {
    /// Adds to the detail what has no column, once.
    pub fn remark(&mut self, said: impl Into<String>) {
        let said = said.into();
        if self.detail.len() < REMARKS_LIMIT && !said.is_empty() && !self.detail.contains(&said) {
            self.detail.push(said);
        }
    }

    /// Somebody was not let in.
    pub fn refuse_login(&mut self) {
        self.login = Some(Login::No);
        self.refused_logins = self.refused_logins.saturating_add(1);
    }

    /// What follows is TLS's to read.
    pub fn begin_tls(&mut self) -> Step {
        self.encrypted = true;
        Step::HandOver
    }

    fn write(&self, service: Service, confidence: Confidence, at: At, out: &mut Output<'_>) {
        let detail = self.detail.join("; ");
        out.tables.services.push(ServiceRow {
            ts: at.ts,
            flow_id: out.flow_id,
            client_ip: out.client_ip,
            server_ip: out.server_ip,
            client_port: out.client_port,
            server_port: out.server_port,
            frame: at.frame,
            service,
            confidence,
            version: &self.version,
            client_software: &self.client_software,
            server_software: &self.server_software,
            host_name: &self.host_name,
            client_name: &self.client_name,
            server_name: &self.server_name,
            user: &self.user,
            login: self.login.unwrap_or(Login::Unknown),
            refused_logins: self.refused_logins,
            secret_seen: self.secret_seen,
            encrypted: self.encrypted,
            resumed: self.resumed,
            alpn: &self.alpn,
            key_exchange: &self.key_exchange,
            cipher: &self.cipher,
            certificate_subject: &self.certificate_subject,
            certificate_issuer: &self.certificate_issuer,
            certificate_sha256: &self.certificate_sha256,
            certificate_not_after: self.certificate_not_after,
            ja4: &self.ja4,
            hassh: &self.hassh,
            hassh_server: &self.hassh_server,
            detail: &detail,
            _borrow: ROW,
        });
    }

    /// What both devices said of themselves, for the inventory.
    fn observe(&self, source: ObservationSource, at: At, out: &mut Output<'_>) {
        let (client, server) = (*out.client_ip, *out.server_ip);
        for (ip, kind, value) in [
            (client, ObservationKind::Software, &self.client_software),
            (server, ObservationKind::Software, &self.server_software),
            (client, ObservationKind::HostName, &self.client_name),
            (server, ObservationKind::HostName, &self.server_name),
        ] {
            if !value.is_empty() {
                out.observe(&Observation { mac: 0, ip, kind, source, value }, at);
            }
        }
    }
}

/// What became of a look at the bytes that one side has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next message is not whole.
    More,
    /// So many bytes are read.
    Read(usize),
    /// So many bytes from here on are of no interest: they are not kept, and may be missing.
    Skip(u64),
    /// So many bytes behind a gap are of a message whose start is missing.
    Lost(usize),
    /// The introduction is over: nobody reads on.
    Done,
    /// The introduction is over, and what follows is another protocol's.
    HandOver,
    /// This is no message of the protocol.
    Wrong,
}

/// What one protocol's messages mean.
pub trait Dialogue: Send + Sync {
    /// Who tells the inventory what is learnt; none where that is nobody's name or software.
    const SOURCE: Option<ObservationSource>;

    /// The flow's name, where nothing narrower was learnt.
    const SERVICE: Service;

    /// Looks at what a side sent and is not read yet: it starts where a message does, and is never empty.
    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step;

    /// Bytes of a side are missing; what comes next need not be the start of a message.
    fn gap(&mut self, _from: Role, _said: &mut Introduction) {}

    /// Time has passed.
    fn expire(&mut self, _now: i64, _out: &mut Output<'_>) {}

    /// Nothing will follow.
    fn end(&mut self, _now: i64, _capture_ended: bool, _said: &mut Introduction, _out: &mut Output<'_>) {}

    /// Bytes that it keeps itself.
    fn held_bytes(&self) -> usize {
        0
    }
}

/// One side's stream.
#[derive(Default)]
struct Side {
    kept: Vec<u8>,
    /// Bytes that are passed over.
    skip: u64,
    /// What comes next need not be the start of a message.
    adrift: bool,
    /// Nothing of this side is read any more.
    deaf: bool,
    /// At least one message was read.
    heard: bool,
}

/// Reads a flow's introduction.
pub struct Reading<D> {
    dialogue: D,
    sides: [Side; 2],
    said: Introduction,
    least: Confidence,
    progress: Progress,
    last: At,
    written: bool,
    /// What it has of all that introductions may hold.
    held_bytes: u64,
}

impl<D: Dialogue + 'static> Reading<D> {
    /// A parser; `least` is the confidence that the flow's name has without a word of the other side.
    pub fn boxed(dialogue: D, least: Confidence) -> Box<dyn Parser> {
        Box::new(Self {
            dialogue,
            sides: Default::default(),
            said: Introduction::default(),
            least,
            progress: Progress::Reading,
            last: At::default(),
            written: false,
            held_bytes: 0,
        })
    }

    fn heard_both(&self) -> bool {
        self.sides.iter().all(|side| side.heard)
    }

    /// Reads all messages that are whole; how many bytes are done with.
    fn run(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) -> usize {
        let mut used = 0;
        while used < bytes.len() && self.progress == Progress::Reading {
            let step = self.dialogue.read(from, &bytes[used..], at, &mut self.said, out);
            let heard_both = self.heard_both();
            let side = &mut self.sides[from.index()];
            if !matches!(step, Step::More | Step::Wrong | Step::Lost(_)) {
                side.heard = true;
                side.adrift = false;
            }
            match step {
                Step::More if bytes.len() - used > KEPT_LIMIT => {
                    side.deaf = true;
                    return bytes.len();
                }
                Step::More => return used,
                // A message that takes no bytes would be read for ever.
                Step::Read(length) | Step::Lost(length) => used += length.max(1).min(bytes.len() - used),
                Step::Skip(length) => {
                    let here = length.min((bytes.len() - used) as u64);
                    side.skip = length - here;
                    used += here as usize;
                }
                Step::Done => self.progress = Progress::Done,
                Step::HandOver => self.progress = Progress::HandOver,
                Step::Wrong if side.adrift || heard_both => {
                    side.deaf = true;
                    if self.sides.iter().all(|side| side.deaf) {
                        self.progress = Progress::Done;
                    }
                    return bytes.len();
                }
                Step::Wrong => self.progress = Progress::Wrong,
            }
        }
        used
    }

    /// Counts what is held; where all introductions together hold too much, this one is over.
    fn account(&mut self, at: At, out: &mut Output<'_>) {
        let kept: usize = self.sides.iter().map(|side| side.kept.len()).sum();
        let held = (kept + self.dialogue.held_bytes()) as u64;
        let all = &mut out.counts.introduction_bytes;
        *all = all.saturating_sub(self.held_bytes).saturating_add(held);
        self.held_bytes = held;
        if held > 0 && *all > out.limits.introduction_bytes && self.progress == Progress::Reading {
            self.progress = Progress::Done;
            out.counts.introductions_given_up += 1;
            let most = out.limits.introduction_bytes;
            out.anomaly(AnomalyKind::PendingLimit, at, &|| {
                format!(
                    "introductions of all flows hold more than {most} bytes: this one is not read further"
                )
            });
        }
    }

    /// Writes the row, once.
    fn write(&mut self, out: &mut Output<'_>) {
        let heard = self.sides.iter().any(|side| side.heard);
        // What no more than one side's word stands for, and only perhaps, is not told.
        let unsure = self.confidence() == Confidence::None;
        if std::mem::replace(&mut self.written, true) || !heard || unsure {
            return;
        }
        let service = self.service().unwrap_or(D::SERVICE);
        self.said.write(service, self.confidence(), self.last, out);
        if let Some(source) = D::SOURCE {
            self.said.observe(source, self.last, out);
        }
    }
}

impl<D: Dialogue + 'static> Parser for Reading<D> {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        if self.progress != Progress::Reading {
            return;
        }
        self.last = at;
        let side = &mut self.sides[from.index()];
        let skipped = side.skip.min(bytes.len() as u64);
        side.skip -= skipped;
        let bytes = &bytes[skipped as usize..];
        if side.deaf || bytes.is_empty() {
            return;
        }
        let mut kept = std::mem::take(&mut side.kept);
        if kept.is_empty() {
            let used = self.run(from, bytes, at, out);
            kept.extend_from_slice(&bytes[used..]);
        } else {
            kept.extend_from_slice(bytes);
            let used = self.run(from, &kept, at, out);
            kept.drain(..used);
        }
        self.sides[from.index()].kept = kept;
        self.account(at, out);
        if self.said.ready && !self.written {
            self.write(out);
        }
    }

    fn gap(&mut self, from: Role, length: u64) {
        let side = &mut self.sides[from.index()];
        if length > 0 && length <= side.skip {
            side.skip -= length;
            return;
        }
        side.skip = 0;
        side.kept.clear();
        side.adrift = true;
        self.dialogue.gap(from, &mut self.said);
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        self.dialogue.expire(now, out);
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.dialogue.end(now, capture_ended, &mut self.said, out);
        self.write(out);
        let all = &mut out.counts.introduction_bytes;
        *all = all.saturating_sub(std::mem::take(&mut self.held_bytes));
    }

    fn confidence(&self) -> Confidence {
        if self.progress == Progress::Wrong || !self.sides.iter().any(|side| side.heard) {
            Confidence::None
        } else if self.heard_both() {
            Confidence::Handshake
        } else {
            self.least
        }
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    fn service(&self) -> Option<Service> {
        self.said.service
    }
}
