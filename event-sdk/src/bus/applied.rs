//! `EventBus::apply` and its result `Applied`: the changes to declared streams, durables and the
//! bucket.

use std::fmt;

use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Capability, ConsumerChange, ConsumerConfig, Error, ErrorKind, Operation, StreamChange,
    TransportExt as _,
};

use super::EventBus;

/// The result of [`EventBus::apply`]: the change of each stream and durable, and of the bucket.
/// `Display` prints one line for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Applied {
    /// The streams by name, in the order of the declarations.
    pub streams: Vec<(Text, StreamChange)>,
    /// The durables, in the order of the declarations.
    pub consumers: Vec<AppliedConsumer>,
    /// The declared bucket by name; `None` if none is declared.
    pub bucket: Option<(Text, StreamChange)>,
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
    /// Whether all streams, durables and the bucket already matched their declarations.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        let mut streams = self.streams.iter();
        let mut consumers = self.consumers.iter();
        let mut bucket = self.bucket.iter();
        streams.all(|(_, change)| *change == StreamChange::Unchanged)
            && consumers.all(|one| one.change == ConsumerChange::Unchanged)
            && bucket.all(|(_, change)| *change == StreamChange::Unchanged)
    }
}

impl EventBus {
    /// Returns the [declared](super::BusBuilder::consumer) durables, each with its stream and the
    /// configuration that [`apply`](Self::apply) gives it, in the order of the declarations.
    ///
    /// If the declared streams store all events of the durables, the call makes no request.
    /// Otherwise it asks the transport which streams store these events.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`NoStream`](event_sdk_core::ErrorKind::NoStream) if no stream stores an event,
    /// [`InvalidSubject`](event_sdk_core::ErrorKind::InvalidSubject) if a pattern matches no
    /// subject of the set, [`InvalidOption`](event_sdk_core::ErrorKind::InvalidOption) for an
    /// impossible number of partitions, and the errors of
    /// [`StreamAdmin::find`](event_sdk_core::transport::StreamAdmin::find).
    pub async fn durables(&self) -> Result<Vec<(Text, ConsumerConfig)>, Error> {
        let mut durables = Vec::new();
        for spec in &self.inner().consumers {
            durables.extend(spec.configs(self).await?);
        }
        Ok(durables)
    }

    /// Applies all declarations of the bus: first the [streams](super::BusBuilder::stream), like
    /// [`apply_streams`](Self::apply_streams), then the [bucket](super::BusBuilder::coordination),
    /// then the [durables](super::BusBuilder::consumer). An existing durable is changed without
    /// losing its position. Only this method and [`apply_planned`](Self::apply_planned) change a
    /// durable or a bucket.
    ///
    /// Call it once in a deployment step, before anything subscribes.
    ///
    /// During a rolling deploy, instances of the older version share the durable. An instance of
    /// the older version may receive an event that only the new version knows. Then `decode` fails,
    /// and the handler should call [`Delivery::refuse`](crate::Delivery::refuse): this gives the
    /// event back, so that another instance can receive it.
    ///
    /// Not cancel-safe: after dropping the future, some streams and durables may have been
    /// applied. Applying them again is safe.
    ///
    /// # Errors
    ///
    /// The error of the first stream, bucket or durable that cannot be applied. The error names
    /// this item. All items before this item are applied. Kinds: those of
    /// [`apply_streams`](Self::apply_streams); for a bucket also
    /// [`Unsupported`](event_sdk_core::ErrorKind::Unsupported) on a transport without coordination;
    /// for a durable also [`ConsumerMismatch`](event_sdk_core::ErrorKind::ConsumerMismatch) if a
    /// setting cannot be changed, [`InvalidSubject`](event_sdk_core::ErrorKind::InvalidSubject) if
    /// a filter matches no subject of the stream, and
    /// [`StreamNotFound`](event_sdk_core::ErrorKind::StreamNotFound).
    pub async fn apply(&self) -> Result<Applied, Error> {
        self.change_no_copies().await?;
        self.apply_planned().await
    }

    /// Applies all declarations like [`apply`](Self::apply). In addition, it changes which streams
    /// an existing stream copies. If it ends a mirror in this way, the stream cannot become a
    /// mirror again. The package `event-sdk-topology` calls this method after it has planned the
    /// change and has printed a warning.
    ///
    /// Not cancel-safe, like [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// The same as for [`apply`](Self::apply).
    pub async fn apply_planned(&self) -> Result<Applied, Error> {
        let streams = self.change_streams().await?;
        let inner = self.inner();
        let bucket = match &inner.bucket {
            Some(config) => {
                let change = inner.transport.apply_bucket(config).await?;
                Some((config.name.clone(), change))
            }
            None => None,
        };
        let mut consumers = Vec::new();
        for spec in &inner.consumers {
            for (stream, config) in spec.configs(self).await? {
                let durable = config.name.as_str().unwrap_or_default();
                let durable = Text::copy_of(durable);
                let needs = config.needs();
                let supported = inner.transport.check_needs(needs, Operation::Manage);
                supported.map_err(|error| {
                    error.at_stream(stream.clone()).at_consumer(durable.clone())
                })?;
                let change = inner.transport.apply_consumer(&stream, &config).await?;
                consumers.push(AppliedConsumer {
                    stream,
                    consumer: durable,
                    change,
                });
            }
        }
        Ok(Applied {
            streams,
            consumers,
            bucket,
        })
    }
}

impl EventBus {
    /// Fails if an existing stream copies others than its declaration says: whoever made it so does not
    /// expect that a service ends that, and a changed source is copied again from its start.
    pub(super) async fn change_no_copies(&self) -> Result<(), Error> {
        let inner = self.inner();
        if !inner.transport.capabilities().has(Capability::Copies) {
            return Ok(());
        }
        for wanted in &inner.streams {
            let existing = match self.stream_state(&wanted.name).await {
                Ok(state) => state.config,
                // What is wrong is said when it is applied.
                Err(_) => continue,
            };
            let declared: Vec<_> = wanted.upstreams().collect();
            let changed = existing.upstreams().any(|it| !declared.contains(&it));
            if existing.mirror.is_some() != wanted.mirror.is_some()
                && existing.upstreams().next().is_some()
                || changed
            {
                let copied: Vec<_> = existing.upstreams().map(ToString::to_string).collect();
                let reason = format!(
                    "the stream copies {}, and its declaration says otherwise; declare that, or change it by the `apply` of a topology, which plans it and warns of it",
                    copied.join(", ")
                );
                let error = Error::new(ErrorKind::InvalidOption, Operation::Manage, reason);
                return Err(error.at_stream(wanted.name.clone()));
            }
        }
        Ok(())
    }
}

impl fmt::Display for Applied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let streams = self.streams.iter();
        let streams = streams.map(|(stream, change)| format!("stream {stream} {change}"));
        let bucket = self.bucket.iter();
        let bucket = bucket.map(|(bucket, change)| format!("bucket {bucket} {change}"));
        let consumers = self.consumers.iter();
        let consumers = consumers.map(|one| {
            let AppliedConsumer {
                stream,
                consumer,
                change,
            } = one;
            format!("consumer {consumer} of {stream} {change}")
        });
        let lines: Vec<_> = streams.chain(bucket).chain(consumers).collect();
        f.write_str(&lines.join("\n"))
    }
}
