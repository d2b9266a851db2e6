//! A secure channel: policy, mode, certificates, sequence numbers (OPC 10000-6, 6.7).

use std::sync::Arc;

use super::certificate::Certificate;
use super::reader::{Read, Reader};
use super::text::{TEXT_LIMIT, text_of};
use crate::words::words;

words! {
    /// How the messages of a channel are protected (OPC 10000-4, 7.20).
    SecurityMode {
        /// No opening was seen.
        Unknown = "unknown",
        None = "none",
        Sign = "sign",
        SignAndEncrypt = "sign_and_encrypt",
        /// The opening was encrypted and no message has shown yet which of the two it is.
        SignOrEncrypt = "sign_or_encrypt",
    }
}

/// The part of a policy's URI that all of them share.
const URI: &[u8] = b"http://opcfoundation.org/UA/SecurityPolicy#";

/// Sequence numbers begin again below this, from this far below the largest on (6.7.2.4).
const WRAP: u32 = 1024;

/// What a sequence number says beside the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Next,
    /// So many numbers are missing.
    Missing(u32),
    /// It was used before.
    Again,
}

/// The sequence numbers of one side.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequence(Option<u32>);

impl Sequence {
    /// The number cannot be judged: something before it was not read.
    pub fn forget(&mut self) {
        self.0 = None;
    }

    pub fn take(&mut self, number: u32) -> Step {
        let Some(last) = self.0.replace(number) else { return Step::Next };
        let ahead = number.wrapping_sub(last);
        match ahead {
            1 => Step::Next,
            _ if last > u32::MAX - WRAP && number < WRAP => Step::Next,
            0 => Step::Again,
            _ if ahead < 1 << 31 => Step::Missing(ahead - 1),
            _ => Step::Again,
        }
    }
}

/// One secure channel, as far as it is known.
#[derive(Clone, Debug)]
pub struct Channel {
    pub id: Option<u32>,
    /// The policy's name, or its URI where it is no standard one; empty where no opening was seen.
    pub policy: Arc<str>,
    pub mode: SecurityMode,
    /// Bytes of each chunk's signature.
    signature: Option<usize>,
    pub sequences: [Sequence; 2],
}

impl Default for Channel {
    fn default() -> Self {
        Self {
            id: None,
            policy: Arc::from(""),
            mode: SecurityMode::Unknown,
            signature: None,
            sequences: [Sequence::default(); 2],
        }
    }
}

/// The asymmetric security header of an opening (6.7.2.3).
#[derive(Debug)]
pub struct Opening<'a> {
    pub channel: u32,
    pub policy: &'a [u8],
    pub certificate: Option<Certificate>,
    /// What is behind the header: in the clear where the policy is None.
    pub rest: &'a [u8],
}

impl<'a> Opening<'a> {
    pub fn read(chunk: &'a [u8]) -> Read<Self> {
        let mut reader = Reader::new(chunk);
        let channel = reader.u32()?;
        let policy = reader.string()?.unwrap_or_default();
        let certificate = reader.string()?.and_then(Certificate::read);
        reader.string()?;
        Ok(Self { channel, policy, certificate, rest: reader.rest() })
    }

    pub fn is_clear(&self) -> bool {
        self.policy.strip_prefix(URI) == Some(b"None")
    }
}

impl Channel {
    /// A channel of which only the number is known.
    pub fn numbered(id: u32) -> Self {
        Self { id: Some(id), ..Self::default() }
    }

