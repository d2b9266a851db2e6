//! The words for what a device does, one set for all that tell it.

pub const BRIDGE: &str = "bridge";
pub const ROOT_BRIDGE: &str = "root bridge";
pub const ROUTER: &str = "router";
pub const ACCESS_POINT: &str = "access point";
pub const TELEPHONE: &str = "telephone";
pub const STATION: &str = "station";
pub const DHCP_SERVER: &str = "dhcp server";
pub const DNS_SERVER: &str = "dns server";
pub const NTP_SERVER: &str = "ntp server";
pub const SNMP_AGENT: &str = "snmp agent";
