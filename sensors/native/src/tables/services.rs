//! What a service said of itself.

use crate::columns::{Address, Name, Time, U16, U32, U64, table};
use crate::words::{Confidence, Service};

table! {
    /// One row a flow whose service introduced itself: TLS, SSH, RDP and the like.
    ServiceRows, ServiceRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        frame: U64,
        service: Name<Service>,
        confidence: Name<Confidence>,
    }
}
