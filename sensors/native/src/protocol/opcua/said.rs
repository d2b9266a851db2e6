//! What one message says, in the form of the table's columns.

use super::session::Identity;
use super::status::Status;
use super::text::{DETAIL_LIMIT, Text, Texts};
use crate::words::ObservationKind;

/// Things that one message may tell of a device.
const TOLD_LIMIT: usize = 16;

/// What a request asks, or a response answers.
#[derive(Debug)]
pub struct Said {
    pub nodes: Texts,
    /// The object that a method is called on, or the parent of an added node.
    pub objects: Texts,
    pub attributes: Texts,
    /// Written by a request, read by a response.
    pub values: Texts,
    /// The status of each operation.
    pub results: Texts,
    /// Operations in all, also those that the lists have no room for.
    pub operations: u32,
    /// Results in all that are Bad.
    pub failed: u32,
    pub subscription: Option<u32>,
    pub endpoint_url: String,
    pub detail: Text,
    pub effect: Effect,
    pub told: Vec<Told>,
}

impl Default for Said {
    fn default() -> Self {
        Self {
            nodes: Texts::default(),
            objects: Texts::default(),
            attributes: Texts::default(),
            values: Texts::default(),
            results: Texts::default(),
            operations: 0,
            failed: 0,
            subscription: None,
            endpoint_url: String::new(),
            detail: Text::new(DETAIL_LIMIT),
            effect: Effect::None,
            told: Vec::new(),
        }
    }
}

/// What a message changes of that which is known of its connection.
#[derive(Debug, Default)]
pub enum Effect {
    #[default]
    None,
    /// A session is asked for.
    CreateSession {
        application_uri: String,
    },
    /// It was given, with the hash of its token.
    SessionCreated {
        session: String,
        token: u64,
    },
    /// Somebody wants to use a session.
    Activate(Identity),
    /// Nodes that are to be watched, by the client's handle.
    Monitor(Vec<Watched>),
    /// Which of them are.
    Monitored(Vec<bool>),
    DeleteSubscriptions(Vec<u32>),
    /// Nodes that are to have other names, and the names that they got.
    Register(Vec<String>),
    Registered(Vec<String>),
}

/// A node that is to be watched.
#[derive(Debug)]
pub struct Watched {
    pub handle: u32,
    pub node: String,
    pub attribute: u32,
}

/// Something of a device.
#[derive(Debug)]
pub struct Told {
    pub about: About,
    pub kind: ObservationKind,
    pub value: String,
}

/// Which end of the connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    Client,
    Server,
}

impl Said {
    /// Takes note of one operation's status.
    pub fn result(&mut self, status: Status) {
        self.failed = self.failed.saturating_add(u32::from(status.is_bad()));
        if self.results.has_room() {
            self.results.push_string(status.word().into_owned());
        }
    }

    /// So many operations are in the message.
    pub fn count(&mut self, operations: usize) {
        self.operations = u32::try_from(operations).unwrap_or(u32::MAX);
    }

    pub fn tell(&mut self, about: About, kind: ObservationKind, value: String) {
        if self.told.len() < TOLD_LIMIT && !value.is_empty() {
            self.told.push(Told { about, kind, value });
        }
    }

    /// Writes something into the detail, behind what is there.
    pub fn remark(&mut self, text: &str) {
        self.detail.separate("; ");
        self.detail.push(text);
    }

    /// What it costs to keep.
    pub fn size(&self) -> usize {
        let effect = match &self.effect {
            Effect::Monitor(items) => items.iter().map(|item| item.node.len() + size_of::<Watched>()).sum(),
            Effect::Register(nodes) | Effect::Registered(nodes) => {
                nodes.iter().map(|node| node.len() + size_of::<String>()).sum()
            }
            Effect::Monitored(results) => results.len(),
            Effect::DeleteSubscriptions(numbers) => numbers.len() * 4,
            _ => 0,
        };
        let lists = [&self.nodes, &self.objects, &self.attributes, &self.values, &self.results];
        let texts = self.endpoint_url.len() + self.detail.as_str().len();
        effect + texts + lists.iter().map(|list| list.size()).sum::<usize>() + size_of::<Self>()
    }
}
