//! Names of objects, properties, errors and vendors (ASHRAE 135, 21; ASHRAE's list of vendor identifiers).

/// The lowest 22 bits are the instance, the highest ten the type.
pub fn object(id: u32) -> String {
    let (kind, instance) = (id >> 22, id & 0x003f_ffff);
    let name = match kind {
        0 => "analog-input",
        1 => "analog-output",
        2 => "analog-value",
        3 => "binary-input",
        4 => "binary-output",
        5 => "binary-value",
        6 => "calendar",
        7 => "command",
        8 => "device",
        9 => "event-enrollment",
        10 => "file",
        11 => "group",
        12 => "loop",
        13 => "multi-state-input",
        14 => "multi-state-output",
        15 => "notification-class",
        16 => "program",
        17 => "schedule",
        18 => "averaging",
        19 => "multi-state-value",
        20 => "trend-log",
        23 => "accumulator",
        25 => "event-log",
        28 => "load-control",
        29 => "structured-view",
        30 => "access-door",
        45 => "integer-value",
        46 => "large-analog-value",
        48 => "positive-integer-value",
        51 => "notification-forwarder",
        54 => "lighting-output",
        56 => "network-port",
        _ => return format!("object-type {kind} {instance}"),
    };
    format!("{name} {instance}")
}

pub const APPLICATION_SOFTWARE: u32 = 12;
pub const DESCRIPTION: u32 = 28;
pub const FIRMWARE: u32 = 44;
pub const MODEL: u32 = 70;
pub const NAME: u32 = 77;
pub const VENDOR_NAME: u32 = 121;
pub const SERIAL_NUMBER: u32 = 372;

pub fn property(id: u32) -> String {
    let known = match id {
        4 => "active-text",
        8 => "all",
        APPLICATION_SOFTWARE => "application-software-version",
        22 => "cov-increment",
        DESCRIPTION => "description",
        36 => "event-state",
        FIRMWARE => "firmware-revision",
        45 => "high-limit",
        46 => "inactive-text",
        56 => "local-date",
        57 => "local-time",
        58 => "location",
        59 => "low-limit",
        62 => "max-apdu-length-accepted",
        65 => "max-pres-value",
        69 => "min-pres-value",
        MODEL => "model-name",
        75 => "object-identifier",
        76 => "object-list",
        NAME => "object-name",
        79 => "object-type",
        81 => "out-of-service",
        85 => "present-value",
        87 => "priority-array",
        90 => "program-change",
        92 => "program-state",
        96 => "protocol-object-types-supported",
        97 => "protocol-services-supported",
        98 => "protocol-version",
        103 => "reliability",
        104 => "relinquish-default",
        107 => "segmentation-supported",
        108 => "setpoint",
        111 => "status-flags",
        112 => "system-status",
        117 => "units",
        119 => "utc-offset",
        120 => "vendor-identifier",
        VENDOR_NAME => "vendor-name",
        123 => "weekly-schedule",
        131 => "log-buffer",
        139 => "protocol-revision",
        155 => "database-revision",
        SERIAL_NUMBER => "serial-number",
        _ => return format!("property {id}"),
    };
    known.into()
}

pub fn error_class(class: u32) -> &'static str {
    ["device", "object", "property", "resources", "security", "services", "vt", "communication"]
        .get(class as usize)
        .copied()
        .unwrap_or("private")
}

pub fn error(code: u32) -> String {
    let known = match code {
        0 => "other",
        2 => "configuration-in-progress",
        3 => "device-busy",
        5 => "file-access-denied",
        7 => "inconsistent-parameters",
        9 => "invalid-data-type",
        16 => "missing-required-parameter",
        25 => "operational-problem",
        26 => "password-failure",
        27 => "read-access-denied",
        28 => "security-not-supported",
        29 => "service-request-denied",
        31 => "unknown-object",
        32 => "unknown-property",
        37 => "value-out-of-range",
        40 => "write-access-denied",
        42 => "invalid-array-index",
        43 => "cov-subscription-failed",
        44 => "not-cov-property",
        45 => "optional-functionality-not-supported",
        47 => "datatype-not-supported",
        50 => "property-is-not-an-array",
        _ => return format!("code {code}"),
    };
    known.into()
}

pub fn reject(reason: u8) -> &'static str {
    match reason {
        1 => "buffer-overflow",
        2 => "inconsistent-parameters",
        3 => "invalid-parameter-data-type",
        4 => "invalid-tag",
        5 => "missing-required-parameter",
        6 => "parameter-out-of-range",
        7 => "too-many-arguments",
        8 => "undefined-enumeration",
        9 => "unrecognized-service",
        _ => "other",
    }
}

pub fn vendor(id: u32) -> String {
    let known = match id {
        2 => "The Trane Company",
        3 => "Daikin Applied Americas",
        5 => "Johnson Controls, Inc.",
        7 | 9 | 22 => "Siemens Schweiz AG",
        8 => "Delta Controls",
        10 => "Schneider Electric",
        16 => "United Technologies Carrier",
        17 => "Honeywell Inc.",
        24 => "Automated Logic Corporation",
        28 => "KMC Controls, Inc.",
        35 => "Reliable Controls Corporation",
        36 => "Tridium Inc.",
        _ => return format!("BACnet vendor {id}"),
    };
    known.into()
}
