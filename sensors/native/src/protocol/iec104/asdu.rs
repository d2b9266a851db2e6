//! Application service data units (60870-5-101, 7.2), with the lengths of 60870-5-104: cause 2, station 2, point 3 bytes.

use super::{types, value};
use crate::protocol::Role;
use crate::protocol::operation::{Listed, Operation, Reader};

/// Points that are named.
const POINTS: usize = 8;

/// Causes of transmission (7.2.3).
pub mod cause {
    pub const REQUESTED: u8 = 5;
    pub const ACTIVATION: u8 = 6;
    pub const ACTIVATED: u8 = 7;
    pub const DEACTIVATION: u8 = 8;
    pub const DEACTIVATED: u8 = 9;
    pub const TERMINATED: u8 = 10;

    pub fn name(cause: u8) -> &'static str {
        match cause {
            1 => "periodic",
            2 => "background",
            3 => "spontaneous",
            4 => "initialized",
            REQUESTED => "requested",
            ACTIVATION => "activation",
            ACTIVATED => "activation confirmed",
            DEACTIVATION => "deactivation",
            DEACTIVATED => "deactivation confirmed",
            TERMINATED => "activation terminated",
            11 => "remote command",
            12 => "local command",
            13 => "file transfer",
            20 => "station interrogated",
            21..=36 => "group interrogated",
            37..=41 => "counters interrogated",
            44 => "unknown type",
            45 => "unknown cause",
            46 => "unknown station",
            47 => "unknown point",
            _ => "",
        }
    }
}

/// One unit.
pub struct Asdu<'a> {
    pub kind: u8,
    /// The points follow each other: only the first address is sent.
    sequence: bool,
    pub count: u8,
    pub cause: u8,
    pub negative: bool,
    test: bool,
    originator: u8,
    pub station: u16,
    /// Addresses and elements.
    pub objects: &'a [u8],
}

/// True where a unit of this length may have this type and so many objects, a cause and a station that there are.
pub fn is_plausible(head: &[u8; 6], length: usize) -> bool {
    let [kind, qualifier, cause, _, low, high] = *head;
    if !matches!(cause & 0x3f, 1..=13 | 20..=41 | 44..=47) || [low, high] == [0, 0] {
        return false;
    }
    let count = usize::from(qualifier & 0x7f);
    if types::is_of_any_length(kind) {
        return count > 0;
    }
    let Some(element) = types::length(kind) else { return false };
    let objects = if qualifier & 0x80 != 0 { 3 + count * element } else { count * (3 + element) };
    count > 0 && length == 6 + objects
}

/// Reads a unit behind its control octets.
pub fn read(bytes: &[u8]) -> Option<Asdu<'_>> {
    let mut reader = Reader(bytes);
    let (kind, qualifier, cause, originator) = (reader.u8()?, reader.u8()?, reader.u8()?, reader.u8()?);
    let station = reader.u16_le()?;
    Some(Asdu {
        kind,
        sequence: qualifier & 0x80 != 0,
        count: qualifier & 0x7f,
        cause: cause & 0x3f,
        negative: cause & 0x40 != 0,
        test: cause & 0x80 != 0,
        originator,
        station,
        objects: reader.0,
    })
}

impl Asdu<'_> {
    pub fn speaker(&self) -> Option<Role> {
        match self.cause {
            _ if types::is_monitoring(self.kind) => Some(Role::Server),
            cause::ACTIVATION | cause::DEACTIVATION => Some(Role::Client),
            cause::ACTIVATED | cause::DEACTIVATED | cause::TERMINATED | 44..=47 => Some(Role::Server),
            _ => None,
        }
    }

    pub fn first_point(&self) -> Option<u32> {
        Reader(self.objects).u24_le()
    }

    /// Each point's address and element, as far as they are whole.
    pub fn elements(&self) -> impl Iterator<Item = (u32, &[u8])> {
        let mut reader = Reader(self.objects);
        let length = types::length(self.kind).unwrap_or(0);
        let sequence = self.sequence;
        let mut next = None;
        (0..self.count).map_while(move |_| {
            let point = match next {
                Some(point) if sequence => point,
                _ => reader.u24_le()?,
            };
            next = Some(point.wrapping_add(1));
            Some((point, reader.take(length)?))
        })
    }

    /// What it asks or tells.
    pub fn operation(&self) -> Operation {
        let mut operation = Operation::new(types::name(self.kind), types::class(self.kind));
        let mut points = Listed::default();
        for (point, _) in self.elements().take(POINTS) {
            points.push(&point.to_string());
        }
        let points = points.into_text();
        if !points.is_empty() {
            let more = if usize::from(self.count) > POINTS { "…" } else { "" };
            operation.object = format!("point {points}{more}");
        }
        operation.quantity = Some(u32::from(self.count));
        operation.detail = cause::name(self.cause).into();
        if operation.detail.is_empty() {
            operation.detail = format!("cause {}", self.cause);
        }
        if self.test {
            operation.detail.push_str(", test");
        }
        if !types::is_monitoring(self.kind) {
            operation.value = value::of(self);
        }
        // The common address is the outstation's, in both directions.
        operation.server_station = format!("station {}", self.station);
        operation.is_told = types::is_monitoring(self.kind);
        if self.originator != 0 {
            operation.detail.push_str(&format!(", originator {}", self.originator));
        }
        operation
    }
}
