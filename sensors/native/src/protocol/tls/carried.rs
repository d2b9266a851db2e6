//! What is spoken inside TLS, as far as the handshake tells: by port, server name, certificate and ALPN.

use crate::words::Service;

/// Domains whose servers a remote-access product's own software talks to, and nothing else: vendors' lists of the names
/// that a firewall has to let through.
const PRODUCTS: &[(&str, Service)] = &[
    ("net.anydesk.com", Service::AnyDesk),
    ("relays.anydesk.com", Service::AnyDesk),
    ("router.teamviewer.com", Service::TeamViewer),
    ("tailscale.com", Service::Tailscale),
    ("relay.splashtop.com", Service::Splashtop),
    ("api.splashtop.com", Service::Splashtop),
    ("logmein.com", Service::LogMeIn),
    ("logmeinrescue.com", Service::LogMeIn),
    ("screenconnect.com", Service::ScreenConnect),
    ("ngrok.com", Service::Ngrok),
    ("ngrok-agent.com", Service::Ngrok),
    ("argotunnel.com", Service::CloudflareTunnel),
    ("talk2m.com", Service::Talk2m),
    ("remotedesktop-pa.googleapis.com", Service::ChromeRemoteDesktop),
    ("rustdesk.com", Service::RustDesk),
];

/// Of some domains the web site is no remote access.
const WEB_SITES: &[&str] = &["www", "help", "support", "docs", "blog", "community"];

/// The product whose servers have this name.
fn product(host_name: &str) -> Option<Service> {
    let name = host_name.to_ascii_lowercase();
    let name = name.trim_end_matches('.');
    // TeamViewer's servers are numbered: router12.teamviewer.com, master3.teamviewer.com.
    if let Some(server) = name.strip_suffix(".teamviewer.com") {
        let role = server.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        return ["router", "master", "relay", "ping"].contains(&role).then_some(Service::TeamViewer);
    }
    PRODUCTS.iter().find_map(|(domain, service)| {
        let before = name.strip_suffix(domain)?;
        let host = before.strip_suffix('.').unwrap_or(before);
        let inside = before.is_empty() || before.ends_with('.');
        // Of these the bare domain is the web site too.
        let is_web_site = WEB_SITES.contains(&host) || (before.is_empty() && domain.split('.').count() == 2);
        (inside && !is_web_site).then_some(*service)
    })
}

/// Services whose port says what is inside TLS.
fn is_carried(service: Service) -> bool {
    use Service as S;
    matches!(service, S::Https | S::MqttTls | S::WinRm | S::Ldap | S::Syslog)
}

/// The flow's name: what it was called before where that fits, else what the handshake tells.
pub fn service(by_port: Service, host_name: &str, subject: &str, alpn: &[String]) -> Service {
    if let Some(product) = product(host_name) {
        return product;
    }
    if subject.contains("CN=AnyNet") || subject.contains("CN=AnyDesk") {
        return Service::AnyDesk;
    }
    if is_carried(by_port) {
        return by_port;
    }
    let offers = |name: &str| alpn.iter().any(|offered| offered == name);
    if offers("h2") || offers("http/1.1") {
        Service::Https
    } else if offers("mqtt") {
        Service::MqttTls
    } else if offers("postgresql") {
        Service::Postgres
    } else {
        Service::Tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_known_by_the_servers_of_its_own() {
        for (name, service) in [
            ("relay-3c2f.net.anydesk.com", Service::AnyDesk),
            ("router12.teamviewer.com", Service::TeamViewer),
            ("derp1.tailscale.com", Service::Tailscale),
            ("device.vpn9.talk2m.com", Service::Talk2m),
            ("remotedesktop-pa.googleapis.com", Service::ChromeRemoteDesktop),
        ] {
            assert_eq!(product(name), Some(service), "{name}");
        }
    }

    #[test]
    fn its_web_site_and_names_that_end_alike_are_not() {
        for name in
            ["www.teamviewer.com", "tailscale.com", "www.tailscale.com", "nottailscale.com", "", "com"]
        {
            assert_eq!(product(name), None, "{name}");
        }
    }

    #[test]
    fn the_port_s_name_stays_where_tls_carries_it() {
        let h2 = ["h2".to_owned()];
        assert_eq!(service(Service::MqttTls, "", "", &h2), Service::MqttTls);
        assert_eq!(service(Service::Modbus, "", "", &h2), Service::Https);
        assert_eq!(service(Service::Modbus, "", "", &[]), Service::Tls);
        assert_eq!(service(Service::Unknown, "", "CN=AnyNet Root CA,C=DE", &[]), Service::AnyDesk);
    }
}
