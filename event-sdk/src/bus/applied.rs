//! `EventBus::apply` and its result `Applied`: the changes to declared streams and durables.

use std::fmt;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    ConsumerChange, Error, Operation, StreamChange, TransportExt as _,
};

use super::EventBus;

/// The result of [`EventBus::apply`]: what changed for each stream and durable. `Display` prints
/// one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The streams by name, in the order of the declarations.
    pub streams: Vec<(Text, StreamChange)>,
    /// The durables, in the order of the declarations.
    pub consumers: Vec<AppliedConsumer>,
}

/// The result for one declared durable in one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppliedConsumer {
    /// The stream.
    pub stream: Text,
    /// The durable.
    pub consumer: Text,
    /// What was changed.
    pub change: ConsumerChange,
}

impl Applied {
    /// Whether all streams and durables already matched their declarations.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        let mut streams = self.streams.iter();
        let mut consumers = self.consumers.iter();
        streams.all(|(_, change)| *change == StreamChange::Unchanged)
            && consumers.all(|one| one.change == ConsumerChange::Unchanged)
    }
}

impl EventBus {
    /// Applies all declarations of the bus: first the [streams](super::BusBuilder::stream), like
    /// [`apply_streams`](Self::apply_streams), then the [durables](super::BusBuilder::consumer).
    /// An existing durable is changed without losing its position. No other method of the bus
    /// changes a durable.
    ///
    /// Call it once in a deployment step, before anything subscribes.
    ///
    /// During a rolling deploy, instances of the older version share the durable. One of them may
    /// receive an event that only the new version knows: its `decode` fails, and the handler
    /// should call [`Delivery::refuse`](crate::Delivery::refuse), which gives the event back for
    /// another instance.
    ///
    /// Not cancel-safe: after dropping the future, some streams and durables may have been
    /// applied. Applying them again is safe.
    ///
    /// # Errors
    ///
    /// The error of the first stream or durable that cannot be applied; it names the stream or
    /// durable, and everything declared before it is applied. Kinds: those of
    /// [`apply_streams`](Self::apply_streams), and for a durable
    /// [`ConsumerMismatch`](event_sdk_core::ErrorKind::ConsumerMismatch) if a setting cannot be
    /// changed, [`InvalidSubject`](event_sdk_core::ErrorKind::InvalidSubject) if a filter matches
    /// no subject of the stream, and
    /// [`StreamNotFound`](event_sdk_core::ErrorKind::StreamNotFound).
    pub async fn apply(&self) -> Result<Applied, Error> {
        let streams = self.apply_streams().await?;
        let inner = self.inner();
        let mut consumers = Vec::new();
        for spec in &inner.consumers {
            for (stream, config) in spec.configs(self).await? {
                let needs = config.needs();
                let supported = inner.transport.check_needs(needs, Operation::Manage);
                supported.map_err(|error| {
                    error
                        .at_stream(stream.clone())
                        .at_consumer(Text::copy_of(spec.name()))
                })?;
                let change = inner.transport.apply_consumer(&stream, &config).await?;
                consumers.push(AppliedConsumer {
                    stream,
                    consumer: Text::copy_of(spec.name()),
                    change,
                });
            }
        }
        Ok(Applied { streams, consumers })
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.streams.iter();
        let streams = streams.map(|(stream, change)| format!("stream {stream} {change}"));
        let consumers = self.consumers.iter();
        let consumers = consumers.map(|one| {
            let AppliedConsumer {
                stream,
                consumer,
                change,
            } = one;
            format!("consumer {consumer} of {stream} {change}")
        });
        let lines: Vec<_> = streams.chain(consumers).collect();
        f.write_str(&lines.join("\n"))
    }
}
