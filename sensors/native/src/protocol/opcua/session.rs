//! Sessions of one connection, and who uses them. A session's token is a secret: only a keyed hash of it is kept.

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::quality::RandomState;

use super::node_id::NodeId;
use crate::words::words;

words! {
    /// How somebody says who they are (OPC 10000-4, 7.40).
    UserKind {
        /// No session, or its activation was not seen.
        Unknown = "unknown",
        Anonymous = "anonymous",
        UserName = "user_name",
        Certificate = "certificate",
        Issued = "issued",
    }
}

words! {
    /// Whether a password or token was in a message, never which.
    Secret {
        None = "none",
        /// Readable by everybody on the way.
        Clear = "clear",
        Encrypted = "encrypted",
    }
}

/// Sessions of one connection that are remembered; nobody has more than a few.
const SESSION_LIMIT: usize = 16;

/// Who uses a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The session's node, or a number of its own where its creation was not seen; empty without one.
    pub session: String,
    pub user_kind: UserKind,
    /// The user's name, or the subject of their certificate.
    pub user_name: String,
    /// The client's application.
    pub application_uri: String,
    /// Of the activation itself.
    pub secret: Secret,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            session: String::new(),
            user_kind: UserKind::Unknown,
            user_name: String::new(),
            application_uri: String::new(),
            secret: Secret::None,
        }
    }
}

/// The sessions of one connection.
#[derive(Debug, Default)]
pub struct Sessions {
    known: VecDeque<(u64, Arc<Identity>)>,
    /// Keyed by chance, so that the hash tells nothing of the token.
    keyed: RandomState,
    unseen: u32,
    nobody: Arc<Identity>,
}

impl Sessions {
    /// The hash of a session's token; 0 for the token that stands for no session.
    pub fn hash(&self, token: &NodeId<'_>) -> u64 {
        if token.is_null() {
            return 0;
        }
        self.keyed.hash_one(token).max(1)
    }

    /// Who uses the session with this token.
    pub fn of(&mut self, token: u64) -> Arc<Identity> {
        if token == 0 {
            return self.nobody.clone();
        }
        if let Some((_, identity)) = self.known.iter().find(|(known, _)| *known == token) {
            return identity.clone();
        }
        self.unseen = self.unseen.wrapping_add(1);
        let identity = Identity { session: format!("#{}", self.unseen), ..Identity::default() };
        self.set(token, identity)
    }

    /// Remembers who uses a session; the one that was remembered for longest makes room.
    pub fn set(&mut self, token: u64, identity: Identity) -> Arc<Identity> {
        let identity = Arc::new(identity);
        match self.known.iter_mut().find(|(known, _)| *known == token) {
            Some(place) => place.1 = identity.clone(),
            None => {
                if self.known.len() >= SESSION_LIMIT {
                    self.known.pop_front();
                }
                self.known.push_back((token, identity.clone()));
            }
        }
        identity
    }
}

#[cfg(test)]
mod tests {
    use super::super::node_id::Identifier;
    use super::*;

    fn token(number: u32) -> NodeId<'static> {
        NodeId { namespace: 1, identifier: Identifier::Number(number) }
    }

    #[test]
    fn a_session_is_known_by_its_token_and_an_unseen_one_has_a_number() {
        let mut sessions = Sessions::default();
        let first = sessions.hash(&token(1));
        sessions.set(first, Identity { session: "ns=1;i=7".into(), ..Identity::default() });
        assert_eq!(sessions.of(first).session, "ns=1;i=7");
        let other = sessions.hash(&token(2));
        assert_eq!(sessions.of(other).session, "#1");
        assert_eq!(sessions.of(other).session, "#1");
    }

    #[test]
    fn no_token_is_no_session() {
        let mut sessions = Sessions::default();
        let none = NodeId { namespace: 0, identifier: Identifier::Number(0) };
        assert_eq!(sessions.hash(&none), 0);
        assert_eq!(sessions.of(0).session, "");
    }

    #[test]
    fn so_many_sessions_are_remembered_and_no_more() {
        let mut sessions = Sessions::default();
        for number in 0..100 {
            let hash = sessions.hash(&token(number + 1));
            sessions.of(hash);
        }
        assert_eq!(sessions.known.len(), SESSION_LIMIT);
    }
}