    /// An opening has begun: its policy holds from now on.
    pub fn open(&mut self, opening: &Opening<'_>) {
        let name = opening.policy.strip_prefix(URI).unwrap_or(opening.policy);
        let policy = text_of(name, TEXT_LIMIT);
        // Number 0 asks for a new channel; a renewal cannot change how its messages are protected.
        if *policy != *self.policy || opening.channel == 0 {
            self.policy = Arc::from(policy);
            self.mode = SecurityMode::Unknown;
        }
        if opening.is_clear() {
            self.mode = SecurityMode::None;
        } else if self.mode == SecurityMode::Unknown {
            self.mode = SecurityMode::SignOrEncrypt;
        }
        self.signature = match name {
            b"None" => Some(0),
            b"Basic128Rsa15" | b"Basic256" => Some(20),
            b"Basic256Sha256" | b"Aes128_Sha256_RsaOaep" | b"Aes256_Sha256_RsaPss" => Some(32),
            b"ECC_nistP256" | b"ECC_brainpoolP256r1" => Some(32),
            b"ECC_nistP384" | b"ECC_brainpoolP384r1" => Some(48),
            b"ECC_curve25519" | b"ECC_curve448" => Some(16),
            _ => None,
        };
    }

    /// Bytes at the end of a readable chunk that are its signature; none where nobody knows.
    pub fn signature_bytes(&self) -> Option<usize> {
        match self.mode {
            SecurityMode::None => Some(0),
            _ => self.signature,
        }
    }

    /// Whether its messages can be read: `None` where only their structure tells.
    pub fn is_readable(&self) -> Option<bool> {
        match self.mode {
            SecurityMode::None | SecurityMode::Sign => Some(true),
            SecurityMode::SignAndEncrypt => Some(false),
            SecurityMode::Unknown | SecurityMode::SignOrEncrypt => None,
        }
    }

    /// What a message's structure has told.
    pub fn learn(&mut self, is_clear: bool) {
        if self.mode == SecurityMode::SignOrEncrypt {
            self.mode = if is_clear { SecurityMode::Sign } else { SecurityMode::SignAndEncrypt };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_follow_each_other_and_wrap() {
        let mut sequence = Sequence::default();
        assert_eq!(sequence.take(51), Step::Next);
        assert_eq!(sequence.take(52), Step::Next);
        assert_eq!(sequence.take(55), Step::Missing(2));
        assert_eq!(sequence.take(55), Step::Again);
        assert_eq!(sequence.take(54), Step::Again);
        sequence.forget();
        assert_eq!(sequence.take(4_294_966_500), Step::Next);
        assert_eq!(sequence.take(7), Step::Next);
        let mut early = Sequence::default();
        early.take(1_000_000);
        assert_eq!(early.take(1), Step::Again);
    }

    fn opening(policy: &str) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend((policy.len() as u32).to_le_bytes());
        bytes.extend(policy.as_bytes());
        bytes.extend([0xff; 8]);
        bytes
    }

    #[test]
    fn a_mode_is_only_said_where_it_is_known() {
        let mut channel = Channel::default();
        assert_eq!((channel.mode, channel.is_readable()), (SecurityMode::Unknown, None));
        let bytes = opening("http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256");
        channel.open(&Opening::read(&bytes).unwrap());
        assert_eq!((&*channel.policy, channel.mode), ("Basic256Sha256", SecurityMode::SignOrEncrypt));
        channel.learn(true);
        assert_eq!((channel.mode, channel.signature_bytes()), (SecurityMode::Sign, Some(32)));
        let mut renewal = bytes.clone();
        renewal[0] = 7;
        channel.open(&Opening::read(&renewal).unwrap());
        assert_eq!(channel.mode, SecurityMode::Sign);
        channel.open(&Opening::read(&bytes).unwrap());
        assert_eq!(channel.mode, SecurityMode::SignOrEncrypt);
        let bytes = opening("http://opcfoundation.org/UA/SecurityPolicy#None");
        channel.open(&Opening::read(&bytes).unwrap());
        assert_eq!((channel.mode, channel.is_readable()), (SecurityMode::None, Some(true)));
        channel.open(&Opening::read(&opening("urn:own")).unwrap());
        assert_eq!((&*channel.policy, channel.signature_bytes()), ("urn:own", None));
    }
}
