//! SSH key exchange offers in; what both agree on, and the fingerprints of both out (RFC 4253, 7.1).
//!
//! HASSH and HASSHserver: Salesforce, "HASSH: a profiling method for SSH clients and servers" (BSD 3-Clause).

use md5::{Digest, Md5};

use crate::protocol::reading::Fields;

/// The name lists of a KEXINIT message, in its order; languages are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    lists: [String; 8],
}

const KEY_EXCHANGE: usize = 0;
const HOST_KEY: usize = 1;

/// One direction's place among the lists: client to server, server to client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer = 0,
    ToClient = 1,
}

impl Offer {
    /// Reads the message behind its number; none where it is not one.
    pub fn read(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(body);
        fields.take(16)?;
        let mut offer = Self::default();
        for list in &mut offer.lists {
            *list = names(fields.long()?)?;
        }
        fields.long()?;
        fields.long()?;
        fields.u8()?;
        fields.u32()?;
        Some(offer)
    }

    /// Bytes that its lists take.
    pub fn held_bytes(&self) -> usize {
        self.lists.iter().map(String::len).sum()
    }

    fn encryption(&self, way: Way) -> &str {
        &self.lists[2 + way as usize]
    }

    fn mac(&self, way: Way) -> &str {
        &self.lists[4 + way as usize]
    }

    fn compression(&self, way: Way) -> &str {
        &self.lists[6 + way as usize]
    }

    /// The fingerprint of who sent this in that direction.
    pub fn fingerprint(&self, way: Way) -> String {
        let told =
            [&self.lists[KEY_EXCHANGE], self.encryption(way), self.mac(way), self.compression(way)].join(";");
        Md5::digest(told).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// True where only a client, or only a server, offers this; none where it does not say (RFC 8308, 2.1).
    pub fn is_client_s(&self) -> Option<bool> {
        let has = |wanted: &str| self.lists[KEY_EXCHANGE].split(',').any(|name| name == wanted);
        if has("ext-info-c") || has("kex-strict-c-v00@openssh.com") {
            Some(true)
        } else if has("ext-info-s") || has("kex-strict-s-v00@openssh.com") {
            Some(false)
        } else {
            None
        }
    }
}

/// A name list: printable ASCII (RFC 4251, 5).
fn names(bytes: &[u8]) -> Option<String> {
    let printable = bytes.iter().all(|byte| (0x21..0x7f).contains(byte));
    printable.then(|| String::from_utf8_lossy(bytes).into_owned())
}

/// The client's first name that the server has too (RFC 4253, 7.1).
fn agreed<'a>(client: &'a str, server: &str) -> &'a str {
    let means_something = |name: &&str| !name.starts_with("ext-info-") && !name.starts_with("kex-strict-");
    let shared = |name: &&str| server.split(',').any(|other| other == *name);
    client.split(',').filter(means_something).find(shared).unwrap_or_default()
}

/// What both sides agree on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    pub key_exchange: String,
    pub host_key: String,
    /// Of what the server sends.
    pub cipher: String,
    /// Empty where the cipher has its own.
    pub mac: String,
}

impl Agreement {
    pub fn of(client: &Offer, server: &Offer) -> Self {
        let cipher = agreed(client.encryption(Way::ToClient), server.encryption(Way::ToClient));
        let own_tag = cipher.contains("gcm") || cipher.starts_with("chacha20-poly1305");
        let mac = if own_tag { "" } else { agreed(client.mac(Way::ToClient), server.mac(Way::ToClient)) };
        Self {
            key_exchange: agreed(&client.lists[KEY_EXCHANGE], &server.lists[KEY_EXCHANGE]).to_owned(),
            host_key: agreed(&client.lists[HOST_KEY], &server.lists[HOST_KEY]).to_owned(),
            cipher: cipher.to_owned(),
            mac: mac.to_owned(),
        }
    }

