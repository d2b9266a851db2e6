//! Bytes of one side's stream in; whole chunks out (OPC 10000-6, 6.7.2 and 7.1.2).
//!
//! What comes out depends on the bytes alone, never on how they were cut into segments. A chunk's length is in
//! its header, so a long one is followed to its end while only its beginning is kept. Bytes that cannot be a
//! header put the stream out of step; it is in step again at the next plausible one.

/// Message type, chunk type, size.
pub const HEADER: usize = 8;

/// Of a header, the bytes that are looked at when one is searched for: the header and the channel behind it.
const LOOK: usize = 12;

/// The longest chunk. The peers negotiate it (7.1.2.3), products stay far below.
const CHUNK_LIMIT: u32 = 1 << 24;

/// Room that is not given back between chunks.
const KEEP_ROOM: usize = 4_096;

/// The longest of the messages that have no chunks: 4,096 bytes of text and a little (7.1.2.3 to 7.1.2.6).
const SHORT_LIMIT: u32 = 65_536;

/// What a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Hello,
    Acknowledge,
    Error,
    ReverseHello,
    Open,
    Close,
    Message,
}

impl Kind {
    fn of(word: [u8; 3]) -> Option<Self> {
        let kind = match &word {
            b"HEL" => Kind::Hello,
            b"ACK" => Kind::Acknowledge,
            b"ERR" => Kind::Error,
            b"RHE" => Kind::ReverseHello,
            b"OPN" => Kind::Open,
            b"CLO" => Kind::Close,
            b"MSG" => Kind::Message,
            _ => return None,
        };
        Some(kind)
    }

    /// Sizes that one of its chunks can have.
    fn sizes(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Kind::Hello => 32..=SHORT_LIMIT,
            Kind::Acknowledge => 28..=28,
            Kind::Error | Kind::ReverseHello => 16..=SHORT_LIMIT,
            // Channel, and at least a policy, a certificate and a thumbprint, be they null.
            Kind::Open => 24..=CHUNK_LIMIT,
            // Channel, token, sequence number, request.
            Kind::Close | Kind::Message => 24..=CHUNK_LIMIT,
        }
    }

    /// It belongs to a secure channel, whose number stands behind the header.
    fn is_secured(self) -> bool {
        matches!(self, Kind::Open | Kind::Close | Kind::Message)
    }
}

/// Whether more chunks of the same message follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Final,
    Continued,
    Aborted,
}

/// A chunk's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub part: Part,
    pub size: u32,
}

impl Header {
    /// The header that these bytes are; none where they cannot be one.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let [a, b, c, part, size @ ..] = bytes else { return None };
        let kind = Kind::of([*a, *b, *c])?;
        let part = match part {
            b'F' => Part::Final,
            b'C' if kind == Kind::Message => Part::Continued,
            b'A' if kind == Kind::Message => Part::Aborted,
            _ => return None,
        };
        let size = u32::from_le_bytes(*size.first_chunk()?);
        kind.sizes().contains(&size).then_some(Self { kind, part, size })
    }
}

impl Header {
    /// True where a chunk, without its header, is not all there.
    pub fn is_cut(&self, chunk: &[u8]) -> bool {
        chunk.len() + HEADER < self.size as usize
    }
}

/// The channel that a chunk names behind its header.
pub fn channel_of(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(HEADER..)?.first_chunk()?))
}

/// True where a chunk may begin here; `channel` where it is known.
fn is_plausible(bytes: &[u8], channel: Option<u32>) -> bool {
    let Some(header) = Header::read(bytes) else { return false };
    if !header.kind.is_secured() {
        return true;
    }
    let named = channel_of(bytes);
    match header.kind {
        // A channel that is being opened has no number yet, or another one.
        Kind::Open => true,
        _ => channel.is_none_or(|channel| named == Some(channel)) && named != Some(0),
    }
}

/// The first place at which a chunk may begin, and its channel is not looked at.
pub fn find(bytes: &[u8]) -> Option<usize> {
    (0..bytes.len().saturating_sub(HEADER - 1)).find(|at| Header::read(&bytes[*at..]).is_some())
}

/// True where bytes too few for a header are the beginning of one.
pub fn is_beginning(bytes: &[u8]) -> bool {
    bytes.len() < HEADER
        && [b"HELF", b"ACKF", b"ERRF", b"RHEF", b"OPNF", b"CLOF", b"MSGF", b"MSGC", b"MSGA"]
            .iter()
            .any(|word| word.iter().zip(bytes).all(|(ours, theirs)| ours == theirs))
}

/// What the reader comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A chunk behind its header, or the first bytes of a long one.
    Chunk(Header, &'a [u8]),
    /// Bytes that are no header.
    Unreadable([u8; HEADER]),
}

