//! CIP identities: vendor, product, revision, serial number, name (volume 1, 5A-2; volume 2, 2-4.2).

use super::cip::Scene;
use crate::observations::Observation;
use crate::protocol::Role;
use crate::protocol::operation::{Listed, Reader, printable};
use crate::words::{ObservationKind as Kind, ObservationSource};

/// The items of an answer to ListIdentity; what they say as text.
pub fn items(body: &[u8], scene: &mut Scene<'_, '_>) -> Option<String> {
    let mut reader = Reader(body);
    let count = reader.u16_le()?;
    let mut texts = Listed::default();
    for _ in 0..count.min(8) {
        let (kind, length) = (reader.u16_le()?, usize::from(reader.u16_le()?));
        let mut item = Reader(reader.up_to(length));
        if kind == 0x0c {
            // Protocol version, then a socket address.
            item.skip(18)?;
            texts.push(&observe(item, scene)?);
        }
    }
    Some(texts.into_text())
}

/// Reads an identity from its vendor on, tells the inventory, and gives it as text.
pub fn observe(mut reader: Reader<'_>, scene: &mut Scene<'_, '_>) -> Option<String> {
    let (vendor, device, product) = (reader.u16_le()?, reader.u16_le()?, reader.u16_le()?);
    let [major, minor] = *reader.chunk()?;
    let _status = reader.u16_le()?;
    let serial = reader.u32_le()?;
    let length = usize::from(reader.u8()?);
    let name = printable(reader.take(length)?);
    let vendor = match vendor_name(vendor) {
        Some(known) => known.into(),
        None => format!("CIP vendor {vendor}"),
    };
    let revision = format!("{major}.{minor:03}");
    let serial = format!("{serial:08x}");
    let description = format!("CIP device type {device}, product code {product}");
    let ip = *if scene.from == Role::Client { scene.out.client_ip } else { scene.out.server_ip };
    for (kind, value) in [
        (Kind::Vendor, &vendor),
        (Kind::Model, &name),
        (Kind::Firmware, &revision),
        (Kind::SerialNumber, &serial),
        (Kind::Description, &description),
    ] {
        let seen = Observation { mac: 0, ip, kind, source: ObservationSource::Cip, value };
        scene.out.observe(&seen, scene.at);
    }
    Some(format!("{vendor} {name} revision {revision} serial {serial}"))
}

/// Vendors of the devices that are met most, by ODVA's numbers.
fn vendor_name(id: u16) -> Option<&'static str> {
    let known = match id {
        1 => "Rockwell Automation/Allen-Bradley",
        5 => "Rockwell Automation/Reliance Electric",
        26 => "Festo SE & Co KG",
        40 => "WAGO Corporation",
        46 => "ABB, Inc.",
        47 => "OMRON Corporation",
        48 => "Turck",
        50 => "Real Time Automation",
        90 => "HMS Networks AB",
        108 => "Beckhoff Automation",
        243 => "Schneider Electric",
        283 => "Hilscher GmbH",
        _ => return None,
    };
    Some(known)
}
