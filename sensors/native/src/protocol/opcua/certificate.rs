//! What an application's certificate says of it: subject, application URI, thumbprint.

use std::fmt::Write as _;

use sha1::{Digest, Sha1};

use crate::der;

/// What is kept of a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Certificate {
    /// As text (RFC 4514); empty where it cannot be read.
    pub subject: String,
    /// SHA-1 of the DER bytes in hex, as OPC UA refers to certificates (OPC 10000-4, 3.1).
    pub thumbprint: String,
    /// The application's URI among the alternative names (OPC 10000-6, 6.2.2).
    pub application_uri: String,
}

impl Certificate {
    /// Reads the first certificate of a chain; none where there are no bytes.
    pub fn read(chain: &[u8]) -> Option<Self> {
        if chain.is_empty() {
            return None;
        }
        // A chain is certificates one behind the other (OPC 10000-6, 6.2.6); the application's is the first.
        let first = match der::element(chain) {
            Some((_, rest)) => &chain[..chain.len() - rest.len()],
            None => chain,
        };
        let mut thumbprint = String::with_capacity(40);
        for byte in Sha1::digest(first) {
            let _ = write!(thumbprint, "{byte:02x}");
        }
        let read = der::certificate(first).unwrap_or_default();
        let uri = read.alternative_names.iter().find_map(|name| name.strip_prefix("uri:"));
        let application_uri = uri.unwrap_or_default().to_owned();
        Some(Self { subject: read.subject, thumbprint, application_uri })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_chain_the_first_counts_and_no_bytes_are_no_certificate() {
        let alone = Certificate::read(&[0x30, 2, 5, 0]).unwrap();
        assert_eq!(Certificate::read(&[0x30, 2, 5, 0, 0x30, 1, 7]), Some(alone));
        assert_eq!(Certificate::read(b""), None);
    }

    #[test]
    fn a_thumbprint_is_the_sha1_of_the_bytes() {
        // FIPS 180-2, A.1.
        assert_eq!(Certificate::read(b"abc").unwrap().thumbprint, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}
