//! OPC UA over WebSocket in clear: the chunks inside the frames are those of opc.tcp (OPC 10000-6, 7.5.2).
//!
//! A client asks for `opcua+uacp`. Where its upgrade was not seen, a frame that begins with a chunk's header tells. What
//! is within TLS (opc.wss) is TLS; `opcua+uajson` is not read.

use super::framing::Kind;
use super::{OpcUa, framing, recognise, start};
use crate::anomaly::At;
use crate::protocol::websocket::{
    Carried, WebSocket, is_agreement, is_binary, is_upgrade, payloads, sane_header, speaker,
};
use crate::protocol::{Output, Parser, Progress, Protocol, Recognised, Role, Transport};
use crate::words::{Carrier, Confidence, Layer, Service};

const CARRIED: Carried = Carried { subprotocol: b"opcua+uacp", path: None };

pub const OVER_WEBSOCKET: Protocol = Protocol {
    service: Service::OpcUa,
    layer: Layer::OpcUa,
    transport: Transport::Tcp,
    ports: &[],
    recognise: recognise_carried,
    parser: Some(|confidence| Box::new(OverWebSocket::new(confidence))),
};

fn recognise_carried(payload: &[u8], _: bool) -> Option<Recognised> {
    let upgrade = |speaker| Recognised { confidence: Confidence::Structure, speaker: Some(speaker) };
    match payload.first()? {
        b'G' => is_upgrade(payload, &CARRIED).then(|| upgrade(Role::Client)),
        b'H' => is_agreement(payload, &CARRIED).then(|| upgrade(Role::Server)),
        _ => recognise_frames(payload),
    }
}

/// A segment that begins with a frame of either side.
fn recognise_frames(payload: &[u8]) -> Option<Recognised> {
    if !is_binary(payload) {
        return None;
    }
    let frame = sane_header(payload)?;
    let speaker = speaker(payload);
    let clear = payloads(payload)?;
    let chunk = framing::Header::read(&clear)?;
    // A chunk is a frame of its own (7.5.2), and HEL and ACK are said by one side alone.
    let is_this_side_s = match chunk.kind {
        Kind::Hello => speaker == Role::Client,
        Kind::Acknowledge => speaker == Role::Server,
        _ => true,
    };
    let fits = u64::from(chunk.size) == frame.payload && is_this_side_s;
    let recognised = recognise::recognise(&clear, false).filter(|_| fits)?;
    Some(Recognised { speaker: Some(speaker), ..recognised })
}

/// One flow's OPC UA, and the frames around it.
struct OverWebSocket {
    /// There from the first bytes on.
    socket: Option<WebSocket>,
    inside: OpcUa,
    progress: Progress,
    /// Bytes of heads that are in the count of all flows.
    accounted: u64,
}

impl OverWebSocket {
    fn new(confidence: Confidence) -> Self {
        let inside = start(Carrier::WebSocket, confidence);
        Self { socket: None, inside, progress: Progress::Reading, accounted: 0 }
    }

    /// Counts the heads that are held with what OPC UA holds; without room the upgrade is not read.
    fn account(&mut self, out: &mut Output<'_>) {
        let held = self.socket.as_ref().map_or(0, |socket| socket.held() as u64);
        let all = &mut out.counts.opcua_held_bytes;
        *all = all.saturating_sub(self.accounted).saturating_add(held);
        self.accounted = held;
        if held > 0 && *all > out.limits.opcua_bytes {
            out.counts.opcua_given_up += 1;
            self.progress = Progress::Done;
        }
    }
}

impl Parser for OverWebSocket {
    fn feed(&mut self, from: Role, bytes: &[u8], at: At, out: &mut Output<'_>) {
        if self.progress != Progress::Reading {
            return;
        }
        let socket = self.socket.get_or_insert_with(|| WebSocket::opening(&CARRIED, from, bytes));
        let inside = &mut self.inside;
        if let Err(refusal) = socket.feed(from, bytes, |clear| inside.feed(from, clear, at, out)) {
            self.progress = refusal.told(at, out);
        }
        self.account(out);
    }

    fn gap(&mut self, from: Role, length: u64) {
        match self.socket.as_mut().map(|socket| socket.gap(from, length)) {
            // A control frame: OPC UA misses nothing.
            Some(Some(0)) => {}
            Some(Some(inside)) => self.inside.gap(from, inside),
            Some(None) | None => self.inside.gap(from, length),
        }
    }

    fn unseen(&mut self, from: Role) {
        self.inside.unseen(from);
    }

    fn expire(&mut self, now: i64, out: &mut Output<'_>) {
        self.inside.expire(now, out);
    }

    fn end(&mut self, now: i64, capture_ended: bool, out: &mut Output<'_>) {
        self.inside.end(now, capture_ended, out);
        self.socket = None;
        self.account(out);
    }

    fn confidence(&self) -> Confidence {
        self.inside.confidence()
    }

    fn progress(&self) -> Progress {
        if self.progress == Progress::Reading { self.inside.progress() } else { self.progress }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x82, payload.len() as u8 | if mask.is_some() { 0x80 } else { 0 }];
        bytes.extend(mask.iter().flatten());
        let mask = mask.unwrap_or_default();
        bytes.extend(payload.iter().enumerate().map(|(at, byte)| byte ^ mask[at % 4]));
        bytes
    }

    const MASK: Option<[u8; 4]> = Some([0x37, 0xfa, 0x21, 0x3d]);

    fn chunk(word: &[u8; 4]) -> Vec<u8> {
        [&word[..], &[28, 0, 0, 0, 7, 0, 0, 0, 0, 0x20, 0, 0], &[0; 12]].concat()
    }

    #[test]
    fn a_frame_that_begins_with_a_chunk_tells_who_speaks_by_its_mask() {
        let said = |mask, bytes: &[u8]| recognise_carried(&framed(mask, bytes), false);
        for (mask, speaker) in [(MASK, Role::Client), (None, Role::Server)] {
            let seen = said(mask, &chunk(b"MSGF")).unwrap();
            assert_eq!((seen.speaker, seen.confidence), (Some(speaker), Confidence::Structure));
        }
        let seen = said(None, &chunk(b"ACKF")).unwrap();
        assert_eq!((seen.speaker, seen.confidence), (Some(Role::Server), Confidence::Handshake));
        assert_eq!(said(MASK, &chunk(b"ACKF")), None, "a client acknowledges nothing");
    }

    #[test]
    fn what_is_no_frame_with_a_chunk_is_not() {
        let said = |mask, bytes: &[u8]| recognise_carried(&framed(mask, bytes), false);
        assert_eq!(said(MASK, b"hello, how are you? nothing of it"), None);
        assert_eq!(said(None, &[&chunk(b"MSGF")[..], b"more"].concat()), None, "a frame of its own");
        assert_eq!(recognise_carried(&chunk(b"MSGF"), false), None);
        assert_eq!(recognise_carried(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true), None);
        let text = [&[0x81][..], &framed(None, &chunk(b"MSGF"))[1..]].concat();
        assert_eq!(recognise_carried(&text, false), None);
    }
}
