//! `AttemptError`: the failure of a handler as the error of layers; what errors of layers mean.

use std::error::Error as StdError;
use std::fmt;

use tower::load_shed::error::Overloaded;
use tower::timeout::error::Elapsed;

use super::BoxError;
use crate::consumer::stop::Stop;
use crate::consumer::{Failure, FailureClass};

/// The error of a handler, on its way through the layers.
///
/// The consumer takes the [`Failure`] out of it unchanged. A layer that decides the outcome returns
/// an error that it made: `Err(AttemptError::from(Failure::reject("…")))`.
///
/// `Display` and `Debug` show the [summary](Failure::summary) of the failure, without the text of
/// its error.
pub struct AttemptError(Stop);

impl AttemptError {
    /// The failure of the handler; `None` if the message could not be read as an event.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.0 {
            Stop::Failed(failure) => Some(failure),
            Stop::Unreadable(_) => None,
        }
    }
}

impl From<Failure> for AttemptError {
    fn from(failure: Failure) -> Self {
        Self(Stop::Failed(failure))
    }
}

impl From<Stop> for AttemptError {
    fn from(stop: Stop) -> Self {
        Self(stop)
    }
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Stop::Failed(failure) => failure.fmt(f),
            Stop::Unreadable(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AttemptError({self})")
    }
}

// Without a source: the text of the handler's error may contain data of the event.
impl StdError for AttemptError {}

/// The longest chain of sources that is followed.
const MAX_CHAIN: usize = 32;

/// What an error of a layer means to the consumer.
pub(in crate::consumer) fn stop_of(error: BoxError) -> Stop {
    let error = match error.downcast::<AttemptError>() {
        Ok(error) => return error.0,
        Err(error) => error,
    };
    let mut next: Option<&(dyn StdError + 'static)> = Some(&*error);
    for _ in 0..MAX_CHAIN {
        let Some(at) = next else { break };
        let known = if at.is::<Elapsed>() {
            Some((FailureClass::Retry, "Elapsed of a layer"))
        } else if at.is::<Overloaded>() {
            Some((FailureClass::Outage, "Overloaded of a layer"))
        } else {
            match at.downcast_ref::<AttemptError>().map(|error| &error.0) {
                Some(Stop::Failed(failure)) => {
                    Some((failure.class(), "a layer's error about the handler's"))
                }
                Some(Stop::Unreadable(error)) => return Stop::Unreadable(error.clone()),
                None => None,
            }
        };
        if let Some((class, kind)) = known {
            return Stop::Failed(Failure::of_layer(class, kind, error));
        }
        next = at.source();
    }
    let class = Failure::class_of(&*error);
    Stop::Failed(Failure::of_layer(class, "an error of a layer", error))
}
