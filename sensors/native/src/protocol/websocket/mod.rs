//! WebSocket in clear that carries a protocol which is read: the bytes inside the frames out (RFC 6455).
//!
//! The upgrade is read up to its empty line, then frames: a header, unmasked payload. How frames are cut says nothing to
//! what they carry (MQTT 5.0, 6; OPC 10000-6, 7.5.2), so their payloads are one stream for each side.

mod frames;

pub use frames::{is_binary, payloads, sane_header, speaker};

use crate::anomaly::{AnomalyKind, At};
use crate::protocol::{Output, Progress, Role};

/// What is spoken within, and how an upgrade names it.
#[derive(Debug)]
pub struct Carried {
    /// How the subprotocol begins (RFC 6455, 1.9), in lower case.
    pub subprotocol: &'static [u8],
    /// How the path ends where no subprotocol is named.
    pub path: Option<&'static [u8]>,
}

/// Bytes of an HTTP head that are waited for; a longer one is no upgrade.
const HEAD_LIMIT: usize = 16_384;

/// How a server's agreement begins (RFC 6455, 4.2.2).
const AGREED: &[u8] = b"HTTP/1.1 101";

/// The longest frame header: two bytes, eight of length, four of mask (5.2).
const LONGEST_HEADER: usize = 14;

/// Bytes that are unmasked at once.
const STEP: usize = 512;

/// True for a request to speak this over WebSocket: its protocol is asked for, or its path says it.
pub fn is_upgrade(payload: &[u8], carried: &Carried) -> bool {
    if !payload.starts_with(b"GET ") {
        return false;
    }
    let request = payload.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    let (upgrades, is_named) = upgrade(payload, carried);
    upgrades && (is_named || carried.path.is_some_and(|end| path(request).ends_with(end)))
}

/// True for a server's agreement to speak this over WebSocket, whose request was not seen.
pub fn is_agreement(payload: &[u8], carried: &Carried) -> bool {
    payload.starts_with(AGREED) && upgrade(payload, carried) == (true, true)
}

/// Whether a head upgrades to WebSocket, and whether it names this as what is spoken within.
fn upgrade(payload: &[u8], carried: &Carried) -> (bool, bool) {
    let head = payload.get(..HEAD_LIMIT).unwrap_or(payload);
    let lines = head.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).skip(1);
    let (mut upgrades, mut is_named) = (false, false);
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"upgrade") {
            upgrades = value.eq_ignore_ascii_case(b"websocket");
        } else if name.eq_ignore_ascii_case(b"sec-websocket-protocol") {
            let mut asked = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let start = carried.subprotocol;
            is_named |= asked
                .any(|one| one.get(..start.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(start)));
        }
    }
    (upgrades, is_named)
}

/// True for the start of a request, however short: nothing that is carried begins with its first letter.
pub fn begins_request(bytes: &[u8]) -> bool {
    bytes.iter().zip(b"GET ").all(|(byte, letter)| byte == letter)
}

/// The path of a request line, without its query.
fn path(request: &[u8]) -> &[u8] {
    let path = request.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    path.split(|byte| *byte == b'?').next().unwrap_or_default()
}

/// Why nothing comes out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It was no upgrade, or the server did not agree to it.
    NotAgreed,
    /// Frames are compressed (RFC 7692): named, not read.
    Compressed,
}

impl Refusal {
    /// Tells of it, and what becomes of who reads the frames.
    pub fn told(self, at: At, out: &mut Output<'_>) -> Progress {
        match self {
            Self::NotAgreed => Progress::Wrong,
            Self::Compressed => {
                out.anomaly(AnomalyKind::Unreadable, at, &|| {
                    "WebSocket frames are compressed (RFC 7692)".to_owned()
                });
                Progress::Done
            }
        }
    }
}

/// What the frames of one side are up to.
#[derive(Clone, Debug)]
enum State {
    /// The HTTP head so far.
    Head(Vec<u8>),
    /// The header of a frame so far.
    Header([u8; LONGEST_HEADER], usize),
    /// Payload that is still to come.
    Payload { left: u64, mask: [u8; 4], at: usize, is_data: bool },
    /// A gap hides where the next frame starts.
    Lost,
}