/// One side's stream.
#[derive(Debug, Default)]
pub struct Framing {
    /// Bytes of the chunk that is being read, from its header on; or those among which a header is looked for.
    kept: Vec<u8>,
    chunk: Option<Header>,
    /// Bytes of the chunk that have come.
    come: usize,
    /// Bytes of the chunk are missing: what is behind them is not kept.
    holed: bool,
    /// What is kept was told: it makes room for what comes next.
    told: bool,
    out_of_step: bool,
    pub skipped_bytes: u64,
}

impl Framing {
    /// So many bytes are missing; 0 where the stream was joined in its middle. True where they are all of the chunk
    /// that is being read: its end is known, and it is told with what came before the gap. Else the next header has
    /// to be found.
    pub fn gap(&mut self, length: u64) -> bool {
        self.clear_told();
        if let Some(header) = self.chunk.filter(|_| length > 0 && !self.out_of_step) {
            let come = (self.come as u64).saturating_add(length);
            if come < u64::from(header.size) {
                self.come = come as usize;
                self.holed = true;
                return true;
            }
        }
        self.lose_step();
        false
    }

    fn lose_step(&mut self) {
        self.holed = false;
        self.skipped_bytes += self.come.max(self.kept.len()) as u64;
        self.kept.clear();
        self.chunk = None;
        self.come = 0;
        self.out_of_step = true;
    }

    /// Bytes that are kept.
    pub fn held(&self) -> usize {
        self.kept.capacity()
    }

    fn clear_told(&mut self) {
        if std::mem::take(&mut self.told) {
            if self.kept.capacity() > KEEP_ROOM {
                self.kept = Vec::new();
            } else {
                self.kept.clear();
            }
            self.chunk = None;
            self.come = 0;
            self.holed = false;
        }
    }

