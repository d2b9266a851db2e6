//! What relays carry: the message inside, and the client that the innermost of them heard (RFC 8415, 9 and 19).

use super::{option, options};

/// Type, hop count, link address, peer address (9).
const HEADER: usize = 34;

/// Relays that a message goes through at most: HOP_COUNT_LIMIT (7.6), and the first one counts 0.
const DEPTH: usize = 9;

const FORWARD: u8 = 12;
const REPLY: u8 = 13;

/// A relay's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relay {
    /// It goes from a server to a client.
    pub is_reply: bool,
    /// Whom the relay heard, or is to tell.
    pub peer: [u8; 16],
}

/// A message, and the innermost relay that carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inner<'a> {
    pub message: &'a [u8],
    pub last: Option<Relay>,
}

/// The message within all relays, itself where there is none; none where a relay carries nothing that can be read.
pub fn inner(payload: &[u8]) -> Option<Inner<'_>> {
    let mut inner = Inner { message: payload, last: None };
    for _ in 0..=DEPTH {
        let kind @ (FORWARD | REPLY) = *inner.message.first()? else { return Some(inner) };
        let relay =
            Relay { is_reply: kind == REPLY, peer: *inner.message.get(HEADER - 16..)?.first_chunk()? };
        if inner.last.is_some_and(|outer| outer.is_reply != relay.is_reply) {
            return None;
        }
        // Options have to fill it, and one of them is the message (21.10).
        let rest = inner.message.get(HEADER..)?;
        let whole: usize = options(rest).map(|(_, value)| 4 + value.len()).sum();
        if whole != rest.len() {
            return None;
        }
        let (_, message) = options(rest).find(|(code, _)| *code == option::RELAYED)?;
        inner = Inner { message, last: Some(relay) };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: [u8; 16] = [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
    const ASKS: &[u8] = &[11, 1, 2, 3];

    fn relayed(kind: u8, peer: [u8; 16], message: &[u8]) -> Vec<u8> {
        let mut bytes = [&[kind, 0][..], &[0; 16], &peer, &[0, 9]].concat();
        bytes.extend((message.len() as u16).to_be_bytes());
        bytes.extend(message);
        bytes
    }

    #[test]
    fn the_innermost_relay_names_the_client() {
        assert_eq!(inner(ASKS), Some(Inner { message: ASKS, last: None }));
        let once = relayed(FORWARD, PEER, ASKS);
        let twice = relayed(FORWARD, [7; 16], &once);
        for carried in [once, twice] {
            let last = Some(Relay { is_reply: false, peer: PEER });
            assert_eq!(inner(&carried), Some(Inner { message: ASKS, last }));
        }
    }

    #[test]
    fn no_more_relays_than_there_can_be_are_looked_into() {
        let through =
            |relays: usize| (0..relays).fold(ASKS.to_vec(), |inside, _| relayed(FORWARD, PEER, &inside));
        assert!(inner(&through(DEPTH)).is_some());
        assert_eq!(inner(&through(DEPTH + 1)), None);
        assert_eq!(inner(&through(1_000)), None);
    }

    #[test]
    fn what_no_relay_makes_is_none() {
        let whole = relayed(FORWARD, PEER, ASKS);
        for length in 0..whole.len() {
            assert_eq!(inner(&whole[..length]), None, "{length}");
        }
        let more = [&whole[..], b"x"].concat();
        assert_eq!(inner(&more), None);
        let mut longer = whole.clone();
        longer[36] = 0xff;
        assert_eq!(inner(&longer), None);
        let without = [&whole[..HEADER], &[0, 18, 0, 1, b'i']].concat();
        assert_eq!(inner(&without), None);
        assert_eq!(inner(&relayed(REPLY, PEER, &whole)), None, "one way or the other");
        assert_eq!(inner(&relayed(FORWARD, PEER, &[])), None);
    }
}
