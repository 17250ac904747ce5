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
    /// Subscribes to the events, and to those that are redriven, under the durable of this name:
    /// that of the consumer, or of one of its partitions.
    pub(super) async fn open(&self, durable: &Text) -> Result<Sources, Error> {
        let redriven = match &self.place {
            Some(place) => Some(self.redriven(place, durable).await?),
            None => None,
        };
        let events = self.subscribe.again().under(durable.clone()).await?;
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
                return Err(error.at_consumer(durable.clone()));
            }
        }
        Ok(Sources::new(events, redriven))
    }

    /// The streams of the events, and that of the redriven ones, for a durable of this name.
    pub(super) async fn streams(&self, durable: &Text) -> Result<Vec<Text>, Error> {
        let mut streams = self.streams_of_events(durable).await?;
        if let Some(place) = &self.place {
            streams.push(Text::copy_of(place.retry_name()));
        }
        Ok(streams)
    }

    /// The streams of the events, for a durable of this name.
    pub(super) async fn streams_of_events(&self, durable: &Text) -> Result<Vec<Text>, Error> {
        let subscribe = self.subscribe.again().under(durable.clone());
        subscribe.streams().await
    }

    /// Subscribes to the events that were dead letters of the consumer, and were sent again.
    async fn redriven(
        &self,
        place: &DeadLetterStream,
        durable: &Text,
    ) -> Result<Subscriber<Untyped>, Error> {
        let filter = place.retry_filter(&self.name).map_err(|why| {
            Error::new(
                ErrorKind::InvalidSubject,
                Operation::Subscribe,
                why.to_string(),
            )
            .at_consumer(self.name.clone())
        })?;
        let subscribe = self.bus.raw().absolute().subscribe(filter);
        subscribe
            .with_limits_of(&self.subscribe)
            .stream(place.retry_name().to_owned())
            .durable(durable.clone())
            .await
    }
}
