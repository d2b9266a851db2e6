//! One half of a transaction: a message, and what is known of it.

use std::sync::Arc;

use super::certificate::Certificate;
use super::framing::Kind;
use super::said::Said;
use super::service::UaService;
use super::session::Identity;
use super::status::Status;
use crate::anomaly::At;
use crate::words::words;

words! {
    /// Types of messages (OPC 10000-6, 6.7.2.2 and 7.1.2.2).
    MessageType {
        Hello = "HEL",
        Acknowledge = "ACK",
        Error = "ERR",
        ReverseHello = "RHE",
        Open = "OPN",
        Close = "CLO",
        Message = "MSG",
    }
}

impl From<Kind> for MessageType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Hello => Self::Hello,
            Kind::Acknowledge => Self::Acknowledge,
            Kind::Error => Self::Error,
            Kind::ReverseHello => Self::ReverseHello,
            Kind::Open => Self::Open,
            Kind::Close => Self::Close,
            Kind::Message => Self::Message,
        }
    }
}

/// A request or a response.
#[derive(Debug)]
pub struct Message {
    pub kind: MessageType,
    /// When and with which frame it was whole.
    pub at: At,
    pub service: UaService,
    /// The number of its type, where that is one of the specification's.
    pub type_id: Option<u32>,
    pub channel: Option<u32>,
    pub request_id: Option<u32>,
    pub handle: Option<u32>,
    pub status: Option<Status>,
    pub said: Said,
    pub certificate: Option<Certificate>,
    /// Who asks.
    pub who: Arc<Identity>,
    /// The hash of the session's token.
    pub token: u64,
    pub chunks: u32,
    pub bytes: u64,
    pub encrypted: bool,
    pub aborted: bool,
    /// Not all of it is there to be read.
    pub cut: bool,
    pub after_gap: bool,
    /// Gaps of the flow before it.
    pub gaps: u64,
}

impl Message {
    pub fn new(kind: Kind, at: At, bytes: u64, after_gap: bool) -> Self {
        Self {
            kind: kind.into(),
            at,
            service: UaService::Unknown,
            type_id: None,
            channel: None,
            request_id: None,
            handle: None,
            status: None,
            said: Said::default(),
            certificate: None,
            who: Arc::default(),
            token: 0,
            chunks: 1,
            bytes,
            encrypted: false,
            aborted: false,
            cut: false,
            after_gap,
            gaps: 0,
        }
    }

    /// What it costs to keep.
    pub fn size(&self) -> usize {
        size_of::<Self>() + self.said.size()
    }
}
