//! The head of an HTTP/1 message in; its start line and the few fields that matter out (RFC 9112).

use crate::protocol::reading::text;

/// The longest head that is read; servers refuse far shorter ones.
pub const HEAD_LIMIT: usize = 32_768;

/// Fields of one head that are looked at.
const FIELDS_LIMIT: usize = 256;

/// Characters kept of a path, and of any other text.
const PATH_CHARACTERS: usize = 512;
const TEXT_CHARACTERS: usize = 255;

/// Methods that are taken for HTTP before their line is whole (IANA, HTTP Method Registry; MS-RPCH; UPnP).
const METHODS: &[&[u8]] = &[
    b"GET",
    b"POST",
    b"PUT",
    b"HEAD",
    b"OPTIONS",
    b"DELETE",
    b"PATCH",
    b"CONNECT",
    b"TRACE",
    b"PROPFIND",
    b"PROPPATCH",
    b"MKCOL",
    b"COPY",
    b"MOVE",
    b"LOCK",
    b"UNLOCK",
    b"SEARCH",
    b"REPORT",
    b"SUBSCRIBE",
    b"UNSUBSCRIBE",
    b"NOTIFY",
    b"RPC_IN_DATA",
    b"RPC_OUT_DATA",
];

/// What the first bytes of a side look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    Request,
    Response,
    /// Too short to tell; nothing speaks against it.
    Open,
    Neither,
}

/// Judges the beginning of a message.
pub fn start(bytes: &[u8]) -> Start {
    let version: &[u8] = b"HTTP/1.";
    if bytes.len() < version.len() && version.starts_with(bytes) {
        return Start::Open;
    }
    if let Some(rest) = bytes.strip_prefix(version) {
        let fits = rest.iter().zip(b"1 200").all(|(byte, like)| match like {
            b' ' => *byte == b' ',
            _ => byte.is_ascii_digit(),
        });
        return match fits {
            false => Start::Neither,
            true if rest.len() < 5 => Start::Open,
            true => Start::Response,
        };
    }
    let Some(space) = bytes.iter().take(16).position(|byte| *byte == b' ') else {
        let may_become = METHODS.iter().any(|method| method.starts_with(bytes));
        return if may_become { Start::Open } else { Start::Neither };
    };
    if !METHODS.contains(&&bytes[..space]) {
        return Start::Neither;
    }
    let target = &bytes[space + 1..];
    match target.iter().take(HEAD_LIMIT).position(|byte| *byte == b'\n') {
        Some(end) => {
            let line = target[..end].strip_suffix(b"\r").unwrap_or(&target[..end]);
            let version = line.len().checked_sub(9).map(|at| &line[at..]);
            let fits = version.is_some_and(|version| version.starts_with(b" HTTP/1."));
            if fits { Start::Request } else { Start::Neither }
        }
        None if target.is_empty() => Start::Open,
        None => {
            let plausible = matches!(target[0], b'/' | b'*' | b'h' | b'H') || bytes.starts_with(b"CONNECT");
            let readable =
                target.iter().all(|byte| (0x21..0x7f).contains(byte) || *byte == b' ' || *byte == b'\r');
            if plausible && readable { Start::Request } else { Start::Neither }
        }
    }
}

/// Length of the head with the empty line that ends it, looking from a place on that was not looked at before.
pub fn end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from.saturating_sub(3);
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\n')? + 1;
        match bytes.get(at..) {
            Some([b'\r', b'\n', ..]) => return Some(at + 2),
            Some([b'\n', ..]) => return Some(at + 1),
            Some([]) | None => return None,
            Some(_) => {}
        }
    }
}

/// What a head says.
#[derive(Clone, Debug, Default)]
pub struct Head {
    pub method: String,
    pub path: String,
    pub host: String,
    pub version: String,
    pub status: Option<u16>,
    pub user_agent: String,
    pub server: String,
    pub content_type: String,
    pub content_length: Option<u64>,
    pub chunked: bool,
    pub upgrade: String,
    /// The scheme of the credentials.
    pub authentication: String,
    /// NTLM's message, still in base64.
    pub ntlm: String,
    /// A password, token or key stands in the head.
    pub secret_seen: bool,
}

