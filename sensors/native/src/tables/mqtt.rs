//! MQTT control packets and their answers.

use crate::columns::{Address, MaybeU64, Name, Time, U16, U32, table};
use crate::words::Confidence;

table! {
    /// One row an MQTT transaction: a packet and what answered it.
    MqttRows, MqttRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        confidence: Name<Confidence>,
    }
}
