//! IEC 61850 without IP: events (GOOSE) and sampled values of substations.

pub mod goose;
pub mod sampled_values;

use super::operation::Reader;
use super::operation::ber::element;

/// The application's identifier and its unit, behind length and reserved words (IEC 61850-8-1, annex C).
fn unit(payload: &[u8], tag: u16) -> Option<(u16, &[u8])> {
    let mut reader = Reader(payload);
    let (application, length) = (reader.u16_be()?, reader.u16_be()?);
    reader.skip(4)?;
    let (found, content) = element(&mut reader)?;
    (found == tag && length >= 8).then_some((application, content))
}
