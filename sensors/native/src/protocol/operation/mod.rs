//! Operations of the protocols that are named and classed: what they share.
//!
//! A protocol reads its messages (`Dialect`); the streams are cut into messages (`framing`), requests are matched
//! with their answers and rows written (`exchange`), and cyclic traffic is counted by the minute (`counting`).

mod assembly;
pub mod ber;
mod counting;
mod exchange;
mod framing;
mod reader;
mod row;
mod speaker;
mod text;

pub use assembly::Assembly;
pub use counting::{Counting, Tick};
pub use exchange::Exchange;
pub use framing::{Head, Message};
pub use reader::Reader;
pub use row::{Ends, Row, write};
pub use speaker::{Dialect, Speaker};
pub use text::{Listed, hex, printable, shortened};

use std::borrow::Cow;

use crate::words::OperationClass;

/// Bytes of a message that are kept; what follows is skipped, its length is known.
pub const MESSAGE_KEPT: usize = 4_096;

/// What a message asks, does or tells.
#[derive(Clone, Debug)]
pub struct Operation {
    pub name: Cow<'static, str>,
    pub class: OperationClass,
    /// What it is done to: a data block, a tag, a point, a property.
    pub object: String,
    /// How many of them.
    pub quantity: Option<u32>,
    pub value: String,
    /// What has no column of its own.
    pub detail: String,
    /// Who asks, and who is asked, behind their network addresses.
    pub client_station: String,
    pub server_station: String,
    /// A device tells it by itself: who sends it is the server of the row.
    pub is_told: bool,
}

impl Operation {
    pub fn new(name: impl Into<Cow<'static, str>>, class: OperationClass) -> Self {
        Self {
            name: name.into(),
            class,
            object: String::new(),
            quantity: None,
            value: String::new(),
            detail: String::new(),
            client_station: String::new(),
            server_station: String::new(),
            is_told: false,
        }
    }

    /// The same as a device tells it by itself.
    pub fn told(mut self) -> Self {
        self.is_told = true;
        self
    }

    /// The same with the object that it is done to.
    pub fn on(mut self, object: impl Into<String>) -> Self {
        self.object = object.into();
        self
    }

    /// The same with a detail.
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }
}

/// An answer to an operation.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The protocol's own code where it says that the operation failed.
    pub error: Option<u32>,
    pub value: String,
    pub detail: String,
    pub quantity: Option<u32>,
}
