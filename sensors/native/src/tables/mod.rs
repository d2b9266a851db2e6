//! The tables of `sensors/records`, column by column in the same order. A Python test compares them.

mod dns;
mod flows;
mod http;
mod modbus;
mod mqtt;
mod observations;
mod opcua;
mod operations;
mod quality;
mod services;

use std::marker::PhantomData;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;

pub use dns::{DnsRow, DnsRows};
pub use flows::{FlowMinuteRow, FlowMinutes, FlowRow, FlowStartRow, FlowStarts, Flows, RttRow, Rtts};
pub use http::{HttpRow, HttpRows};
pub use modbus::{ModbusRow, ModbusRows};
pub use mqtt::{MqttRow, MqttRows};
pub use observations::{ObservationRow, ObservationRows};
pub use opcua::{OpcUaRow, OpcUaRows};
pub use operations::{OperationRow, OperationRows};
pub use quality::{Anomalies, AnomalyRow, CoverageRow, CoverageRows};
pub use services::{ServiceRow, ServiceRows};

/// What every row's `_borrow` is.
pub const ROW: PhantomData<&'static ()> = PhantomData;

/// Declares all tables: their names, and who holds their rows.
macro_rules! each_table {
    ($($name:ident: $rows:ty,)+) => {
        /// All tables, being filled.
        #[derive(Default)]
        pub struct Tables {
            $(pub $name: $rows,)+
        }

        impl Tables {
            /// The batches of the tables that have rows, by name; the tables are empty afterwards.
            pub fn take(&mut self) -> Vec<(&'static str, RecordBatch)> {
                let mut batches = Vec::new();
                $(if !self.$name.is_empty() {
                    batches.push((stringify!($name), self.$name.take()));
                })+
                batches
            }

            /// Rows of all tables since the last batch.
            pub fn rows(&self) -> usize {
                0 $(+ self.$name.len())+
            }
        }

        /// The schema of every table, by name.
        pub fn schemas() -> Vec<(&'static str, SchemaRef)> {
            vec![$((stringify!($name), <$rows>::schema()),)+]
        }
    };
}

each_table! {
    flow_starts: FlowStarts,
    flow_minutes: FlowMinutes,
    flows: Flows,
    modbus: ModbusRows,
    opcua: OpcUaRows,
    mqtt: MqttRows,
    services: ServiceRows,
    http: HttpRows,
    operations: OperationRows,
    dns: DnsRows,
    observations: ObservationRows,
    rtt: Rtts,
    anomalies: Anomalies,
    coverage: CoverageRows,
}
