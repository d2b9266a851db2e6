//! HTTP/1.0 and 1.1: requests and responses in, a row a transaction out; bodies are passed over (RFC 9112).
//!
//! HTTP/2 without TLS is named by its preface (RFC 9113, 3.4). A connection that is switched to another protocol is
//! handed over (CONNECT), or named after what it carries (WebSocket, WinRM).

mod head;
mod transactions;

use head::{HEAD_LIMIT, Head, Start};
use transactions::{Answer, Transactions};

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::{Output, Parser, Protocol, Recognised, Role, Transport, ntlmssp};
use crate::anomaly::{AnomalyKind, At};
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Http,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[80, 3128, 5985, 8000, 8008, 8080, 8081, 8088],
    recognise,
    parser: Some(start),
};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A part of a head that is shorter may wait for its rest: as much as is kept of a flow that nobody knows yet.
const SHORT_HEAD: usize = 512;

/// The longest line in front of a chunk, or of a trailer.
const LINE_LIMIT: usize = 4_096;

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let named = |speaker| Some(Recognised { confidence: Confidence::Structure, speaker });
    match head::start(payload) {
        Start::Request if is_carrier(payload) || may_become_carrier(payload) => None,
        Start::Request => named(Some(Role::Client)),
        // The upgrade was not seen, and the server agrees to it.
        Start::Response if payload.starts_with(b"HTTP/1.1 101") && is_carrier(payload) => None,
        Start::Response => named(Some(Role::Server)),
        Start::Open if on_port => named(None),
        _ if payload.starts_with(PREFACE) => named(Some(Role::Client)),
        _ => None,
    }
}

/// Subprotocols of WebSocket that are read: MQTT (MQTT 5.0, 6) and OPC UA (OPC 10000-6, 7.5.2).
const CARRIED: [&[u8]; 2] = [b"mqtt", b"opcua+uacp"];

/// True for a head that opens one of these over WebSocket: that is its own protocol's to read.
fn is_carrier(payload: &[u8]) -> bool {
    let lower = payload[..payload.len().min(HEAD_LIMIT)].to_ascii_lowercase();
    let field: &[u8] = b"sec-websocket-protocol:";
    let Some(at) = lower.windows(field.len()).position(|window| window == field) else { return false };
    let named = lower[at + field.len()..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut named = named.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
    named.any(|one| CARRIED.iter().any(|carried| one.starts_with(carried)))
}

/// True for a short part of a request whose rest may say that it opens one of them: it is shown again with what follows.
fn may_become_carrier(payload: &[u8]) -> bool {
    let has = |text: &[u8]| payload.windows(text.len()).any(|window| window.eq_ignore_ascii_case(text));
    let goes_on = payload.len() < SHORT_HEAD && !has(b"\r\n\r\n") && !has(b"\n\n");
    goes_on
        && payload.starts_with(b"GET ")
        && (!has(b"\n") || has(b"/mqtt HTTP") || has(b"/mqtt?") || has(b"upgrade: websocket"))
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Http::default(), Confidence::Structure)
}

/// What a side's next bytes are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Head,
    /// The line before a chunk.
    Chunk,
    /// Lines behind the last chunk.
    Trailer,
}

#[derive(Default)]
struct Side {
    part: Part,
    /// Bytes of the head that were looked through for its end.
    searched: usize,
    torn: bool,
}

#[derive(Default)]
struct Http {
    sides: [Side; 2],
    transactions: Transactions,
}

impl Dialogue for Http {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Http);
    const SERVICE: Service = Service::Http;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step {
        match self.sides[from.index()].part {
            Part::Head => self.head(from, bytes, at, said, out),
            Part::Chunk => self.chunk(from, bytes),
            Part::Trailer => self.trailer(from, bytes),
        }
    }

    fn held_bytes(&self) -> usize {
        self.transactions.held_bytes()
    }

    fn gap(&mut self, from: Role, _: &mut Introduction) {
        self.sides[from.index()] = Side { torn: true, ..Side::default() };
        self.transactions.mark_gap();
    }

    fn end(&mut self, _: i64, capture_ended: bool, said: &mut Introduction, out: &mut Output<'_>) {
        let service = said.service.unwrap_or(Service::Http);
        self.transactions.end(capture_ended && !out.closed, service, out);
    }
}

