//! Modbus transactions.

use crate::columns::{
    Address, Flag, MaybeU8, MaybeU16, MaybeU64, Name, Rare, Text, Time, U8, U16, U16List, U32, table,
};
use crate::words::{Confidence, ModbusFraming, Outcome};

table! {
    /// One row a Modbus transaction.
    ModbusRows, ModbusRow {
        ts: Time,
        flow_id: U32,
        client_ip: Address,
        server_ip: Address,
        client_port: U16,
        server_port: U16,
        framing: Name<ModbusFraming>,
        request_frame: MaybeU64,
        response_frame: MaybeU64,
        transaction_id: U16,
        unit: U8,
        function: U8,
        outcome: Name<Outcome>,
        exception_code: Rare<MaybeU8>,
        latency_ns: MaybeU64,
        address: MaybeU16,
        quantity: MaybeU16,
        write_address: Rare<MaybeU16>,
        write_quantity: Rare<MaybeU16>,
        values_read: U16List,
        values_written: Rare<U16List>,
        sub_function: Rare<MaybeU16>,
        and_mask: Rare<MaybeU16>,
        or_mask: Rare<MaybeU16>,
        detail: Rare<Text>,
        request_bytes: U16,
        response_bytes: U16,
        after_gap: Rare<Flag>,
        confidence: Name<Confidence>,
    }
}
