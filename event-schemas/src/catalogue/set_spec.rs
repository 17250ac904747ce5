//! `SetSpec`: an event set without its Rust type.

use event_sdk::EventSet;
use event_sdk::event::EventSpec;
use event_sdk::subject::Pattern;

/// The constants of an event set.
#[derive(Debug, Clone, Copy)]
pub struct SetSpec {
    members: &'static [&'static EventSpec],
    pattern: Option<&'static str>,
    takes_other: bool,
}

impl SetSpec {
    /// The constants of the set `S`.
    #[must_use]
    pub fn of<S: EventSet>() -> Self {
        Self {
            members: S::MEMBERS,
            pattern: S::PATTERN,
            takes_other: S::TAKES_OTHER,
        }
    }

    /// The events, in the order of the variants.
    #[must_use]
    pub fn members(&self) -> &'static [&'static EventSpec] {
        self.members
    }

    /// The pattern that the set declares, relative to the bus's prefix.
    #[must_use]
    pub fn pattern(&self) -> Option<&'static str> {
        self.pattern
    }

    /// Whether a subscriber to the set also receives events that are not members of the set. This
    /// is `true` only for sets with a pattern.
    #[must_use]
    pub fn takes_other(&self) -> bool {
        self.takes_other
    }

    /// Whether the event is a member of the set, in any version.
    #[must_use]
    pub fn has(&self, spec: &EventSpec) -> bool {
        self.members.iter().any(|member| same_event(member, spec))
    }

    /// Whether a subscriber to the set receives the event: as a member, or because the set takes
    /// other events and its pattern matches.
    #[must_use]
    pub fn takes(&self, spec: &EventSpec) -> bool {
        self.has(spec) || self.takes_as_other(spec)
    }

    fn takes_as_other(&self, spec: &EventSpec) -> bool {
        let matches = |pattern: &str| {
            let pattern = Pattern::parse(pattern.to_owned());
            let subjects = Pattern::parse(spec.filter());
            matches!((pattern, subjects), (Ok(pattern), Ok(subjects)) if pattern.covers(&subjects))
        };
        self.takes_other && !spec.is_absolute() && self.pattern.is_some_and(matches)
    }
}

/// Whether two specs are of one event, in whatever versions.
pub(super) fn same_event(one: &EventSpec, other: &EventSpec) -> bool {
    one.subject_hash() == other.subject_hash()
        && (one.subject(), one.is_absolute()) == (other.subject(), other.is_absolute())
}
