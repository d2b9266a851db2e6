//! Services by their well-known port: a hint, never a proof.

use crate::transport::{TCP, UDP};
use crate::words::Service;

use Service as S;

/// IP protocols that are a service themselves, without ports (IANA, Protocol Numbers).
const GENERIC_ENCAPSULATION: u8 = 47;
const ENCAPSULATING_SECURITY: u8 = 50;
const AUTHENTICATION_HEADER: u8 = 51;

/// (port, over TCP, over UDP, service); IANA's registry, and vendors' documents where it is silent.
const WELL_KNOWN: &[(u16, bool, bool, Service)] = &[
    (21, true, false, S::Ftp),
    (22, true, false, S::Ssh),
    (23, true, false, S::Telnet),
    (25, true, false, S::Smtp),
    (53, true, true, S::Dns),
    (67, false, true, S::Dhcp),
    (68, false, true, S::Dhcp),
    (69, false, true, S::Tftp),
    (80, true, false, S::Http),
    (88, true, true, S::Kerberos),
    (102, true, false, S::S7comm),
    (123, false, true, S::Ntp),
    (135, true, false, S::MsRpc),
    (137, false, true, S::Netbios),
    (138, false, true, S::Netbios),
    (139, true, false, S::Netbios),
    (161, false, true, S::Snmp),
    (162, false, true, S::Snmp),
    (389, true, true, S::Ldap),
    (443, true, true, S::Https),
    (445, true, false, S::Smb),
    (500, false, true, S::Ipsec),
    (502, true, true, S::Modbus),
    (514, true, true, S::Syslog),
    (546, false, true, S::Dhcp),
    (547, false, true, S::Dhcp),
    (636, true, false, S::Ldap),
    (1194, true, true, S::OpenVpn),
    (1433, true, false, S::MsSql),
    (1701, false, true, S::L2tp),
    (1723, true, false, S::Pptp),
    (1883, true, false, S::Mqtt),
    (1900, false, true, S::Ssdp),
    (2222, false, true, S::EnIp),
    (2404, true, false, S::Iec104),
    (3306, true, false, S::MySql),
    (3389, true, true, S::Rdp),
    (3478, false, true, S::Stun),
    (4500, false, true, S::Ipsec),
    (4840, true, false, S::OpcUa),
    (4899, true, false, S::Radmin),
    (5007, true, true, S::Melsec),
    (5094, true, true, S::HartIp),
    (5353, false, true, S::Mdns),
    (5355, true, true, S::Llmnr),
    (5432, true, false, S::Postgres),
    (5900, true, false, S::Vnc),
    (5938, true, true, S::TeamViewer),
    (5985, true, false, S::WinRm),
    (5986, true, false, S::WinRm),
    (6514, true, false, S::Syslog),
    (7070, true, false, S::AnyDesk),
    (8080, true, false, S::Http),
    (8443, true, false, S::Https),
    (8883, true, false, S::MqttTls),
    (9600, true, true, S::Fins),
    (11740, true, false, S::Codesys),
    (18245, true, false, S::GeSrtp),
    (20000, true, true, S::Dnp3),
    (21116, true, true, S::RustDesk),
    (34962, true, true, S::Profinet),
    (34963, true, true, S::Profinet),
    (34964, true, true, S::Profinet),
    (41641, false, true, S::Tailscale),
    (44818, true, true, S::EnIp),
    (47808, false, true, S::Bacnet),
    (48898, true, false, S::Ads),
    (51820, false, true, S::WireGuard),
];

/// The service whose port this is, where it is one.
pub fn well_known(protocol: u8, port: u16) -> Option<Service> {
    match protocol {
        ENCAPSULATING_SECURITY | AUTHENTICATION_HEADER => return Some(S::Ipsec),
        GENERIC_ENCAPSULATION => return Some(S::Gre),
        _ => {}
    }
    let index = WELL_KNOWN.binary_search_by_key(&port, |entry| entry.0).ok()?;
    let (_, over_tcp, over_udp, service) = WELL_KNOWN[index];
    let fits = (protocol == TCP && over_tcp) || (protocol == UDP && over_udp);
    fits.then_some(service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_by_port_and_names_each_once() {
        assert!(WELL_KNOWN.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_port_counts_only_over_its_transport() {
        assert_eq!(well_known(TCP, 502), Some(S::Modbus));
        assert_eq!(well_known(TCP, 161), None);
        assert_eq!(well_known(UDP, 161), Some(S::Snmp));
        assert_eq!(well_known(1, 502), None);
    }
}