    /// How packets of the server look on the wire; none where the cipher is not known here.
    pub fn sealing(&self) -> Option<Sealing> {
        let (block, tag, length_in_clear, length_in_block) = match self.cipher.as_str() {
            "" => return None,
            cipher if cipher.starts_with("chacha20-poly1305") => (8, 16, false, false),
            cipher if cipher.contains("gcm") => (16, 16, true, false),
            cipher => {
                let after = self.mac.contains("-etm");
                let block = if cipher.starts_with("aes") { 16 } else { 8 };
                (block, mac_bytes(&self.mac)?, after, !after)
            }
        };
        Some(Sealing { block, tag, length_in_clear, length_in_block })
    }
}

fn mac_bytes(name: &str) -> Option<usize> {
    let plain = name.split('@').next()?.trim_end_matches("-etm");
    Some(match plain {
        "hmac-md5" | "umac-128" => 16,
        "hmac-sha1" | "hmac-ripemd160" => 20,
        "hmac-sha2-256" => 32,
        "hmac-sha2-512" => 64,
        "hmac-md5-96" | "hmac-sha1-96" => 12,
        "umac-64" => 8,
        _ => return None,
    })
}

/// Bytes of a packet without its length and seal that some keep to under every cipher (RFC 4253, 6).
const LEAST: usize = 16;

/// How long packets become under a cipher (RFC 4253, 6; RFC 5647, 7.2; OpenSSH's PROTOCOL and PROTOCOL.chacha20poly1305).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealing {
    block: usize,
    tag: usize,
    /// The length in front of a packet can be read.
    pub length_in_clear: bool,
    length_in_block: bool,
}

impl Sealing {
    /// Bytes on the wire of a message with the least padding there may be: 4 bytes (RFC 4253, 6).
    pub fn wire_bytes(&self, payload_bytes: usize) -> usize {
        let padded = if self.length_in_block { 4 + 1 + payload_bytes + 4 } else { 1 + payload_bytes + 4 };
        let blocks = padded.div_ceil(self.block) * self.block;
        blocks + self.tag + if self.length_in_block { 0 } else { 4 }
    }

    /// The same of a side that keeps to the least size where others pad to a block of eight only: Dropbear does.
    pub fn wire_bytes_at_least(&self, payload_bytes: usize) -> usize {
        let length = if self.length_in_block { 0 } else { 4 };
        self.wire_bytes(payload_bytes).max(length + LEAST + self.tag)
    }

    /// The whole packet's bytes, where its length can be read.
    pub fn packet_bytes(&self, bytes: &[u8]) -> Option<usize> {
        let length = u32::from_be_bytes(*bytes.first_chunk()?) as usize;
        (length <= super::PACKET_LIMIT).then(|| 4 + length + self.tag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_s_first_shared_name_wins_and_markers_do_not_count() {
        assert_eq!(agreed("ext-info-c,b,a", "a,b,ext-info-c"), "b");
        assert_eq!(agreed("c", "a,b"), "");
    }

    #[test]
    fn packets_are_as_long_as_their_ciphers_make_them() {
        let sealing = |cipher: &str, mac: &str| {
            let agreement =
                Agreement { cipher: cipher.to_owned(), mac: mac.to_owned(), ..Agreement::default() };
            agreement.sealing().unwrap().wire_bytes(1)
        };
        // A message of one byte: 4 + 8 + 16, 4 + 16 + 16, 16 + 20, 4 + 16 + 32.
        assert_eq!(sealing("chacha20-poly1305@openssh.com", ""), 28);
        assert_eq!(sealing("aes128-gcm@openssh.com", ""), 36);
        assert_eq!(sealing("aes128-ctr", "hmac-sha1"), 36);
        assert_eq!(sealing("aes128-ctr", "hmac-sha2-256-etm@openssh.com"), 52);
    }

    #[test]
    fn who_keeps_to_the_least_size_pads_more_under_a_block_of_eight_only() {
        let sealing = |cipher: &str, mac: &str| {
            let agreement =
                Agreement { cipher: cipher.to_owned(), mac: mac.to_owned(), ..Agreement::default() };
            agreement.sealing().unwrap().wire_bytes_at_least(1)
        };
        assert_eq!(sealing("chacha20-poly1305@openssh.com", ""), 36);
        assert_eq!(sealing("aes128-gcm@openssh.com", ""), 36);
        assert_eq!(sealing("aes128-ctr", "hmac-sha1"), 36);
        assert_eq!(sealing("3des-cbc", "hmac-sha1"), 36);
    }
}
