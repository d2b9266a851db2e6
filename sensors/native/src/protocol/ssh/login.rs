//! Sizes of a server's sealed packets in; whether the client was let in, as a guess, out.
//!
//! SSH_MSG_USERAUTH_SUCCESS has one byte (RFC 4252, 5.1), and nothing else that a server sends before it is so
//! short: the answer to the service request has 17, a refusal at least six and in practice more than twenty. The
//! ciphers keep lengths, so that the shortest packet after the service was granted is the success. Zeek's SSH
//! analyzer rests on the same observation; sizes here follow from the agreed cipher. A server that pads at will, or
//! segments that join packets whose lengths are sealed, leave the answer open: never a wrong one on purpose.
//! Dropbear never sends less than 16 bytes and their seal, so that its success is longer under chacha20-poly1305.

use super::algorithms::Sealing;
use crate::words::Login;

/// `ssh-userauth` in SSH_MSG_SERVICE_ACCEPT (RFC 4253, 10).
const ACCEPT_BYTES: usize = 17;

/// Nobody who was not let in is sent so much: there is no session, and a server ends after a few attempts.
const SESSION_BYTES: usize = 16_384;

/// Packets after which the guess is given up.
const PACKETS_LIMIT: u32 = 256;

/// What the sizes tell so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guess {
    sealing: Option<Sealing>,
    /// The server keeps to a least size.
    is_padded: bool,
    bytes: usize,
    packets: u32,
    accepted: bool,
    /// Of the first answer after that: the refusal of a login without credentials, as a rule.
    refusal_bytes: Option<usize>,
    pub refused: u16,
    pub login: Option<Login>,
}

impl Guess {
    pub fn new(sealing: Option<Sealing>, server_software: &str) -> Self {
        Self { sealing, is_padded: server_software.starts_with("dropbear"), ..Self::default() }
    }

    /// A sealed packet, or a segment of them, from the server; true where nothing more can be told.
    pub fn hear(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes);
        self.packets = self.packets.saturating_add(1);
        if let Some(sealing) = self.sealing {
            let success = if self.is_padded { sealing.wire_bytes_at_least(1) } else { sealing.wire_bytes(1) };
            if !self.accepted {
                self.accepted = bytes == sealing.wire_bytes(ACCEPT_BYTES);
            } else if bytes == success {
                self.login = Some(Login::GuessedYes);
            } else {
                match self.refusal_bytes {
                    None => self.refusal_bytes = Some(bytes),
                    Some(refusal) if refusal == bytes => self.refused = self.refused.saturating_add(1),
                    Some(_) => {}
                }
            }
        }
        if self.login.is_none() && self.bytes > SESSION_BYTES {
            self.login = Some(Login::GuessedYes);
        }
        self.login.is_some() || self.packets > PACKETS_LIMIT
    }

    /// The connection is over, and the client was not let in as far as can be told.
    pub fn over(&mut self) {
        if self.login.is_none() && self.refusal_bytes.is_some() {
            self.login = Some(Login::GuessedNo);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::algorithms::Agreement;
    use super::*;

    fn guess() -> Guess {
        guess_of("OpenSSH_9.2p1")
    }

    fn guess_of(server: &str) -> Guess {
        let cipher = "chacha20-poly1305@openssh.com".to_owned();
        Guess::new(Agreement { cipher, ..Agreement::default() }.sealing(), server)
    }

    #[test]
    fn the_shortest_packet_after_the_service_was_granted_is_the_success() {
        let mut guess = guess();
        assert!(![44, 52, 52, 52].into_iter().any(|bytes| guess.hear(bytes)));
        assert!(guess.hear(28));
        assert_eq!((guess.login, guess.refused), (Some(Login::GuessedYes), 2));
    }

    /// As Dropbear 2022.83 answers a client that has a key: refusal of none, key known, success.
    #[test]
    fn dropbear_s_success_is_padded() {
        let mut guess = guess_of("dropbear_2022.83");
        assert!(![44, 44, 100].into_iter().any(|bytes| guess.hear(bytes)));
        assert!(guess.hear(36));
        assert_eq!((guess.login, guess.refused), (Some(Login::GuessedYes), 0));
    }

    #[test]
    fn refusals_until_the_end_are_no_login() {
        let mut guess = guess();
        assert!(![44, 52, 52].into_iter().any(|bytes| guess.hear(bytes)));
        guess.over();
        assert_eq!((guess.login, guess.refused), (Some(Login::GuessedNo), 1));
    }

    #[test]
    fn without_an_answer_nothing_is_said() {
        let mut guess = guess();
        guess.hear(44);
        guess.over();
        assert_eq!(guess.login, None);
    }
}
