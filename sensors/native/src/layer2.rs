//! Frames without IP: what they tell, by Ethernet type.

use crate::anomaly::{AnomalyKind, At, Flowless};
use crate::inventory::{arp, cdp, lldp, stp, text};
use crate::limits::Limits;
use crate::link::{Link, ethertype};
use crate::observations::{Observation, Observed};
use crate::protocol::iec61850::{goose, sampled_values};
use crate::protocol::{FrameMemory, ethercat, profinet};
use crate::tables::Tables;
use crate::words::{Layer, ObservationKind, ObservationSource};

/// Where a frame's rows go.
pub struct FrameOutput<'a> {
    pub link: &'a Link<'a>,
    pub at: At,
    pub tables: &'a mut Tables,
    pub observed: &'a mut Observed,
    pub flowless: &'a mut Flowless,
    pub limits: &'a Limits,
    /// What is remembered from frame to frame.
    pub memory: &'a mut FrameMemory,
}

impl FrameOutput<'_> {
    /// Writes what a frame tells of a device.
    pub fn observe(&mut self, seen: &Observation<'_>) {
        self.observed.note(seen, self.at, None, self.limits, &mut self.tables.observations);
    }

    /// Writes what a frame tells of a device, by its parts.
    pub fn tell(
        &mut self,
        mac: u64,
        ip: [u8; 16],
        kind: ObservationKind,
        source: ObservationSource,
        value: &str,
    ) {
        self.observe(&Observation { mac, ip, kind, source, value });
    }

    /// A device on the link says that an address is its own.
    pub fn claim(&mut self, ip: [u8; 16], mac: u64, source: ObservationSource) {
        if !text::is_a_devices(&ip) || !text::is_a_cards(mac) {
            return;
        }
        if let Some(before) = self.observed.neighbours.claim(ip, mac, self.limits) {
            let (ip, before, now) = (text::ip(&ip), text::mac(before), text::mac(mac));
            self.anomaly(AnomalyKind::IpConflict, &format!("{ip} was at {before}, now at {now}"));
        }
        self.tell(mac, ip, ObservationKind::Address, source, &text::ip(&ip));
    }

    /// Writes an anomaly of the frame, within the limit of its kind.
    pub fn anomaly(&mut self, kind: AnomalyKind, detail: &str) {
        self.flowless.report(
            (Layer::Application, kind),
            self.at,
            detail,
            self.limits,
            &mut self.tables.anomalies,
        );
    }
}

/// Reads a frame's payload; false where it is not what its Ethernet type says.
pub type Reader = fn(payload: &[u8], out: &mut FrameOutput<'_>) -> bool;

/// The Ethernet types that are read, and who reads them.
static READERS: &[(u16, Reader)] = &[
    (ethertype::ARP, arp::read),
    (0x88cc, lldp::read),
    (profinet::ETHER_TYPE, profinet::read),
    (goose::ETHER_TYPE, goose::read),
    (sampled_values::ETHER_TYPE, sampled_values::read),
    (ethercat::ETHER_TYPE, ethercat::read),
];

/// How frames behind an 802.2 LLC header start, and who reads them from there on.
static LLC_READERS: &[(&[u8], Reader)] = &[(&[0x42, 0x42, 0x03], stp::read), (&cdp::SNAP, cdp::read)];

/// Who reads a frame of an Ethernet type.
pub fn reader(ether_type: u16, payload: &[u8]) -> Option<Reader> {
    if ether_type == ethertype::LLC {
        let known = LLC_READERS.iter().find(|(start, _)| payload.starts_with(start));
        return known.map(|(_, reader)| *reader);
    }
    READERS.iter().find(|(known, _)| *known == ether_type).map(|(_, reader)| *reader)
}
