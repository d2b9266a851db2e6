//! Remote-access tools and tunnels that are named by how they begin: nothing of what they carry is read.
//!
//! Sources are in each file: published protocols, or handshakes that others published. A tool whose traffic is TLS is
//! named by its servers' names (`tls/carried.rs`).

mod ipsec;
mod openvpn;
mod point_to_point;
mod radmin;
mod rustdesk;
mod stun;
mod tailscale;
mod teamviewer;
mod wireguard;

pub use ipsec::PROTOCOL as IPSEC;
pub use openvpn::{DATAGRAMS as OPENVPN, STREAM as OPENVPN_TCP};
pub use point_to_point::{L2TP, PPTP};
pub use radmin::PROTOCOL as RADMIN;
pub use rustdesk::PROTOCOL as RUSTDESK;
pub use stun::PROTOCOL as STUN;
pub use tailscale::PROTOCOL as TAILSCALE;
pub use teamviewer::{DATAGRAMS as TEAMVIEWER_UDP, STREAM as TEAMVIEWER};
pub use wireguard::PROTOCOL as WIREGUARD;
