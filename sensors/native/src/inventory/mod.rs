//! What frames and packets tell of the devices that sent them: addresses, names, makers, places.

pub mod arp;
pub mod cdp;
pub mod hops;
pub mod lldp;
pub mod ndp;
mod neighbours;
pub mod roles;
pub mod stp;
pub mod text;

pub use neighbours::Neighbours;
