//! `Wanted`: what a subscription or a query asks for: the events of a set, or whatever has a subject
//! that a pattern matches.

use event_sdk_core::event::EventSpec;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, Operation};
use event_sdk_core::{EventSet, Pattern};

use super::{EventBus, Routes};

/// The requested subjects, without the type of the set.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// The events of a set.
    Events {
        /// Returns their whole subjects.
        filters: Filters,
        members: &'static [&'static EventSpec],
    },
    /// Messages of any form, by subject.
    Subjects {
        patterns: Vec<Pattern>,
        /// Whether the patterns are whole, so that the bus's prefix is not added.
        absolute: bool,
    },
}

/// A function that returns the whole subjects of a set, so that its type need not be kept.
pub(crate) type Filters = fn(&Routes, &EventBus, Operation) -> Result<Vec<Pattern>, Error>;

impl Wanted {
    /// The events of the set `S`.
    pub(crate) fn events_of<S: EventSet>() -> Self {
        Self::Events {
            filters: Routes::filters::<S>,
            members: S::MEMBERS,
        }
    }

    /// The events of the set; none for messages of any form.
    pub(crate) fn members(&self) -> &'static [&'static EventSpec] {
        match self {
            Self::Events { members, .. } => members,
            Self::Subjects { .. } => &[],
        }
    }

    /// Returns the streams, and the requested whole subjects of each.
    ///
    /// # Errors
    ///
    /// If no subject can match, or no stream stores the requested subjects.
    pub(crate) async fn resolve(
        &self,
        routes: &Routes,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<(Text, Vec<Pattern>)>, Error> {
        let filters = self.filters(routes, bus, operation)?;
        routes.resolve_filters(filters, bus, operation).await
    }

    /// Returns the requested whole subjects, in any stream.
    ///
    /// # Errors
    ///
    /// If no subject can match.
    pub(crate) fn filters(
        &self,
        routes: &Routes,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<Pattern>, Error> {
        match self {
            Self::Events { filters, .. } => filters(routes, bus, operation),
            Self::Subjects { patterns, absolute } => {
                routes.filters_of_subjects(patterns, *absolute, bus, operation)
            }
        }
    }
}
