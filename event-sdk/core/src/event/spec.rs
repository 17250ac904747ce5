//! `EventSpec`: the constants of an event type (subject, type, version, key use, description)
//! that the derive writes.

use std::fmt;

use crate::envelope::Version;
use crate::subject::grammar;

/// The constants of an event, known at compile time.
#[derive(Clone, Copy)]
pub struct EventSpec {
    name: &'static str,
    subject: &'static str,
    filter: &'static str,
    hash: u64,
    absolute: bool,
    address: Option<Address>,
    event_type: &'static str,
    version: Version,
    key: KeyUse,
    description: &'static str,
}

/// The three tokens of a subject in the house form.
#[derive(Debug, Clone, Copy)]
struct Address {
    domain: &'static str,
    entity: &'static str,
    action: &'static str,
}

/// How an event uses its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyUse {
    /// The event has no key.
    None,
    /// The key orders events, and is not in the subject.
    Order,
    /// The key orders events, and is the escaped last token of the subject.
    InSubject,
}

impl EventSpec {
    /// The name of the Rust type.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The identity of the event: the subject relative to the bus's prefix (`orders.order.placed`),
    /// or the whole subject if it [is absolute](Self::is_absolute). The key token is not part of
    /// it.
    #[must_use]
    pub const fn subject(&self) -> &'static str {
        self.subject
    }

    /// Whether [`subject`](Self::subject) is a foreign subject, which gets no prefix.
    #[must_use]
    pub const fn is_absolute(&self) -> bool {
        self.absolute
    }

    /// The hash of [`subject`](Self::subject), as computed by
    /// [`subject_hash`](crate::subject::grammar::subject_hash).
    #[must_use]
    pub const fn subject_hash(&self) -> u64 {
        self.hash
    }

    /// The domain; `None` for an event that is declared with `subject` or `absolute`.
    #[must_use]
    pub const fn domain(&self) -> Option<&'static str> {
        match self.address {
            Some(address) => Some(address.domain),
            None => None,
        }
    }

    /// The entity; `None` for an event that is declared with `subject` or `absolute`.
    #[must_use]
    pub const fn entity(&self) -> Option<&'static str> {
        match self.address {
            Some(address) => Some(address.entity),
            None => None,
        }
    }

    /// The action; `None` for an event that is declared with `subject` or `absolute`.
    #[must_use]
    pub const fn action(&self) -> Option<&'static str> {
        match self.address {
            Some(address) => Some(address.action),
            None => None,
        }
    }

    /// The envelope's `event_type`; default `<entity>.<action>`.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        self.event_type
    }

    /// The version of the data that this type writes.
    #[must_use]
    pub const fn version(&self) -> Version {
        self.version
    }

    /// How the event uses its key.
    #[must_use]
    pub const fn key_use(&self) -> KeyUse {
        self.key
    }

    /// The doc comment of the struct; empty if it has none.
    #[must_use]
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// The subjects of this event as a pattern, relative like [`subject`](Self::subject), and
    /// ending in `.*` if the key is in the subject.
    #[must_use]
    pub const fn filter(&self) -> &'static str {
        self.filter
    }

    /// Whether it stands in for a spec about which the derive has complained.
    pub(crate) const fn is_stub(&self) -> bool {
        self.subject.is_empty()
    }

    /// Whether the key is the last token of the subject.
    pub(crate) const fn key_in_subject(&self) -> bool {
        matches!(self.key, KeyUse::InSubject)
    }

    /// Whether a message with the subject `whole` is this event. `relative` is the subject without
    /// the bus's prefix; `None` if the subject does not have this prefix.
    #[must_use]
    pub fn is_subject(&self, whole: &str, relative: Option<&str>) -> bool {
        let subject = if self.is_absolute() {
            Some(whole)
        } else {
            relative
        };
        subject.is_some_and(|subject| {
            if self.key_in_subject() {
                grammar::parent(subject) == Some(self.subject())
            } else {
                subject == self.subject()
            }
        })
    }
}

/// A spec in the making. Public in [`__private`](crate::__private) alone: a spec that did
/// not pass the derive's checks has no meaning.
#[derive(Debug)]
pub struct SpecBuilder(EventSpec);

impl SpecBuilder {
    /// A spec with what every event has. `hash` is that of the subject.
    #[must_use]
    pub const fn new(
        name: &'static str,
        subject: &'static str,
        hash: u64,
        event_type: &'static str,
        (major, minor): (u16, u16),
    ) -> Self {
        Self(EventSpec {
            name,
            subject,
            filter: subject,
            hash,
            absolute: false,
            address: None,
            event_type,
            version: Version::new(major, minor),
            key: KeyUse::None,
            description: "",
        })
    }

    /// The spec of a struct at which the derive has complained; no check has anything to add.
    #[must_use]
    pub const fn stub(name: &'static str) -> EventSpec {
        Self::new(name, "", 0, "", (1, 0)).build()
    }

    /// The three tokens of a subject in the house form.
    #[must_use]
    pub const fn address(
        mut self,
        domain: &'static str,
        entity: &'static str,
        action: &'static str,
    ) -> Self {
        self.0.address = Some(Address {
            domain,
            entity,
            action,
        });
        self
    }

    /// A foreign subject, which takes no prefix.
    #[must_use]
    pub const fn absolute(mut self) -> Self {
        self.0.absolute = true;
        self
    }

    /// There is a key, which the subject does not show.
    #[must_use]
    pub const fn key(mut self) -> Self {
        self.0.key = KeyUse::Order;
        self
    }

    /// There is a key, for which `filter` has a token.
    #[must_use]
    pub const fn key_in_subject(mut self, filter: &'static str) -> Self {
        self.0.key = KeyUse::InSubject;
        self.0.filter = filter;
        self
    }

    /// The doc comment of the struct.
    #[must_use]
    pub const fn description(mut self, description: &'static str) -> Self {
        self.0.description = description;
        self
    }

    /// The spec.
    #[must_use]
    pub const fn build(self) -> EventSpec {
        self.0
    }
}

impl fmt::Debug for EventSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSpec")
            .field("name", &self.name)
            .field("subject", &self.subject)
            .field("absolute", &self.absolute)
            .field("event_type", &self.event_type)
            .field("version", &self.version)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
