//! Frames without IP: what they tell, by Ethernet type.

use crate::anomaly::{AnomalyKind, At, Flowless};
use crate::limits::Limits;
use crate::link::Link;
use crate::observations::{Observation, Observed};
use crate::protocol::iec61850::{goose, sampled_values};
use crate::protocol::{FrameMemory, ethercat, profinet};
use crate::tables::Tables;

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

    /// Writes an anomaly of the frame, within the limit of its kind.
    pub fn anomaly(&mut self, kind: AnomalyKind, detail: &str) {
        self.flowless.report(kind, self.at, detail, self.limits, &mut self.tables.anomalies);
    }
}

/// Reads a frame's payload; false where it is not what its Ethernet type says.
pub type Reader = fn(payload: &[u8], out: &mut FrameOutput<'_>) -> bool;

/// The Ethernet types that are read, and who reads them.
static READERS: &[(u16, Reader)] = &[
    (profinet::ETHER_TYPE, profinet::read),
    (goose::ETHER_TYPE, goose::read),
    (sampled_values::ETHER_TYPE, sampled_values::read),
    (ethercat::ETHER_TYPE, ethercat::read),
];

/// Who reads frames of an Ethernet type.
pub fn reader(ether_type: u16) -> Option<Reader> {
    READERS.iter().find(|(known, _)| *known == ether_type).map(|(_, reader)| *reader)
}
