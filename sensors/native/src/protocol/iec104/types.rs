//! Type identifications (60870-5-101, 7.2.1.1; 60870-5-104, 8): names, classes, lengths of information elements.

use std::borrow::Cow;

use crate::words::OperationClass as Class;

pub const READ: u8 = 102;

/// Types of a station that tells.
pub fn is_monitoring(kind: u8) -> bool {
    matches!(kind, 1..=40 | 70)
}

/// Bytes of one information element with its time tag; `None` for types of variable length or unknown ones.
pub fn length(kind: u8) -> Option<usize> {
    let length = match kind {
        1 | 3 => 1,
        2 | 4 => 4,
        5 => 2,
        6 => 5,
        7 => 5,
        8 => 8,
        9 | 11 => 3,
        10 | 12 => 6,
        13 => 5,
        14 => 8,
        15 => 5,
        16 => 8,
        17 => 6,
        18 => 7,
        19 => 7,
        20 => 5,
        21 => 2,
        30 | 31 => 8,
        32 => 9,
        33 => 12,
        34 | 35 => 10,
        36 => 12,
        37 => 12,
        38 => 10,
        39 | 40 => 11,
        45..=47 => 1,
        48 | 49 => 3,
        50 => 5,
        51 => 4,
        58..=60 => 8,
        61 | 62 => 10,
        63 => 12,
        64 => 11,
        70 => 1,
        100 | 101 => 1,
        102 => 0,
        103 => 7,
        104 => 2,
        105 => 1,
        106 => 2,
        107 => 9,
        110 | 111 => 3,
        112 => 5,
        113 => 1,
        120 => 6,
        121 => 7,
        122 => 4,
        123 => 5,
        124 => 4,
        127 => 16,
        _ => return None,
    };
    Some(length)
}

/// Types whose length their own fields tell: segments and directories of files.
pub fn is_of_any_length(kind: u8) -> bool {
    matches!(kind, 125 | 126)
}

pub fn name(kind: u8) -> Cow<'static, str> {
    let known = match kind {
        1 | 2 | 30 => "single point",
        3 | 4 | 31 => "double point",
        5 | 6 | 32 => "step position",
        7 | 8 | 33 => "bit string",
        9 | 10 | 21 | 34 => "measured value, normalized",
        11 | 12 | 35 => "measured value, scaled",
        13 | 14 | 36 => "measured value, short float",
        15 | 16 | 37 => "integrated total",
        17 | 38 => "protection event",
        18 | 39 => "protection start events",
        19 | 40 => "protection output circuit",
        20 => "packed single points",
        45 | 58 => "single command",
        46 | 59 => "double command",
        47 | 60 => "regulating step command",
        48 | 61 => "set point, normalized",
        49 | 62 => "set point, scaled",
        50 | 63 => "set point, short float",
        51 | 64 => "bit string command",
        70 => "end of initialization",
        100 => "interrogation",
        101 => "counter interrogation",
        READ => "read",
        103 => "clock synchronization",
        104 | 107 => "test command",
        105 => "reset process",
        106 => "delay acquisition",
        110 => "parameter, normalized",
        111 => "parameter, scaled",
        112 => "parameter, short float",
        113 => "parameter activation",
        120 => "file ready",
        121 => "section ready",
        122 => "call or select file",
        123 => "last section or segment",
        124 => "acknowledge file",
        125 => "file segment",
        126 => "directory",
        127 => "query log",
        _ => return format!("type {kind}").into(),
    };
    known.into()
}

pub fn class(kind: u8) -> Class {
    match kind {
        1..=40 | 100..=102 => Class::Read,
        45..=51 | 58..=64 => Class::Write,
        70 => Class::Other,
        103 | 106 => Class::Configure,
        104 | 107 => Class::Session,
        105 => Class::Restart,
        110..=113 => Class::Configure,
        126 => Class::Discover,
        120..=127 => Class::Other,
        _ => Class::Other,
    }
}
