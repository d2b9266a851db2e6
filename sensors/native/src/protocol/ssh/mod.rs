//! SSH 2: both sides' software, what they agree on, fingerprints, and a guess of the login (RFC 4253, RFC 4252).
//!
//! Banner lines, then packets in clear up to SSH_MSG_NEWKEYS; after that only sizes are looked at, until they tell
//! whether the client was let in.

mod algorithms;
mod login;

use algorithms::{Agreement, Offer, Sealing, Way};
use login::Guess;

use super::introduction::{Dialogue, Introduction, Reading, Step};
use super::reading::text;
use super::{Output, Parser, Protocol, Recognised, Role, Transport};
use crate::anomaly::At;
use crate::words::{Confidence, Layer, Login, ObservationSource, Service};

pub const PROTOCOL: Protocol = Protocol {
    service: Service::Ssh,
    layer: Layer::Application,
    transport: Transport::Tcp,
    ports: &[22],
    recognise,
    parser: Some(start),
};

/// The longest packet that is read; every implementation takes 35,000 bytes (RFC 4253, 6.1).
const PACKET_LIMIT: usize = 36_000;

/// The longest line before the packets (RFC 4253, 4.2: 255 with its end), and how many a server may send before its own.
const LINE_LIMIT: usize = 1_024;
const LINES_LIMIT: u8 = 32;

/// Sealed segments of a client after which the login is no longer waited for.
const CLIENT_PIECES: u16 = 512;

mod message {
    pub const DISCONNECT: u8 = 1;
    pub const KEXINIT: u8 = 20;
    pub const NEWKEYS: u8 = 21;
    pub const LAST_OF_KEY_EXCHANGE: u8 = 49;
}

fn recognise(payload: &[u8], on_port: bool) -> Option<Recognised> {
    let named = |speaker| Some(Recognised { confidence: Confidence::Structure, speaker });
    let banner: &[u8] = b"SSH-";
    if payload.starts_with(banner) {
        let version = &payload[banner.len()..];
        let is_version = version.starts_with(b"2.0-") || version.starts_with(b"1.");
        return if is_version || (on_port && version.len() < 4) { named(None) } else { None };
    }
    if on_port && banner.starts_with(payload) {
        return named(None);
    }
    // A connection whose banners were missed: the key exchange's first message.
    match packet(payload) {
        Packet::Whole(message::KEXINIT, body, _) => {
            let speaker = Offer::read(body)?.is_client_s();
            named(speaker.map(|client| if client { Role::Client } else { Role::Server }))
        }
        _ => None,
    }
}

fn start(_: Confidence) -> Box<dyn Parser> {
    Reading::boxed(Ssh::default(), Confidence::Structure)
}

/// A packet in clear (RFC 4253, 6).
enum Packet<'a> {
    Incomplete,
    Wrong,
    /// Its message's number and body, and the packet's length.
    Whole(u8, &'a [u8], usize),
}

fn packet(bytes: &[u8]) -> Packet<'_> {
    let Some(length) = bytes.first_chunk() else { return Packet::Incomplete };
    let length = u32::from_be_bytes(*length) as usize;
    if !(12..=PACKET_LIMIT).contains(&length) || (length + 4) % 8 != 0 {
        return Packet::Wrong;
    }
    let Some([padding, content @ ..]) = bytes.get(4..4 + length) else {
        return match bytes.get(4) {
            Some(padding) if *padding < 4 => Packet::Wrong,
            _ => Packet::Incomplete,
        };
    };
    let Some(payload) = content.len().checked_sub(usize::from(*padding)) else { return Packet::Wrong };
    match &content[..payload] {
        [number @ 1..=message::LAST_OF_KEY_EXCHANGE, body @ ..] if *padding >= 4 => {
            Packet::Whole(*number, body, 4 + length)
        }
        _ => Packet::Wrong,
    }
}

/// How far one side is.
#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum Stage {
    #[default]
    Banner,
    Packets,
    Sealed,
}

#[derive(Default)]
struct Side {
    stage: Stage,
    lines: u8,
    offer: Option<Offer>,
    /// Bytes are missing: packets cannot be told apart any more.
    torn: bool,
}

#[derive(Default)]
struct Ssh {
    sides: [Side; 2],
    sealing: Option<Sealing>,
    guess: Guess,
    /// Sealed segments of the client.
    client_pieces: u16,
}

impl Dialogue for Ssh {
    const SOURCE: Option<ObservationSource> = Some(ObservationSource::Ssh);
    const SERVICE: Service = Service::Ssh;