/// Both sides of an upgraded connection.
#[derive(Clone, Debug)]
pub struct WebSocket {
    carried: &'static Carried,
    sides: [State; 2],
}

/// A whole frame header: its length, what it says.
pub struct Header {
    pub length: usize,
    pub payload: u64,
    pub mask: [u8; 4],
    pub opcode: u8,
    /// A bit is set that only an extension gives a meaning to.
    pub compressed: bool,
}

/// Reads a frame header (5.2); `None` while it is not whole.
pub fn header(bytes: &[u8]) -> Option<Header> {
    let [first, second, rest @ ..] = bytes else { return None };
    let (payload, extended) = match second & 0x7f {
        126 => (u64::from(u16::from_be_bytes(*rest.first_chunk()?)), 2),
        127 => (u64::from_be_bytes(*rest.first_chunk()?), 8),
        short => (u64::from(short), 0),
    };
    let is_masked = second & 0x80 != 0;
    let mask = if is_masked { *rest.get(extended..)?.first_chunk()? } else { [0; 4] };
    let length = 2 + extended + if is_masked { 4 } else { 0 };
    Some(Header { length, payload, mask, opcode: first & 0x0f, compressed: first & 0x70 != 0 })
}

/// Continuation, text and binary carry it; close, ping and pong do not (5.2).
fn is_data(opcode: u8) -> bool {
    opcode < 8
}

impl WebSocket {
    /// A connection of which these bytes are the first: a request, a server's agreement to one that was not seen, or
    /// frames whose upgrade was not.
    pub fn opening(carried: &'static Carried, from: Role, bytes: &[u8]) -> Self {
        let sides = if begins_request(bytes) {
            [State::Head(Vec::new()), State::Head(Vec::new())]
        } else if from == Role::Server && bytes.first() == Some(&b'H') {
            [State::Lost, State::Head(Vec::new())]
        } else {
            // A frame of this side comes next, and of the other one some time.
            let mut sides = [State::Lost, State::Lost];
            sides[from.index()] = State::Header([0; LONGEST_HEADER], 0);
            sides
        };
        Self { carried, sides }
    }

    /// Bytes that are held.
    pub fn held(&self) -> usize {
        let held = |state: &State| if let State::Head(head) = state { head.capacity() } else { 0 };
        held(&self.sides[0]) + held(&self.sides[1])
    }

    /// `length` bytes are missing from a side. The number of carried bytes among them, where it is known.
    pub fn gap(&mut self, from: Role, length: u64) -> Option<u64> {
        let side = &mut self.sides[from.index()];
        if let State::Payload { left, at, is_data, .. } = side {
            if length > 0 && length < *left {
                *left -= length;
                *at = (*at + (length % 4) as usize) % 4;
                return Some(if *is_data { length } else { 0 });
            }
        }
        *side = State::Lost;
        None
    }

    /// Takes bytes of a side; `each` is given the carried ones.
    pub fn feed(&mut self, from: Role, bytes: &[u8], mut each: impl FnMut(&[u8])) -> Result<(), Refusal> {
        let mut rest = bytes;
        if matches!(self.sides[from.index()], State::Lost) {
            if !starts_frame(bytes, from) {
                return Ok(());
            }
            self.sides[from.index()] = State::Header([0; LONGEST_HEADER], 0);
        }
        while !rest.is_empty() {
            rest = match &mut self.sides[from.index()] {
                State::Head(_) => self.head(from, rest)?,
                State::Header(kept, count) => {
                    let first = rest[0];
                    rest = &rest[1..];
                    // A header is whole at 14 bytes at the latest.
                    if let Some(place) = kept.get_mut(*count) {
                        *place = first;
                        *count += 1;
                    }
                    if let Some(header) = header(&kept[..*count]).filter(|header| header.length == *count) {
                        self.begin(from, &header)?;
                    }
                    rest
                }
                State::Payload { left, mask, at, is_data } => {
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    let (payload, behind) = rest.split_at(length);
                    if *is_data {
                        unmask(payload, *mask, *at, &mut each);
                    }
                    *at = (*at + length) % 4;
                    *left -= length as u64;
                    if *left == 0 {
                        self.sides[from.index()] = State::Header([0; LONGEST_HEADER], 0);
                    }
                    behind
                }
                State::Lost => return Ok(()),
            };
        }
        Ok(())
    }

