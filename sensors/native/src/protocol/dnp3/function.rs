//! Application functions, internal indications and control statuses (IEEE 1815, 4.4 and 4.5, 11.2, 11.9.9).

use std::borrow::Cow;

use crate::words::OperationClass as Class;

pub const CONFIRM: u8 = 0;
pub const RESPONSE: u8 = 129;
pub const UNSOLICITED: u8 = 130;
pub const AUTHENTICATION: u8 = 131;

/// Indications of a refusal: function not supported, object unknown, parameter error (4.5.2).
pub const REFUSED: u16 = 0x0007;

pub fn is_answer(code: u8) -> bool {
    code >= 128
}

pub fn wants_no_answer(code: u8) -> bool {
    matches!(code, 6 | 8 | 10 | 12 | 33)
}

pub fn named(code: u8) -> (Cow<'static, str>, Class) {
    let (name, class) = match code {
        1 => ("read", Class::Read),
        2 => ("write", Class::Write),
        3 => ("select", Class::Write),
        4 => ("operate", Class::Write),
        5 => ("direct operate", Class::Write),
        6 => ("direct operate without answer", Class::Write),
        7 => ("freeze", Class::Write),
        8 => ("freeze without answer", Class::Write),
        9 => ("freeze and clear", Class::Write),
        10 => ("freeze and clear without answer", Class::Write),
        11 => ("freeze at time", Class::Write),
        12 => ("freeze at time without answer", Class::Write),
        13 => ("cold restart", Class::Restart),
        14 => ("warm restart", Class::Restart),
        15 => ("initialize data", Class::Program),
        16 => ("initialize application", Class::Program),
        17 => ("start application", Class::Start),
        18 => ("stop application", Class::Stop),
        19 => ("save configuration", Class::Configure),
        20 => ("enable unsolicited responses", Class::Configure),
        21 => ("disable unsolicited responses", Class::Configure),
        22 => ("assign class", Class::Configure),
        23 => ("measure delay", Class::Session),
        24 => ("record current time", Class::Configure),
        25 => ("open file", Class::Program),
        26 => ("close file", Class::Program),
        27 => ("delete file", Class::Program),
        28 => ("file information", Class::Read),
        29 => ("authenticate file", Class::Session),
        30 => ("abort file", Class::Program),
        31 => ("activate configuration", Class::Program),
        32 => ("authentication request", Class::Session),
        33 => ("authentication request without answer", Class::Session),
        _ => return (format!("function {code}").into(), Class::Other),
    };
    (name.into(), class)
}

/// The indications that say that something is wrong or wanted; classes of events and broadcasts are daily life.
pub fn indications(bits: u16) -> String {
    const NOTED: [(u16, &str); 10] = [
        (0x8000, "restarted"),
        (0x4000, "trouble"),
        (0x2000, "local control"),
        (0x1000, "needs time"),
        (0x0001, "function not supported"),
        (0x0002, "object unknown"),
        (0x0004, "parameter error"),
        (0x0008, "event buffer overflow"),
        (0x0010, "already executing"),
        (0x0020, "configuration corrupt"),
    ];
    let words: Vec<_> = NOTED.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, word)| *word).collect();
    words.join(", ")
}

pub fn control_status(status: u8) -> &'static str {
    match status {
        1 => "timeout",
        2 => "no select",
        3 => "format error",
        4 => "not supported",
        5 => "already active",
        6 => "hardware error",
        7 => "local control",
        8 => "too many objects",
        9 => "not authorized",
        10 => "automation inhibited",
        11 => "processing limited",
        12 => "out of range",
        _ => "refused",
    }
}