    /// The next thing that the bytes complete, taken off them; none where they are used up. A chunk is kept up to
    /// `most` bytes.
    pub fn next<'s, 'b: 's>(
        &'s mut self,
        bytes: &mut &'b [u8],
        channel: Option<u32>,
        most: usize,
    ) -> Option<Event<'s>> {
        self.clear_told();
        loop {
            if self.out_of_step && !self.search(bytes, channel) {
                return None;
            }
            let header = match self.chunk {
                Some(header) => header,
                None => {
                    let seen: &[u8] = if self.kept.is_empty() && bytes.len() >= HEADER {
                        bytes
                    } else {
                        self.keep(bytes, HEADER);
                        &self.kept
                    };
                    if seen.len() < HEADER {
                        return None;
                    }
                    let Some(header) = Header::read(seen) else {
                        let mut unreadable = [0; HEADER];
                        unreadable.copy_from_slice(&seen[..HEADER]);
                        self.out_of_step = true;
                        self.skip_one(bytes);
                        return Some(Event::Unreadable(unreadable));
                    };
                    self.chunk = Some(header);
                    self.come = self.kept.len();
                    header
                }
            };
            let size = header.size as usize;
            if self.come == 0 && bytes.len() >= size {
                let (chunk, rest) = bytes.split_at(size);
                *bytes = rest;
                self.chunk = None;
                return Some(Event::Chunk(header, &chunk[HEADER..size.min(most.max(HEADER))]));
            }
            if bytes.is_empty() {
                return None;
            }
            let (taken, rest) = bytes.split_at((size - self.come).min(bytes.len()));
            *bytes = rest;
            self.come += taken.len();
            let room = if self.holed { 0 } else { most.max(HEADER).saturating_sub(self.kept.len()) };
            self.kept.extend_from_slice(&taken[..taken.len().min(room)]);
            if self.come == size {
                self.told = true;
                return Some(Event::Chunk(header, &self.kept[HEADER..]));
            }
        }
    }

    /// Moves bytes until so many are kept.
    fn keep(&mut self, bytes: &mut &[u8], length: usize) {
        let (taken, rest) = bytes.split_at(length.saturating_sub(self.kept.len()).min(bytes.len()));
        self.kept.extend_from_slice(taken);
        *bytes = rest;
    }

    /// The byte that cannot start a header is skipped.
    fn skip_one(&mut self, bytes: &mut &[u8]) {
        self.skipped_bytes += 1;
        if self.kept.is_empty() {
            *bytes = bytes.get(1..).unwrap_or_default();
        } else {
            self.kept.remove(0);
        }
    }

    /// Looks for the next header; true where the stream is in step again, else all bytes are used up.
    #[cold]
    fn search(&mut self, bytes: &mut &[u8], channel: Option<u32>) -> bool {
        // Of what was kept, as many bytes as can still begin a header stand before the new ones.
        let before = *bytes;
        let mut moved = 0;
        loop {
            if moved >= self.kept.len() && moved > 0 {
                // What is kept came with these bytes: they are looked through where they are.
                *bytes = &before[moved - self.kept.len()..];
                self.kept.clear();
                moved = 0;
            }
            if self.kept.is_empty() {
                break;
            }
            let length = self.kept.len();
            self.keep(bytes, LOOK);
            moved += self.kept.len() - length;
            if self.kept.len() < LOOK {
                return false;
            }
            if is_plausible(&self.kept, channel) {
                self.out_of_step = false;
                return true;
            }
            self.kept.remove(0);
            self.skipped_bytes += 1;
        }
        let places = bytes.len().saturating_sub(LOOK - 1);
        let found = (0..places).find(|at| is_plausible(&bytes[*at..], channel));
        let skipped = found.unwrap_or(places);
        self.skipped_bytes += skipped as u64;
        *bytes = &bytes[skipped..];
        if found.is_none() {
            self.keep(bytes, LOOK);
            return false;
        }
        self.out_of_step = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(word: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let mut bytes = word.to_vec();
        bytes.extend((HEADER as u32 + body.len() as u32).to_le_bytes());
        bytes.extend(body);
        bytes
    }

    fn events(framing: &mut Framing, mut bytes: &[u8], most: usize) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(event) = framing.next(&mut bytes, Some(9), most) {
            seen.push(match event {
                Event::Chunk(header, body) => format!("{:?} {}", header.kind, body.len()),
                Event::Unreadable(bytes) => format!("unreadable {}", bytes[0]),
            });
        }
        seen
    }

    fn message() -> Vec<u8> {
        chunk(b"MSGF", &[&9u32.to_le_bytes()[..], &[0; 20]].concat())
    }

    #[test]
    fn any_cut_of_the_bytes_gives_the_same_chunks() {
        let stream = [chunk(b"HELF", &[0; 24]), message(), b"noise".to_vec(), message()].concat();
        let whole = events(&mut Framing::default(), &stream, 1_000);
        assert_eq!(whole, ["Hello 24", "Message 24", "unreadable 110", "Message 24"]);
        for size in 1..stream.len() {
            let mut framing = Framing::default();
            let cut: Vec<_> =
                stream.chunks(size).flat_map(|piece| events(&mut framing, piece, 1_000)).collect();
            assert_eq!(cut, whole, "pieces of {size}");
            assert_eq!(framing.skipped_bytes, 5);
        }
    }

    #[test]
    fn of_a_long_chunk_the_beginning_is_kept_and_the_next_is_found() {
        let stream = [chunk(b"MSGC", &[7; 500]), message()].concat();
        for size in [1, 7, 100, 600] {
            let mut framing = Framing::default();
            let cut: Vec<_> = stream.chunks(size).flat_map(|piece| events(&mut framing, piece, 64)).collect();
            assert_eq!(cut, ["Message 56", "Message 24"]);
        }
    }

    #[test]
    fn a_stream_joined_inside_a_chunk_is_in_step_at_the_next_of_its_channel() {
        let foreign = chunk(b"MSGF", &[1; 24]);
        let stream = [&message()[9..], &foreign, &message()].concat();
        for size in 1..stream.len() {
            let mut framing = Framing::default();
            framing.gap(0);
            let cut: Vec<_> = stream.chunks(size).flat_map(|piece| events(&mut framing, piece, 64)).collect();
            assert_eq!(cut, ["Message 24"], "pieces of {size}");
        }
    }

    #[test]
    fn a_gap_inside_a_chunk_costs_nothing_but_its_rest() {
        let stream = [chunk(b"MSGF", &[9; 100]), message()].concat();
        for from in 8..70 {
            let mut framing = Framing::default();
            let mut seen = events(&mut framing, &stream[..from], 1_000);
            assert!(framing.gap(30));
            seen.extend(events(&mut framing, &stream[from + 30..], 1_000));
            assert_eq!(seen, [format!("Message {}", from - 8), "Message 24".to_owned()]);
            assert_eq!(framing.skipped_bytes, 0);
        }
        let mut framing = Framing::default();
        events(&mut framing, &stream[..20], 1_000);
        assert!(!framing.gap(88));
        assert_eq!(events(&mut framing, &message(), 1_000), ["Message 24"]);
    }

    #[test]
    fn sizes_and_types_that_no_chunk_has_are_unreadable() {
        for bytes in
            [b"MSGX\x40\0\0\0", b"MSGF\x17\0\0\0", b"HELC\x40\0\0\0", b"ACKF\x40\0\0\0", b"MSGF\0\0\0\x7f"]
        {
            assert_eq!(Header::read(bytes), None, "{bytes:?}");
        }
        assert!(is_beginning(b"HE") && is_beginning(b"MSGF\x40") && !is_beginning(b"GET"));
    }
}