    /// A frame's header is whole.
    fn begin(&mut self, from: Role, header: &Header) -> Result<(), Refusal> {
        if header.compressed {
            return Err(Refusal::Compressed);
        }
        self.sides[from.index()] = if header.payload == 0 {
            State::Header([0; LONGEST_HEADER], 0)
        } else {
            State::Payload { left: header.payload, mask: header.mask, at: 0, is_data: is_data(header.opcode) }
        };
        Ok(())
    }

    /// Bytes of the HTTP head; what is behind its empty line.
    fn head<'a>(&mut self, from: Role, bytes: &'a [u8]) -> Result<&'a [u8], Refusal> {
        let State::Head(head) = &mut self.sides[from.index()] else { return Ok(bytes) };
        let before = head.len();
        let room = bytes.get(..HEAD_LIMIT.saturating_sub(before)).unwrap_or(bytes);
        head.extend_from_slice(room);
        // The empty line may have begun in the bytes before.
        let searched = before.saturating_sub(3);
        let found = head[searched..].windows(4).position(|four| four == b"\r\n\r\n");
        let Some(found) = found else {
            return if head.len() >= HEAD_LIMIT { Err(Refusal::NotAgreed) } else { Ok(&[]) };
        };
        let end = searched + found + 4;
        let agreed = match from {
            Role::Client => is_upgrade(&head[..end], self.carried),
            Role::Server => head.starts_with(AGREED),
        };
        self.sides[from.index()] = State::Header([0; LONGEST_HEADER], 0);
        if agreed { Ok(&bytes[end - before..]) } else { Err(Refusal::NotAgreed) }
    }
}

/// Behind a gap: true where a segment starts with a frame's header as this side writes it (5.1).
fn starts_frame(bytes: &[u8], from: Role) -> bool {
    let Some(header) = header(bytes) else { return false };
    let is_masked = bytes.get(1).is_some_and(|second| second & 0x80 != 0);
    let whole = (header.length as u64).saturating_add(header.payload) <= bytes.len() as u64;
    let known = matches!(bytes[0], 0x82 | 0x88 | 0x89 | 0x8a);
    known && whole && is_masked == (from == Role::Client)
}

