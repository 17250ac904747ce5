//! `Opener`: opens the subscriptions of a consumer, once or for each of its ownerships.

use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};

use super::engine::Sources;
use crate::bus::EventBus;
use crate::dead_letters::DeadLetterStream;
use crate::raw::Untyped;
use crate::subscribe::{Subscribe, Subscriber};

/// Opens the subscriptions of a consumer.
pub(super) struct Opener {
    pub(super) subscribe: Subscribe<Untyped>,
    /// Where the dead letters are, whose redriven ones are received too.
    pub(super) place: Option<DeadLetterStream>,
    pub(super) bus: EventBus,
    pub(super) name: Text,
    pub(super) accept_max_deliver: bool,
}

impl Opener {
    /// Subscribes to the events, and to those that are redriven.
    pub(super) async fn open(&self) -> Result<Sources, Error> {
        let redriven = match &self.place {
            Some(place) => Some(redriven(&self.bus, place, &self.name, &self.subscribe).await?),
            None => None,
        };
        let events = self.subscribe.again().await?;
        if !self.accept_max_deliver {
            let bound = events
                .bound()
                .chain(redriven.iter().flat_map(Subscriber::bound));
            let mut finite =
                bound.filter_map(|(stream, bound)| Some((stream, bound.config.max_deliver?)));
            if let Some((stream, limit)) = finite.next() {
                let reason = format!(
                    "the durable has max_deliver {limit}, at which the server gives up events that no handler has seen; lift it with `EventBus::apply`, or call `accept_max_deliver()`"
                );
                let error = Error::new(ErrorKind::InvalidOption, Operation::Subscribe, reason);
                let error = error.at_stream(stream.to_owned());
                return Err(error.at_consumer(self.name.clone()));
            }
        }
        Ok(Sources::new(events, redriven))
    }

    /// The streams of the events, and that of the redriven ones.
    pub(super) async fn streams(&self) -> Result<Vec<Text>, Error> {
        let mut streams = self.subscribe.again().streams().await?;
        if let Some(place) = &self.place {
            streams.push(Text::copy_of(place.retry_name()));
        }
        Ok(streams)
    }
}

/// Subscribes to the events that were dead letters of the consumer, and were sent again.
async fn redriven(
    bus: &EventBus,
    place: &DeadLetterStream,
    name: &Text,
    events: &Subscribe<Untyped>,
) -> Result<Subscriber<Untyped>, Error> {
    let filter = place.retry_filter(name).map_err(|why| {
        Error::new(
            ErrorKind::InvalidSubject,
            Operation::Subscribe,
            why.to_string(),
        )
        .at_consumer(name.clone())
    })?;
    let subscribe = bus.raw().absolute().subscribe(filter);
    subscribe
        .with_limits_of(events)
        .stream(place.retry_name().to_owned())
        .durable(name.clone())
        .await
}