impl Head {
    /// Reads a whole head; none where its first line is no start line.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut lines =
            bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
        let mut head = Self::default();
        head.start_line(lines.next()?)?;
        for line in lines.take(FIELDS_LIMIT) {
            let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
            head.field(&line[..colon].to_ascii_lowercase(), line[colon + 1..].trim_ascii());
        }
        Some(head)
    }

    fn start_line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.splitn(3, |byte| *byte == b' ');
        let (first, second, third) = (words.next()?, words.next()?, words.next());
        if first.starts_with(b"HTTP/") {
            self.version = text(first, 16);
            self.status = Some(std::str::from_utf8(second).ok()?.parse().ok()?);
            return Some(());
        }
        self.method = text(first, 16);
        self.version = text(third?, 16);
        self.target(second);
        Some(())
    }

    /// The request's target (RFC 9112, 3.2): path and host are kept, user information and query are not.
    fn target(&mut self, target: &[u8]) {
        let place = target.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(target.len());
        let (target, query) = target.split_at(place);
        self.secret_seen |= names_a_secret(query);
        let scheme = target.windows(3).take(8).position(|window| window == b"://");
        let (authority, path) = match scheme {
            Some(at) => {
                let rest = &target[at + 3..];
                rest.split_at(rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len()))
            }
            None if self.method == "CONNECT" => (target, &b""[..]),
            None => (&b""[..], target),
        };
        let host = match authority.iter().rposition(|byte| *byte == b'@') {
            Some(at) => {
                self.secret_seen |= authority[..at].contains(&b':');
                &authority[at + 1..]
            }
            None => authority,
        };
        self.host = text(host, TEXT_CHARACTERS);
        self.path = text(path, PATH_CHARACTERS);
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        let kept = || text(value, TEXT_CHARACTERS);
        match name {
            b"host" if self.host.is_empty() => self.host = kept(),
            b"user-agent" => self.user_agent = kept(),
            b"server" => self.server = kept(),
            b"content-type" => self.content_type = kept(),
            b"content-length" => {
                self.content_length = std::str::from_utf8(value).ok().and_then(|n| n.parse().ok())
            }
            b"transfer-encoding" => self.chunked |= value.to_ascii_lowercase().ends_with(b"chunked"),
            b"upgrade" => self.upgrade = text(value, 32).to_ascii_lowercase(),
            b"authorization" | b"proxy-authorization" => self.credentials(value),
            b"x-api-key" | b"api-key" | b"x-auth-token" | b"x-access-token" => self.secret_seen = true,
            _ => {}
        }
    }

    /// Credentials: the scheme, and whether a secret is in clear in them (RFC 9110, 11.6.2).
    fn credentials(&mut self, value: &[u8]) {
        let Some(space) = value.iter().position(|byte| *byte == b' ') else {
            // A bare token without a scheme.
            self.secret_seen |= !value.is_empty();
            return;
        };
        let scheme = &value[..space];
        if !scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-') || scheme.len() > 24 {
            self.secret_seen = true;
            return;
        }
        self.authentication = text(scheme, 24);
        match scheme.to_ascii_lowercase().as_slice() {
            // What crosses is no secret itself: an answer to a challenge, or a ticket.
            b"digest" => {}
            b"ntlm" | b"negotiate" => self.ntlm = text(&value[space + 1..], 4_096),
            _ => self.secret_seen = true,
        }
    }
}

/// True where a parameter of a query is called like a secret.
fn names_a_secret(query: &[u8]) -> bool {
    let query = query.to_ascii_lowercase();
    let parameters = query.split(|byte| matches!(byte, b'?' | b'&' | b';'));
    let mut names = parameters.filter_map(|parameter| parameter.split(|byte| *byte == b'=').next());
    names.any(|name| {
        ["password", "passwd", "pwd", "token", "api_key", "apikey", "secret"]
            .iter()
            .any(|secret| name.ends_with(secret.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_of_a_message_is_judged_as_early_as_can_be() {
        for (bytes, judged) in [
            (&b"G"[..], Start::Open),
            (b"GET ", Start::Open),
            (b"GET /in", Start::Request),
            (b"GET / HTTP/1.1\r\n", Start::Request),
            (b"HTTP/1.1 20", Start::Open),
            (b"HTTP/1.1 200 OK", Start::Response),
            (b"OPTIONS rtsp://cam/ RTSP/1.0\r\n", Start::Neither),
            (b"GETTING /", Start::Neither),
            (b"GET \x01\x02", Start::Neither),
            (b"HTTP/1.x", Start::Neither),
        ] {
            assert_eq!(start(bytes), judged, "{:?}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn the_end_of_a_head_is_an_empty_line() {
        assert_eq!(end(b"GET / HTTP/1.1\r\nA: b\r\n\r\nbody", 0), Some(24));
        assert_eq!(end(b"GET / HTTP/1.1\n\nbody", 0), Some(16));
        assert_eq!(end(b"GET / HTTP/1.1\r\n\r", 0), None);
    }

    #[test]
    fn secrets_are_told_of_and_not_kept() {
        let head = Head::read(b"GET http://eng:S3cret@plc1/a?token=S3cret HTTP/1.1\r\n\r\n").unwrap();
        assert!(head.secret_seen);
        assert_eq!((head.host.as_str(), head.path.as_str()), ("plc1", "/a"));
        let basic = Head::read(b"GET / HTTP/1.1\r\nAuthorization: Basic ZW5nOlMzY3JldA==\r\n\r\n").unwrap();
        assert_eq!((basic.authentication.as_str(), basic.secret_seen), ("Basic", true));
        let bare = Head::read(b"GET / HTTP/1.1\r\nAuthorization: S3cret\r\n\r\n").unwrap();
        assert_eq!((bare.authentication.as_str(), bare.secret_seen), ("", true));
        let digest = Head::read(b"GET /?page=2 HTTP/1.1\r\nAuthorization: Digest a=b\r\n\r\n").unwrap();
        assert!(!digest.secret_seen);
        for head in [head, basic, bare] {
            assert!(!format!("{head:?}").contains("S3cret"));
        }
    }
}
