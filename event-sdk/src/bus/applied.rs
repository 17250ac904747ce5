//! What applying the declarations of a bus has changed.

use std::fmt;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    ConsumerChange, Error, Operation, StreamChange, TransportExt as _,
};

use super::EventBus;

/// What [`EventBus::apply`] has changed. `Display` says it in a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The streams by name, in the order of the declarations.
    pub streams: Vec<(Text, StreamChange)>,
    /// The durables, in the order of the declarations.
    pub consumers: Vec<AppliedConsumer>,
}

/// What became of one declared durable in one stream.
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
    /// Whether everything was as it is declared.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        let mut streams = self.streams.iter();
        let mut consumers = self.consumers.iter();
        streams.all(|(_, change)| *change == StreamChange::Unchanged)
            && consumers.all(|one| one.change == ConsumerChange::Unchanged)
    }
}

impl EventBus {
    /// Applies all that is declared on the bus: first the [streams](super::BusBuilder::stream), as
    /// [`apply_streams`](Self::apply_streams) does, then the
    /// [durables](super::BusBuilder::consumer). A durable that exists is changed without losing its
    /// position. Nothing else of the SDK changes a durable.
    ///
    /// A program that deploys calls it once, before it subscribes.
    ///
    /// During a rolling deploy, replicas of the older version share the durable: an event
    /// that is new to the set may come to one of them, whose `decode` fails and which has to
    /// put it back ([`Delivery::nak`](crate::Delivery::nak) with a delay).
    ///
    /// Dropping the future leaves open how much was applied; applying again is safe.
    ///
    /// # Errors
    ///
    /// The transport's error for the first stream or durable that cannot be applied; it names the
    /// stream or durable. Everything declared before it has been applied.
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
