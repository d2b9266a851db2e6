//! Keys of a client's Initial packets: they follow from the connection identifier that it chose, so that whoever sees the
//! packet can read it (RFC 9001, 5.2 and 5.4; RFC 9369, 3.3). They keep nothing secret.

use aes::Aes128;
use aes::cipher::{BlockCipherEncrypt, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;

const KEY: usize = 16;
const NONCE: usize = 12;
const BLOCK: usize = 16;

/// Of versions: the salt, and what the labels begin with.
struct Constants {
    salt: [u8; 20],
    label: &'static str,
}

const VERSION_1: Constants = Constants {
    salt: *b"\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
    label: "quic",
};
const VERSION_2: Constants = Constants {
    salt: *b"\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
    label: "quicv2",
};

fn constants(version: u32) -> Option<&'static Constants> {
    match version {
        1 => Some(&VERSION_1),
        0x6b33_43cf => Some(&VERSION_2),
        _ => None,
    }
}

/// What protects one client's Initial packets.
pub struct Keys {
    packet: Aes128,
    header: Aes128,
    nonce: [u8; NONCE],
}

impl Keys {
    /// Those of a client that chose this identifier for the server; none for versions without known constants.
    pub fn of_client(version: u32, identifier: &[u8]) -> Option<Self> {
        let Constants { salt, label } = constants(version)?;
        let mut secret = [0; 32];
        expand(&Hkdf::new(Some(salt), identifier), "client in", &mut secret)?;
        let secret = Hkdf::from_prk(&secret).ok()?;
        let mut packet = [0; KEY];
        let mut header = [0; KEY];
        let mut nonce = [0; NONCE];
        expand(&secret, &format!("{label} key"), &mut packet)?;
        expand(&secret, &format!("{label} hp"), &mut header)?;
        expand(&secret, &format!("{label} iv"), &mut nonce)?;
        Some(Self { packet: Aes128::new(&packet.into()), header: Aes128::new(&header.into()), nonce })
    }

    /// The mask of a header, from a sample of the ciphertext (RFC 9001, 5.4.3).
    pub fn header_mask(&self, sample: &[u8; BLOCK]) -> [u8; BLOCK] {
        let mut block = (*sample).into();
        self.header.encrypt_block(&mut block);
        block.into()
    }

    /// Ciphertext of AES-128-GCM as it was before (NIST SP 800-38D, 7.2): counter mode, from block 2 on. Whether its tag
    /// is right is not asked: who reads along acts on nothing, and what comes out has to have a shape.
    pub fn opened(&self, packet_number: u64, sealed: &[u8]) -> Vec<u8> {
        let mut counter = [0; BLOCK];
        counter[..NONCE].copy_from_slice(&self.nonce);
        for (byte, number) in counter[NONCE - 8..NONCE].iter_mut().zip(packet_number.to_be_bytes()) {
            *byte ^= number;
        }
        let mut clear = sealed.to_vec();
        for (number, chunk) in (2u32..).zip(clear.chunks_mut(BLOCK)) {
            counter[NONCE..].copy_from_slice(&number.to_be_bytes());
            let mut block = counter.into();
            self.packet.encrypt_block(&mut block);
            for (byte, key) in chunk.iter_mut().zip(block) {
                *byte ^= key;
            }
        }
        clear
    }
}

/// HKDF-Expand-Label without a context (RFC 8446, 7.1).
fn expand(secret: &Hkdf<Sha256>, label: &str, out: &mut [u8]) -> Option<()> {
    let length = u16::try_from(out.len()).ok()?.to_be_bytes();
    let labelled = ["tls13 ", label].concat();
    let info = [&length[..], &[u8::try_from(labelled.len()).ok()?], labelled.as_bytes(), &[0]].concat();
    secret.expand(&info, out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_s_example_of_a_header_s_mask() {
        // RFC 9001, A.1 and A.2.
        let keys = Keys::of_client(1, b"\x83\x94\xc8\xf0\x3e\x51\x57\x08").unwrap();
        let sample = b"\xd1\xb1\xc9\x8d\xd7\x68\x9f\xb8\xec\x11\xd2\x42\xb1\x23\xdc\x9b";
        assert_eq!(keys.header_mask(sample)[..5], *b"\x43\x7b\x9a\xec\x36");
        assert_eq!(keys.nonce, *b"\xfa\x04\x4b\x2f\x42\xa3\xfd\x3b\x46\xfb\x25\x5c");
        assert!(Keys::of_client(0xff00_001d, b"").is_none());
    }
}
