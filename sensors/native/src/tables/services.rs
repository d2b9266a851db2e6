//! What a service said of itself.

use crate::columns::{Address, Flag, MaybeTime, Name, Text, TextList, Time, U16, U32, U64, table};
use crate::words::{Confidence, Login, Service};

table! {
    /// One row a completed introduction of a flow's service: TLS, SSH, RDP and the like.
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
        version: Text,
        client_software: Text,
        server_software: Text,
        host_name: Text,
        client_name: Text,
        server_name: Text,
        user: Text,
        login: Name<Login>,
        refused_logins: U16,
        secret_seen: Flag,
        encrypted: Flag,
        resumed: Flag,
        alpn: TextList,
        key_exchange: Text,
        cipher: Text,
        certificate_subject: Text,
        certificate_issuer: Text,
        certificate_sha256: Text,
        certificate_not_after: MaybeTime,
        ja4: Text,
        hassh: Text,
        hassh_server: Text,
        detail: Text,
    }
}
