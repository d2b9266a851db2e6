//! TLS 1.0 to 1.3 over TCP: the handshake in; versions, names, certificate and fingerprint out (RFC 8446, RFC 5246).
//!
//! The record layer and the handshake messages are put together within limits. With the first ciphertext everything
//! that is in clear was seen, and nobody reads on. TLS 1.3 encrypts certificates: there only names remain.

mod carried;
mod datagrams;
pub(super) mod hello;
mod ja4;
mod names;
mod record;

use sha2::{Digest, Sha256};

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::reading::Fields;
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::{AnomalyKind, At};
use crate::der;
use crate::words::{Confidence, Layer, ObservationSource, Service};
pub use datagrams::PROTOCOL as DATAGRAMS;
use hello::{ClientHello, ServerHello};
use ja4::ja4;
use names::{cipher, version};
use record::{HEADER, Head, Kind};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Tls,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[443, 636, 853, 989, 990, 993, 995, 5986, 6514, 8443, 8883],
    recognise,
    parser: Some(start),
};

/// What a connection's first record begins with: others that upgrade to TLS look for it.
pub const HANDSHAKE: u8 = 22;

/// The longest handshake message that is put together: certificate chains stay far below.
const MESSAGE_LIMIT: usize = 65_536;

/// Records of one side after which nothing in clear will come any more.
const RECORDS_LIMIT: u16 = 64;

mod message {
    pub const CLIENT_HELLO: u8 = 1;
    pub const SERVER_HELLO: u8 = 2;
    pub const HELLO_VERIFY_REQUEST: u8 = 3;
    pub const CERTIFICATE: u8 = 11;
    pub const CERTIFICATE_REQUEST: u8 = 13;
}

/// A hello tells who speaks; records of any other kind only name a connection that was joined late.
fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let structure = |speaker| Some(Recognised { confidence: Confidence::Structure, speaker });
    match record::head(payload) {
        Head::Is(header) if header.kind == Kind::Handshake && header.version <= 0x0304 => {
            let [kind, high, middle, low, major, ..] = payload[HEADER..] else {
                return if on_port { structure(None) } else { None };
            };
            let length = u32::from_be_bytes([0, high, middle, low]) as usize;
            // Version, random, three lengths: no hello is shorter.
            let plausible = major == 3 && (38..=MESSAGE_LIMIT).contains(&length);
            match kind {
                message::CLIENT_HELLO if plausible => structure(Some(Role::Client)),
                message::SERVER_HELLO if plausible => structure(Some(Role::Server)),
                _ if record::are_records(payload) => structure(None),
                _ => None,
            }
        }
        Head::Is(_) if record::are_records(payload) => structure(None),
        Head::Incomplete if on_port => structure(None),
        _ => None,
    }
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Tls::default(), Confidence::Structure)
}

/// Handshake messages of one side.
#[derive(Default)]
struct Side {
    /// The beginning of a message that is not whole.
    handshake: Vec<u8>,
    hello: bool,
    /// What it sends is ciphertext from here on.
    encrypted: bool,
    records: u16,
}

#[derive(Default)]
struct Tls {
    sides: [Side; 2],
    client: Option<ClientHello>,
    version: Option<u16>,
    /// The flow's name before TLS was recognised in it.
    by_port: Option<Service>,
}

impl Dialogue for Tls {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Tls);
    const SERVICE: Service = Service::Tls;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step {
        let header = match record::head(bytes) {
            Head::Incomplete => return Step::More,
            Head::Wrong => return Step::Wrong,
            Head::Is(header) => header,
        };
        let by_port = *self.by_port.get_or_insert(out.service);
        let side = &mut self.sides[usize::from(from == Role::Server)];
        let opaque = header.kind == Kind::ApplicationData || side.encrypted;
        if !opaque && bytes.len() < HEADER + header.length {
            return Step::More;
        }
        side.records = side.records.saturating_add(1);
        let step = if opaque {
            said.encrypted = true;
            self.ciphertext(from, header.length)
        } else {
            let body = &bytes[HEADER..HEADER + header.length];
            match header.kind {
                Kind::Handshake => self.handshake(from, body, at, said, out),
                Kind::Alert => alert(from, body, said),
                _ => {
                    // Between a request for another hello and that hello it changes nothing (RFC 8446, D.4).
                    let hello_follows = self.version == Some(0x0304) && !self.sides[1].hello;
                    self.sides[usize::from(from == Role::Server)].encrypted = !hello_follows;
                    said.encrypted = true;
                    Step::Read(HEADER + header.length)
                }
            }
        };
        said.service = Some(if out.handed_over {
            by_port
        } else {
            carried::service(by_port, &said.host_name, &said.certificate_subject, &said.alpn)
        });
        step
    }

    fn held_bytes(&self) -> usize {
        let handshakes: usize = self.sides.iter().map(|side| side.handshake.len()).sum();
        handshakes + self.client.as_ref().map_or(0, ClientHello::held_bytes)
    }

    fn gap(&mut self, from: Role, _: &mut Introduction) {
        self.sides[usize::from(from == Role::Server)].handshake.clear();
    }
}

impl Tls {
    /// Ciphertext: over where the server chose, or where both sides were heard without a handshake.
    fn ciphertext(&mut self, from: Role, length: usize) -> Step {
        let [client, server] = &self.sides;
        let joined_late = !client.hello && !server.hello;
        let quiet = if joined_late && client.records.min(server.records) == 0 {
            self.sides[usize::from(from == Role::Server)].records < RECORDS_LIMIT
        } else {
            // Early data comes before the server's answer (RFC 8446, 2.3).
            client.hello && !server.hello && from == Role::Client && client.records < RECORDS_LIMIT
        };
        if quiet { Step::Skip((HEADER + length) as u64) } else { Step::Done }
    }

