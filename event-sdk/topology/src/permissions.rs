//! The least permissions of each user of a server, derived from a topology and from what services
//! do.
//!
//! ```
//! use event_sdk::stream::StreamSpec;
//! use event_sdk::transport::BucketConfig;
//! use event_sdk::{Error, Event};
//! use event_sdk_topology::permissions::{Consumes, Service};
//! use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology};
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { #[event(key)] order: String }
//!
//! /// An order was billed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "billing")]
//! struct OrderBilled { #[event(key)] order: String }
//!
//! const SHOP: Topology = Topology::new(const {
//!     &[StreamSpec::constant("ORDERS", &["orders.>"]), StreamSpec::constant("BILLING", &["billing.>"])]
//! })
//! .consumers(const { &[DurableSpec::of::<OrderPlaced>("billing")] })
//! .dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY")] })
//! .bucket(const { &BucketConfig::constant("SHOP") });
//!
//! # fn main() -> Result<(), Error> {
//! let permissions = SHOP
//!     .permissions("shop")
//!     .service(
//!         Service::new("billing")
//!             .publishes::<OrderBilled>()
//!             .consumes(Consumes::durable("billing").dead_letters("DLQ")),
//!     )
//!     .deployment("deploy")
//!     .build()?;
//! let configuration = permissions.to_string(); // for nats-server
//! assert!(configuration.contains(r#""shop.billing.order.billed" # publishes OrderBilled"#));
//! assert!(!configuration.contains(r#""shop.orders.order.placed""#)); // it may not publish them
//! # Ok(())
//! # }
//! ```
//!
//! The user of a service may not create or change streams, the bucket or durables: the user of the
//! deployment does this. There is one exception: a consumer creates the durable in which it
//! receives redriven dead letters.
//!
//! Passwords are never part of the permissions: see [`Login`].
//!
//! # Modules
//!
//! - `builder`: [`PermissionsBuilder`], which users there are;
//! - `service`: [`Service`] and [`Consumes`], what a service does;
//! - `login`: [`Login`], how a user proves its identity;
//! - `routes`: the streams of events;
//! - `lines`: the subjects of each ability, as the table of `docs/production.md` has them;
//! - `grants`: the permissions of one user;
//! - `roles`: the users beside services: deployment, operators, monitoring;
//! - `server`: the configuration of nats-server.

mod builder;

mod service;

mod login;

mod routes;

mod lines;

mod grants;

mod roles;

mod server;

pub use builder::PermissionsBuilder;
pub use login::Login;
pub use service::{Consumes, Service};

use event_sdk::transport::{Error, ErrorKind, Operation};
use serde::Serialize;

/// The users of a server, each with the subjects that it may publish to and subscribe to.
///
/// `Display` writes the configuration of nats-server; `Serialize` writes the same data for
/// programs. Neither contains a secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Permissions {
    /// The prefix of events.
    pub prefix: String,
    /// The account of the users; `None` for the account that a server without configured accounts
    /// has.
    pub account: Option<String>,
    /// The file that defines the variables of passwords; `None` if the environment defines them.
    pub passwords_file: Option<String>,
    /// The users, in the order in which they were named.
    pub users: Vec<User>,
}

/// A user of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct User {
    /// The name of the user.
    pub name: String,
    /// What the user is for.
    pub role: Role,
    /// How the user proves its identity.
    pub login: Login,
    /// The prefix of the user's inboxes. Its clients have to set this prefix if it is not `_INBOX`.
    pub inbox_prefix: String,
    /// The subjects that the user may publish to.
    pub publish: Vec<Permission>,
    /// The subjects that the user may subscribe to.
    pub subscribe: Vec<Permission>,
}

/// What a user is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// A service.
    Service,
    /// The deployment step: `plan`, `apply`, `verify`.
    Deployment,
    /// People and programs that look after dead letters and stored events.
    Operator,
    /// Reads the state of streams and consumers, but no events.
    Monitor,
}

/// A subject that a user may publish to or subscribe to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Permission {
    /// The subject, possibly with wildcards.
    pub subject: String,
    /// What the permission is needed for: at least one purpose.
    pub purposes: Vec<String>,
}

impl Permissions {
    /// Returns these permissions with only the user of this name.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption), with the names of all users, if there is no
    /// such user.
    pub fn of(&self, name: &str) -> Result<Self, Error> {
        let users = self.users.iter().filter(|user| user.name == name);
        let users: Vec<_> = users.cloned().collect();
        if users.is_empty() {
            let known = listed(self.users.iter().map(|user| &*user.name));
            return Err(invalid(format!("there is no user `{name}`; {known}")));
        }
        Ok(Self {
            users,
            ..self.clone()
        })
    }
}

fn invalid(reason: String) -> Error {
    Error::new(ErrorKind::InvalidOption, Operation::Configure, reason)
}

/// The names that could be meant.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.collect();
    if names.is_empty() {
        return "none is declared".to_owned();
    }
    format!("declared: {}", names.join(", "))
}