/// Takes the mask off (5), `at` bytes into it.
pub fn unmask(payload: &[u8], mask: [u8; 4], at: usize, each: &mut impl FnMut(&[u8])) {
    if mask == [0; 4] {
        return each(payload);
    }
    let mut clear = [0; STEP];
    let mut place = at;
    for step in payload.chunks(STEP) {
        for (to, from) in clear.iter_mut().zip(step) {
            *to = from ^ mask[place % 4];
            place += 1;
        }
        each(&clear[..step.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub const GET: &[u8] =
        b"GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Key: x\r\n\r\n";
    pub const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

    const MQTT: Carried = Carried { subprotocol: b"mqtt", path: Some(b"/mqtt") };
    const UA: Carried = Carried { subprotocol: b"opcua+uacp", path: None };

    fn fresh() -> WebSocket {
        WebSocket::opening(&MQTT, Role::Client, GET)
    }

    fn read(socket: &mut WebSocket, from: Role, bytes: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut inside = Vec::new();
        socket.feed(from, bytes, |clear| inside.extend_from_slice(clear)).map(|()| inside)
    }

    #[test]
    fn an_upgrade_asks_for_what_it_carries_or_has_its_path() {
        let is_upgrade = |head: &[u8]| is_upgrade(head, &MQTT);
        let is_agreement = |head: &[u8]| is_agreement(head, &MQTT);
        assert!(is_upgrade(GET));
        assert!(is_upgrade(
            b"GET / HTTP/1.1\r\nupgrade: websocket\r\nsec-websocket-protocol: chat, mqttv3.1\r\n\r\n"
        ));
        assert!(is_upgrade(b"GET /ws/mqtt?token=1 HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"));
        assert!(!is_upgrade(b"GET /mqtt HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert!(!is_upgrade(b"GET /chat HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"));
        assert!(is_agreement(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
        ));
        assert!(!is_agreement(SWITCHING));
        assert!(!is_upgrade(b"POST /mqtt HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"));
    }

    #[test]
    fn what_has_no_path_of_its_own_is_asked_for_by_name() {
        let asks = |path: &str, name: &str| {
            let head = format!(
                "GET {path} HTTP/1.1\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: {name}\r\n\r\n"
            );
            is_upgrade(head.as_bytes(), &UA)
        };
        assert!(asks("/", "opcua+uacp"));
        assert!(asks("/", "opcua+uajson, OPCUA+UACP"));
        assert!(!asks("/opcua+uacp", "opcua+uajson"));
        assert!(!asks("/mqtt", "mqtt"));
    }

    #[test]
    fn frames_of_any_cut_give_the_bytes_inside() {
        // "Hello" masked, and in two fragments unmasked with a ping between them (RFC 6455, 5.7).
        let masked = [0x82, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
        let fragments = b"\x02\x03Hel\x89\x02??\x80\x02lo";
        for cut in 0..GET.len() + masked.len() {
            let mut socket = fresh();
            let stream = [GET, &masked].concat();
            let mut inside = read(&mut socket, Role::Client, &stream[..cut]).unwrap();
            inside.extend(read(&mut socket, Role::Client, &stream[cut..]).unwrap());
            assert_eq!(inside, b"Hello", "{cut}");
        }
        let mut socket = fresh();
        assert_eq!(read(&mut socket, Role::Server, &[SWITCHING, fragments].concat()).unwrap(), b"Hello");
    }

    #[test]
    fn lengths_of_two_and_eight_bytes() {
        for (length, size) in [(&[126, 1, 0][..], 256), (&[127, 0, 0, 0, 0, 0, 1, 0, 0][..], 65_536)] {
            let mut socket = fresh();
            let frame = [SWITCHING, &[0x82], length, &vec![7; size]].concat();
            assert_eq!(read(&mut socket, Role::Server, &frame).unwrap().len(), size);
        }
    }

    #[test]
    fn what_was_not_agreed_or_is_compressed_is_not_read() {
        let mut socket = fresh();
        assert_eq!(
            read(&mut socket, Role::Server, b"HTTP/1.1 403 Forbidden\r\n\r\n"),
            Err(Refusal::NotAgreed)
        );
        let mut socket = fresh();
        let compressed = [SWITCHING, &[0xc2, 1, 0]].concat();
        assert_eq!(read(&mut socket, Role::Server, &compressed), Err(Refusal::Compressed));
        let mut socket = fresh();
        assert_eq!(read(&mut socket, Role::Server, &[b'a'; 20_000]), Err(Refusal::NotAgreed));
    }

    #[test]
    fn a_gap_inside_a_frame_costs_only_its_bytes() {
        let mut socket = fresh();
        let start = [GET, &[0x82, 0x85, 1, 2, 3, 4, b'H' ^ 1]].concat();
        assert_eq!(read(&mut socket, Role::Client, &start).unwrap(), b"H");
        assert_eq!(socket.gap(Role::Client, 2), Some(2));
        assert_eq!(read(&mut socket, Role::Client, &[b'l' ^ 4, b'o' ^ 1]).unwrap(), b"lo");
        assert_eq!(socket.gap(Role::Client, 2), None);
        assert_eq!(read(&mut socket, Role::Client, b"rest of a frame").unwrap(), b"");
        assert_eq!(read(&mut socket, Role::Client, &[0x82, 0x81, 0, 0, 0, 0, b'!']).unwrap(), b"!");
    }
}
