//! The park of a consumer: where events wait for their keys, if the consumer can have one.

use std::sync::Arc;

use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::Consumer;
use crate::consumer::options::ParkOptions;
use crate::dead_letters::{DeadLetters, Park};

impl<S> Consumer<S> {
    /// The park: one owner puts events into it, and takes them out in order.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidOption`] if dead letters have to hold their keys, and cannot. Those of
    /// [`Park::verify`].
    pub(super) async fn park(&self) -> Result<Option<ParkOptions>, Error> {
        let letters = self.letters.as_ref();
        let sequenced = letters.is_some_and(DeadLetters::is_sequenced);
        let place = letters.and_then(DeadLetters::place);
        let is_ordered = self.options.ordered && self.options.single_active.is_some();
        let missing = if place.is_none() {
            "dead letters in a stream (`DeadLetters::stream`), where later events of their keys wait"
        } else if !self.options.ordered {
            "the order of a key: call `ordered_by_key()`"
        } else {
            "one owner, who handles what has waited in order: call `single_active()`"
        };
        if sequenced && (place.is_none() || !is_ordered) {
            let reason = format!("sequenced dead letters need {missing}");
            let kind = ErrorKind::InvalidOption;
            return Err(Error::new(kind, Operation::Configure, reason));
        }
        let Some(place) = place else {
            return Ok(None);
        };
        if !sequenced && self.bus.transport().history().is_none() {
            return Ok(None);
        }
        let park = Park::new(&self.bus, place.clone(), self.name.clone());
        if !is_ordered {
            return nothing_waits(&park, missing).await.map(|()| None);
        }
        match park.verify().await {
            Err(error) if !sequenced && *error.kind() == ErrorKind::InvalidOption => {
                tracing::warn!(
                    target: crate::TRACING_TARGET,
                    consumer = %self.name,
                    "a key that waits for a retry may take all of max_ack_pending: {error}"
                );
                let missing = "a dead-letter stream that keeps them";
                return nothing_waits(&park, missing).await.map(|()| None);
            }
            verified => verified?,
        }
        let park = Arc::new(park);
        Ok(Some(ParkOptions { park, sequenced }))
    }
}

/// A consumer without a park handles nothing of what an earlier one has put there.
async fn nothing_waits(park: &Park, missing: &str) -> Result<(), Error> {
    let waiting = async {
        if park.is_used().await? {
            park.keys().await
        } else {
            Ok(Vec::new())
        }
    };
    let keys = match waiting.await {
        Ok(keys) => keys,
        // Whoever may not read has put nothing there.
        Err(error) if *error.kind() == ErrorKind::PermissionDenied => return Ok(()),
        Err(error) => return Err(error),
    };
    if keys.is_empty() {
        return Ok(());
    }
    let events: u64 = keys.iter().map(|state| state.events).sum();
    let reason = format!(
        "{events} events of {} keys wait in the park of this consumer, and would never be handled without {missing}; handle them first, or give them up by `Park::drop_key`",
        keys.len()
    );
    Err(Error::new(ErrorKind::InvalidOption, Operation::Configure, reason).at_stream(park.stream()))
}
