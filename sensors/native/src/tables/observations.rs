//! What the wire tells of a device.

use crate::columns::{Address, MaybeU32, Name, Text, Time, U64, table};
use crate::words::{ObservationKind, ObservationSource};

table! {
    /// One row the first time that something is seen of a device.
    ObservationRows, ObservationRow {
        ts: Time,
        frame: U64,
        flow_id: MaybeU32,
        mac: U64,
        ip: Address,
        kind: Name<ObservationKind>,
        source: Name<ObservationSource>,
        value: Text,
    }
}