    fn handshake(
        &mut self,
        from: Role,
        body: &[u8],
        at: At,
        said: &mut Introduction,
        out: &mut Output<'_>,
    ) -> Step {
        let side = &mut self.sides[usize::from(from == Role::Server)];
        if side.records > RECORDS_LIMIT || side.handshake.len() + body.len() > MESSAGE_LIMIT + HEADER {
            return Step::Done;
        }
        let mut pending = std::mem::take(&mut side.handshake);
        pending.extend_from_slice(body);
        let mut rest = &pending[..];
        while let [kind, high, middle, low, content @ ..] = rest {
            let length = u32::from_be_bytes([0, *high, *middle, *low]) as usize;
            let first = !self.sides[usize::from(from == Role::Server)].hello;
            if first && !may_come_first(from, *kind) {
                // Not the beginning of a conversation: a late one's ciphertext looks like this.
                return self.ciphertext(from, body.len());
            }
            let Some(message) = content.get(..length) else { break };
            rest = &content[length..];
            if self.message(from, *kind, message, said).is_none() {
                out.anomaly(AnomalyKind::IllegalLength, at, &|| {
                    format!("TLS handshake message {kind}: its fields do not fit into its {length} bytes")
                });
                return Step::Done;
            }
        }
        let kept = rest.to_vec();
        self.sides[usize::from(from == Role::Server)].handshake = kept;
        Step::Read(HEADER + body.len())
    }

    fn message(&mut self, from: Role, kind: u8, body: &[u8], said: &mut Introduction) -> Option<()> {
        let side = &mut self.sides[usize::from(from == Role::Server)];
        match kind {
            message::CLIENT_HELLO if from == Role::Client => {
                let hello = ClientHello::read(body, false)?;
                side.hello = true;
                if self.client.is_none() {
                    client_said(&hello, 't', said);
                }
                self.client = Some(hello);
            }
            message::SERVER_HELLO if from == Role::Server => {
                let hello = ServerHello::read(body)?;
                // After a request for another hello the client has to speak again.
                side.hello = !hello.retry;
                self.version = Some(hello.version);
                server_said(&hello, self.client.as_ref(), said);
            }
            message::CERTIFICATE => {
                let mut chain = Fields(Fields(body).long_24()?);
                // A client without a certificate sends none.
                if !chain.is_empty() {
                    certificate(from, chain.long_24()?, said);
                }
            }
            message::CERTIFICATE_REQUEST => said.remark("client certificate requested"),
            _ => {}
        }
        Some(())
    }
}

/// A conversation begins with a hello, or with the server's request for one (RFC 5246, 7.4.1.1).
fn may_come_first(from: Role, kind: u8) -> bool {
    match from {
        Role::Client => kind == message::CLIENT_HELLO,
        Role::Server => kind == message::SERVER_HELLO || kind == 0,
    }
}

/// Notes what a client offers.
pub(super) fn client_said(hello: &ClientHello, transport: char, said: &mut Introduction) {
    said.host_name = hello.server_name.clone();
    said.alpn = hello.alpn.clone();
    said.ja4 = ja4(hello, transport);
    said.remark(format!("offers up to {}", version(hello.version())));
    if hello.extensions.contains(&hello::extension::ENCRYPTED_CLIENT_HELLO) {
        said.remark("encrypted client hello");
    }
}

/// Notes what a server chose.
fn server_said(hello: &ServerHello, client: Option<&ClientHello>, said: &mut Introduction) {
    said.version = version(hello.version);
    said.cipher = cipher(hello.cipher);
    if let Some(group) = hello.group {
        said.key_exchange = names::group(group);
    }
    if let Some(chosen) = &hello.alpn {
        said.alpn = vec![chosen.clone()];
    }
    // Before TLS 1.3 the server repeats the session's name (RFC 5246, 7.4.1.3); 1.3 always repeats it.
    let same_session = hello.version <= 0x0303
        && !hello.session_id.is_empty()
        && client.is_some_and(|client| client.session_id == hello.session_id);
    said.resumed = hello.pre_shared_key || same_session;
}

/// Notes the first certificate of a chain: its holder's own.
fn certificate(from: Role, der: &[u8], said: &mut Introduction) {
    let Some(read) = der::certificate(der) else {
        said.remark("certificate that cannot be read");
        return;
    };
    if from == Role::Client {
        said.remark(format!("client certificate {}", read.subject));
        said.client_name = read.common_name;
        return;
    }
    said.certificate_sha256 = Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    said.server_name = read.common_name;
    said.certificate_subject = read.subject;
    said.certificate_issuer = read.issuer;
    said.certificate_not_after = read.not_after;
    if !read.alternative_names.is_empty() {
        said.remark(format!("certificate names {}", read.alternative_names.join(",")));
    }
}

/// An alert in clear ends what can be read (RFC 8446, 6).
fn alert(from: Role, body: &[u8], said: &mut Introduction) -> Step {
    let [level @ (1 | 2), kind] = *body else { return Step::Done };
    let who = if from == Role::Client { "client" } else { "server" };
    said.remark(format!("alert by {who}: {}", names::alert(kind)));
    // A warning that the name is unknown does not stop the handshake.
    if level == 1 && kind != 0 { Step::Read(HEADER + body.len()) } else { Step::Done }
}
