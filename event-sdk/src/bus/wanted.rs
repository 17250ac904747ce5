//! `Wanted`: what a subscription or a query asks for: the events of a set, or whatever has a subject
//! that a pattern matches.

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, Operation};
use event_sdk_core::{EventSet, Pattern};

use super::{EventBus, Routes};

/// What is asked for, without the type of the set.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    /// The events of a set: the function answers their whole subjects.
    Events(Filters),
    /// Messages of any form, by subject.
    Subjects {
        patterns: Vec<Pattern>,
        /// Whether the patterns are whole, so that the bus's prefix is not added.
        absolute: bool,
    },
}

/// The whole subjects of a set whose type is not kept.
pub(crate) type Filters = fn(&Routes, &EventBus, Operation) -> Result<Vec<Pattern>, Error>;

impl Wanted {
    /// The events of the set `S`.
    pub(crate) fn events_of<S: EventSet>() -> Self {
        Self::Events(Routes::filters::<S>)
    }

    /// The streams, and for each the whole subjects that are wanted of it.
    ///
    /// # Errors
    ///
    /// When nothing can match, or no stream stores what is wanted.
    pub(crate) async fn resolve(
        &self,
        routes: &Routes,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<(Text, Vec<Pattern>)>, Error> {
        let filters = self.filters(routes, bus, operation)?;
        routes.resolve_filters(filters, bus, operation).await
    }

    /// The whole subjects that are wanted, in whatever stream.
    ///
    /// # Errors
    ///
    /// When nothing can match.
    pub(crate) fn filters(
        &self,
        routes: &Routes,
        bus: &EventBus,
        operation: Operation,
    ) -> Result<Vec<Pattern>, Error> {
        match self {
            Self::Events(filters) => filters(routes, bus, operation),
            Self::Subjects { patterns, absolute } => {
                routes.filters_of_subjects(patterns, *absolute, bus, operation)
            }
        }
    }
}
