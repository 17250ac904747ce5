//! `UserInfo`: who a connection is for its server, and what it may do.

use jiff::Timestamp;

use crate::text::Text;

/// The user of a connection as its server knows it: name, permissions, and the server that answered.
/// [`Transport::user`](super::Transport::user) returns it.
///
/// Fields may be added: start with [`default`](Self::default).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct UserInfo {
    /// The name or the public key of the user; `None` without authentication, and where a server
    /// may return a login token instead.
    pub name: Option<Text>,
    /// The account.
    pub account: Option<Text>,
    /// The subjects that the user may publish and receive; `None`: everything in its account.
    pub permissions: Option<Permissions>,
    /// The cluster of the server; `None` if it is in none.
    pub cluster: Option<Text>,
    /// The clock of the server when it answered.
    pub server_time: Option<Timestamp>,
}

/// The subjects that a user may publish to and receive from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Permissions {
    /// For publishing.
    pub publish: Allowed,
    /// For receiving.
    pub subscribe: Allowed,
}

/// Patterns of subjects, as the server has them. In a pattern that is only for subscriptions in a
/// queue group, a space and the group follow the subject; NATS server 2.10 leaves the group out.
///
/// A subject is allowed if `allow` matches it or is empty, and `deny` does not match it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Allowed {
    /// The allowed subjects; empty: everything.
    pub allow: Vec<Text>,
    /// The denied subjects.
    pub deny: Vec<Text>,
}
