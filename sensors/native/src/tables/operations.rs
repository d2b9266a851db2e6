//! Operations of protocols that are named, not read in depth.

use crate::columns::{Address, MaybeU32, Name, Time, U16, U64, table};
use crate::words::{Confidence, OperationClass, Service};

table! {
    /// One row an operation: S7comm, EtherNet/IP, DNP3 and the like.
    OperationRows, OperationRow {
        ts: Time,
        flow_id: MaybeU32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        frame: U64,
        service: Name<Service>,
        operation_class: Name<OperationClass>,
        confidence: Name<Confidence>,
    }
}