impl Http {
    fn head(
        &mut self,
        from: Role,
        bytes: &[u8],
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step {
        let side = &mut self.sides[from.index()];
        if from == Role::Client && PREFACE.starts_with(&bytes[..bytes.len().min(PREFACE.len())]) {
            said.version = "HTTP/2".to_owned();
            return if bytes.len() < PREFACE.len() { Step::More } else { Step::Done };
        }
        if side.searched == 0 {
            // Empty lines before a message are passed over (RFC 9112, 2.2).
            match bytes {
                [b'\r', b'\n', ..] => return Step::Read(2),
                [b'\r'] => return Step::More,
                [b'\n', ..] => return Step::Read(1),
                _ => {}
            }
            match (head::start(bytes), from) {
                (Start::Request, Role::Client) | (Start::Response, Role::Server) => {}
                (Start::Open, _) => return Step::More,
                // Behind a gap this may be the rest of a body.
                _ if side.torn => return Step::Lost(bytes.len()),
                _ => return Step::Wrong,
            }
        }
        let Some(length) = head::end(bytes, side.searched) else {
            side.searched = bytes.len();
            if bytes.len() > HEAD_LIMIT {
                out.anomaly(AnomalyKind::IllegalLength, at, &|| {
                    format!("HTTP head of more than {HEAD_LIMIT} bytes")
                });
                return Step::Done;
            }
            return Step::More;
        };
        side.searched = 0;
        let after_gap = std::mem::take(&mut side.torn);
        let Some(head) = Head::read(&bytes[..length]) else { return Step::Wrong };
        match from {
            Role::Client => self.request(head, length, after_gap, at, said, out),
            Role::Server => self.response(head, length, after_gap, at, said, out),
        }
    }

    fn request(
        &mut self,
        head: Head,
        length: usize,
        after_gap: bool,
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step {
        if head.path.starts_with("/wsman") {
            said.service = Some(Service::WinRm);
        }
        if said.client_software.is_empty() {
            said.client_software.clone_from(&head.user_agent);
        }
        if said.host_name.is_empty() {
            said.host_name.clone_from(&head.host);
        }
        said.secret_seen |= head.secret_seen;
        ntlmssp::read_base64(&head.ntlm, said);
        let (body, chunked) = (head.content_length.unwrap_or(0), head.chunked);
        self.transactions.ask(head, at, after_gap, said.service.unwrap_or(Service::Http), out);
        self.pass_over(Role::Client, length, body, chunked)
    }

    fn response(
        &mut self,
        head: Head,
        length: usize,
        after_gap: bool,
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step {
        let status = head.status.unwrap_or(0);
        ntlmssp::read_base64(&head.ntlm, said);
        // An interim response; another one follows (RFC 9110, 15.2).
        if (100..200).contains(&status) && status != 101 {
            return Step::Read(length);
        }
        if said.server_software.is_empty() {
            said.server_software.clone_from(&head.server);
        }
        said.version.clone_from(&head.version);
        let (body, chunked, upgrade) = (head.content_length, head.chunked, head.upgrade.clone());
        if status == 101 && upgrade == "websocket" {
            said.service = Some(Service::WebSocket);
        }
        let answer = Answer { head, at, after_gap };
        let asked = self.transactions.answer(answer, said.service.unwrap_or(Service::Http), out);
        let (method, credentials) = asked.map(|asked| (asked.method, asked.credentials)).unwrap_or_default();
        if credentials && status == 401 {
            said.refused_logins = said.refused_logins.saturating_add(1);
            said.login = said.login.or(Some(Login::No));
        } else if credentials && status < 400 {
            said.login = Some(Login::Yes);
        }
        if status == 101 {
            said.remark(format!("switched to {upgrade}"));
            return Step::Done;
        }
        if method == "CONNECT" && (200..300).contains(&status) {
            said.remark("tunnel by CONNECT");
            return Step::HandOver;
        }
        said.ready = true;
        if method == "HEAD" || status == 204 || status == 304 {
            return Step::Read(length);
        }
        match body {
            _ if chunked => self.pass_over(Role::Server, length, 0, true),
            Some(body) => self.pass_over(Role::Server, length, body, false),
            // The body ends with the connection: there is no other transaction in it.
            None => Step::Done,
        }
    }

    fn pass_over(&mut self, from: Role, head: usize, body: u64, chunked: bool) -> Step {
        if chunked {
            self.sides[from.index()].part = Part::Chunk;
            return Step::Read(head);
        }
        Step::Skip((head as u64).saturating_add(body))
    }

    /// The size of a chunk (RFC 9112, 7.1).
    fn chunk(&mut self, from: Role, bytes: &[u8]) -> Step {
        let Some(end) = bytes.iter().take(LINE_LIMIT).position(|byte| *byte == b'\n') else {
            return if bytes.len() < LINE_LIMIT { Step::More } else { Step::Wrong };
        };
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let size = std::str::from_utf8(&bytes[..digits]).ok().and_then(|n| u64::from_str_radix(n, 16).ok());
        match size {
            None => Step::Wrong,
            Some(0) => {
                self.sides[from.index()].part = Part::Trailer;
                Step::Read(end + 1)
            }
            // The chunk's data ends with a line end of its own.
            Some(size) => Step::Skip(size.saturating_add(end as u64 + 3)),
        }
    }

    fn trailer(&mut self, from: Role, bytes: &[u8]) -> Step {
        let Some(end) = bytes.iter().take(LINE_LIMIT).position(|byte| *byte == b'\n') else {
            return if bytes.len() < LINE_LIMIT { Step::More } else { Step::Wrong };
        };
        if bytes[..end].trim_ascii().is_empty() {
            self.sides[from.index()].part = Part::Head;
        }
        Step::Read(end + 1)
    }
}