    fn read(
        &mut self,
        from: Role,
        bytes: &[u8],
        _at: At,
        said: &mut Introduction,
        _out: &mut Output<'_>,
    ) -> Step {
        let side = &mut self.sides[from.index()];
        match side.stage {
            // Without its banner a connection begins where it was joined.
            Stage::Banner if !matches!(packet(bytes), Packet::Whole(message::KEXINIT, ..)) => {
                banner(side, from, bytes, said)
            }
            Stage::Banner | Stage::Packets => self.packet(from, bytes, said),
            Stage::Sealed => self.sealed(from, bytes),
        }
    }

    fn held_bytes(&self) -> usize {
        self.sides.iter().filter_map(|side| side.offer.as_ref()).map(Offer::held_bytes).sum()
    }

    fn gap(&mut self, from: Role, _: &mut Introduction) {
        self.sides[from.index()].torn = true;
    }

    fn end(&mut self, _: i64, capture_ended: bool, said: &mut Introduction, out: &mut Output<'_>) {
        if out.closed || !capture_ended {
            self.guess.over();
        }
        said.login = self.guess.login.or(Some(Login::Unknown));
        said.refused_logins = self.guess.refused;
    }
}

impl Ssh {
    fn packet(&mut self, from: Role, bytes: &[u8], said: &mut Introduction) -> Step {
        let (number, body, length) = match packet(bytes) {
            Packet::Incomplete => return Step::More,
            Packet::Wrong => return Step::Wrong,
            Packet::Whole(number, body, length) => (number, body, length),
        };
        let side = &mut self.sides[from.index()];
        side.stage = Stage::Packets;
        match number {
            message::KEXINIT => {
                let Some(offer) = Offer::read(body) else { return Step::Wrong };
                match from {
                    Role::Client => said.hassh = offer.fingerprint(Way::ToServer),
                    Role::Server => said.hassh_server = offer.fingerprint(Way::ToClient),
                }
                side.offer = Some(offer);
                self.agree(said);
            }
            message::NEWKEYS => {
                side.stage = Stage::Sealed;
                side.torn = false;
                said.encrypted = true;
            }
            message::DISCONNECT => said.remark(match from {
                Role::Client => "client disconnects before keys",
                Role::Server => "server disconnects before keys",
            }),
            _ => {}
        }
        Step::Read(length)
    }

    fn agree(&mut self, said: &mut Introduction) {
        let [Some(client), Some(server)] = [&self.sides[0].offer, &self.sides[1].offer] else { return };
        let agreement = Agreement::of(client, server);
        self.sealing = agreement.sealing();
        self.guess = Guess::new(self.sealing, &said.server_software);
        if !agreement.host_key.is_empty() {
            said.remark(format!("host key {}", agreement.host_key));
        }
        for side in &mut self.sides {
            side.offer = None;
        }
        said.key_exchange = agreement.key_exchange;
        said.cipher = if agreement.mac.is_empty() {
            agreement.cipher
        } else {
            format!("{} {}", agreement.cipher, agreement.mac)
        };
    }

    /// Sealed packets: the server's sizes tell of the login, the client's are of no use.
    fn sealed(&mut self, from: Role, bytes: &[u8]) -> Step {
        if from == Role::Client {
            self.client_pieces = self.client_pieces.saturating_add(1);
            // Where only the client is seen nothing will ever be told.
            return if self.client_pieces > CLIENT_PIECES { Step::Done } else { Step::Read(bytes.len()) };
        }
        let framed = self.sealing.filter(|sealing| sealing.length_in_clear && !self.sides[1].torn);
        let length = match framed {
            None => bytes.len(),
            Some(_) if bytes.len() < 4 => return Step::More,
            Some(sealing) => match sealing.packet_bytes(bytes) {
                Some(length) if length <= bytes.len() => length,
                Some(_) => return Step::More,
                None => bytes.len(),
            },
        };
        if self.guess.hear(length) { Step::Done } else { Step::Read(length) }
    }
}

/// A line up to and with the side's own (RFC 4253, 4.2).
fn banner(side: &mut Side, from: Role, bytes: &[u8], said: &mut Introduction) -> Step {
    let Some(end) = bytes.iter().take(LINE_LIMIT).position(|byte| *byte == b'\n') else {
        return if bytes.len() < LINE_LIMIT && bytes.is_ascii() { Step::More } else { Step::Wrong };
    };
    let line = text(&bytes[..end], LINE_LIMIT);
    let Some((version, software)) = line.strip_prefix("SSH-").and_then(|rest| rest.split_once('-')) else {
        side.lines += 1;
        let may_go_on = from == Role::Server && side.lines < LINES_LIMIT && !line.starts_with("SSH-");
        return if may_go_on { Step::Read(end + 1) } else { Step::Wrong };
    };
    side.stage = Stage::Packets;
    match from {
        Role::Client => said.client_software = text(software.as_bytes(), 255),
        Role::Server => {
            said.server_software = text(software.as_bytes(), 255);
            said.version = format!("SSH {}", text(version.as_bytes(), 8));
        }
    }
    Step::Read(end + 1)
}
