//! `class_of`: which errors of a database are outages.

use std::error::Error as StdError;

use event_sdk::consumer::{Failure, FailureClass};
use event_sdk_store::StoreError;

use crate::error::classify;

/// Returns the class of a database error: [`Outage`](FailureClass::Outage) if the database is busy
/// or unavailable, or has ended the transaction because of another transaction; otherwise `None`.
///
/// The errors of effects ([`EffectOf`](crate::EffectOf)) are classified by this function
/// automatically. For other handlers that use a database, pass it to
/// [`Consumer::classify`](event_sdk::consumer::Consumer::classify):
///
/// ```
/// # use event_sdk::EventBus;
/// # use event_sdk::Event;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { id: u64 }
/// # let bus = EventBus::memory();
/// let consumer = bus.consumer::<OrderPlaced>("billing").classify(event_sdk_sql::class_of);
/// ```
///
/// An error of sqlx is an outage if [`store_error`](crate::store_error) gives it a
/// [`StoreErrorKind`](crate::StoreErrorKind) that is an outage. A [`StoreError`] is an outage if
/// [`is_outage`](StoreError::is_outage) says so.
#[must_use]
pub fn class_of(error: &(dyn StdError + 'static)) -> Option<FailureClass> {
    let away = if let Some(error) = error.downcast_ref::<sqlx::Error>() {
        classify(error).0.is_outage()
    } else {
        (error.downcast_ref::<StoreError>()).is_some_and(StoreError::is_outage)
    };
    away.then_some(FailureClass::Outage)
}

/// An error of the database as a failure, with its class.
pub(crate) fn failure(error: sqlx::Error) -> Failure {
    Failure::from(error).classified_by(class_of)
}

/// An error of a statement of the SDK, which does not depend on the event: it would fail for every one.
pub(crate) fn outage(error: sqlx::Error) -> Failure {
    let why = classify(&error).1;
    Failure::outage(error).because(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_found_in_the_chain_and_an_explicit_class_stays() {
        #[derive(Debug)]
        struct Wrapped(sqlx::Error);
        impl std::fmt::Display for Wrapped {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("cannot load the invoice")
            }
        }
        impl StdError for Wrapped {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                Some(&self.0)
            }
        }
        let class = |failure: Failure| failure.classified_by(class_of).class();
        let wrapped = || Wrapped(sqlx::Error::PoolTimedOut);
        assert_eq!(class(wrapped().into()), FailureClass::Outage);
        assert_eq!(class(Failure::reject(wrapped())), FailureClass::Reject);
        assert_eq!(class(sqlx::Error::RowNotFound.into()), FailureClass::Retry);
    }
}
