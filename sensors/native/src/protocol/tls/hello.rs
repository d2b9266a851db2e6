//! ClientHello and ServerHello in; what they offer and choose out (RFC 8446, 4.1; RFC 5246, 7.4.1).

use crate::protocol::reading::{Fields, text};

/// Characters kept of a host name (RFC 1035, 2.3.4: 255 octets).
const NAME_CHARACTERS: usize = 255;

/// Application protocols kept of an offer, and characters of each.
const ALPN_LIMIT: usize = 16;
const ALPN_CHARACTERS: usize = 32;

/// Identifiers that are kept of one list: an offer of more is cut.
const LIST_LIMIT: usize = 1_024;

/// The random value that makes a ServerHello a HelloRetryRequest (RFC 8446, 4.1.3): its first eight octets.
const RETRY: [u8; 8] = [0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11];

/// Extension types (IANA, TLS ExtensionType Values).
pub mod extension {
    pub const SERVER_NAME: u16 = 0;
    pub const SIGNATURE_ALGORITHMS: u16 = 13;
    pub const ALPN: u16 = 16;
    pub const PRE_SHARED_KEY: u16 = 41;
    pub const SUPPORTED_VERSIONS: u16 = 43;
    pub const KEY_SHARE: u16 = 51;
    pub const ENCRYPTED_CLIENT_HELLO: u16 = 0xfe0d;
}

/// True for the values that mean nothing and are there so that peers learn to ignore the unknown (RFC 8701).
pub fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What a client offers; lists as on the wire, with GREASE.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    pub legacy_version: u16,
    pub session_id: Vec<u8>,
    pub ciphers: Vec<u16>,
    pub extensions: Vec<u16>,
    pub versions: Vec<u16>,
    pub signature_algorithms: Vec<u16>,
    pub server_name: String,
    pub alpn: Vec<String>,
    /// The first application protocol's octets, which JA4 wants.
    pub first_alpn: Vec<u8>,
}

impl ClientHello {
    /// Reads the body of the message; `datagrams` for DTLS, whose hello has a cookie (RFC 6347, 4.2.1).
    pub fn read(body: &[u8], datagrams: bool) -> Option<Self> {
        let mut fields = Fields(body);
        let mut hello = Self { legacy_version: fields.u16()?, ..Self::default() };
        fields.take(32)?;
        hello.session_id = fields.short()?.to_vec();
        if datagrams {
            fields.short()?;
        }
        hello.ciphers = numbers(fields.medium()?);
        fields.short()?;
        // Without extensions the message ends here (RFC 5246, 7.4.1.2).
        if fields.is_empty() {
            return Some(hello);
        }
        each_extension(fields.medium()?, |kind, body| {
            if hello.extensions.len() < LIST_LIMIT {
                hello.extensions.push(kind);
            }
            hello.extension(kind, body)
        })?;
        Some(hello)
    }

    fn extension(&mut self, kind: u16, body: &[u8]) -> Option<()> {
        let mut fields = Fields(body);
        match kind {
            extension::SERVER_NAME => {
                // One name of the only type there is (RFC 6066, 3); an empty one is a client's mistake, no damage.
                let mut names = Fields(fields.medium().unwrap_or_default());
                if names.u8() == Some(0) {
                    self.server_name = text(names.medium()?, NAME_CHARACTERS);
                }
            }
            extension::SUPPORTED_VERSIONS => self.versions = numbers(fields.short()?),
            extension::SIGNATURE_ALGORITHMS => self.signature_algorithms = numbers(fields.medium()?),
            extension::ALPN => {
                let names = alpn(body)?;
                self.first_alpn = names.first().map(|name| name.to_vec()).unwrap_or_default();
                let kept = names.iter().filter(|name| !matches!(***name, [a, b] if a == b && a & 15 == 10));
                self.alpn = kept.map(|name| text(name, ALPN_CHARACTERS)).take(ALPN_LIMIT).collect();
            }
            _ => {}
        }
        Some(())
    }

    /// Bytes that its lists take.
    pub fn held_bytes(&self) -> usize {
        let lists = [&self.ciphers, &self.extensions, &self.versions, &self.signature_algorithms];
        lists.iter().map(|list| list.len() * 2).sum::<usize>() + self.session_id.len() + self.first_alpn.len()
    }

    /// The highest version offered (RFC 8446, 4.2.1).
    pub fn version(&self) -> u16 {
        let offered = self.versions.iter().copied().filter(|version| !is_grease(*version));
        // DTLS counts downwards.
        if self.legacy_version >> 8 == 0xfe {
            return offered.min().unwrap_or(self.legacy_version);
        }
        offered.max().unwrap_or(self.legacy_version)
    }
}

/// What a server chose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    pub version: u16,
    pub session_id: Vec<u8>,
    pub cipher: u16,
    pub alpn: Option<String>,
    pub group: Option<u16>,
    /// The session goes on from a key that both have (RFC 8446, 2.2).
    pub pre_shared_key: bool,
    /// The client is asked for another hello.
    pub retry: bool,
}

impl ServerHello {
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        let mut hello = Self { version: fields.u16()?, ..Self::default() };
        hello.retry = fields.take(32)?.starts_with(&RETRY);
        hello.session_id = fields.short()?.to_vec();
        hello.cipher = fields.u16()?;
        fields.u8()?;
        if fields.is_empty() {
            return Some(hello);
        }
        each_extension(fields.medium()?, |kind, body| {
            let mut fields = Fields(body);
            match kind {
                extension::SUPPORTED_VERSIONS => hello.version = fields.u16()?,
                extension::KEY_SHARE => hello.group = Some(fields.u16()?),
                extension::PRE_SHARED_KEY => hello.pre_shared_key = true,
                extension::ALPN => hello.alpn = alpn(body)?.first().map(|name| text(name, ALPN_CHARACTERS)),
                _ => {}
            }
            Some(())
        })?;
        Some(hello)
    }
}

/// Calls `each` with every extension; none where one does not fit.
fn each_extension(bytes: &[u8], mut each: impl FnMut(u16, &[u8]) -> Option<()>) -> Option<()> {
    let mut fields = Fields(bytes);
    while !fields.is_empty() {
        let kind = fields.u16()?;
        each(kind, fields.medium()?)?;
    }
    Some(())
}

/// A list of protocol names (RFC 7301, 3.1).
fn alpn(body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut names = Fields(Fields(body).medium()?);
    let mut all = Vec::new();
    while !names.is_empty() && all.len() < ALPN_LIMIT {
        all.push(names.short()?);
    }
    Some(all)
}

fn numbers(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).take(LIST_LIMIT).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}
