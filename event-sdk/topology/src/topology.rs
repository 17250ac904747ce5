//! `Topology`: the streams, consumers, dead-letter streams and the bucket of an application.

use std::sync::Arc;

use event_sdk::stream::{StreamConfig, StreamSpec};
use event_sdk::text::Text;
use event_sdk::transport::{BucketConfig, Error, ErrorKind, Operation};
use event_sdk::{Applied, BusBuilder, EventBus};

use crate::apply::ApplyError;
use crate::dead_letters::DeadLetterSpec;
use crate::durable::DurableSpec;
use crate::plan::Plan;
use crate::planner;
use crate::verify::Verification;

/// The streams, consumers, dead-letter streams and the bucket of an application, as a constant.
///
/// Subjects are relative to the prefix of the bus. Lists must be constants: write `const { &[…] }`,
/// or use named constants.
///
/// ```
/// use event_sdk::stream::StreamSpec;
/// use event_sdk::transport::BucketConfig;
/// use event_sdk_topology::{DeadLetterSpec, Topology, covers};
///
/// const STREAMS: &[StreamSpec] = &[
///     StreamSpec::constant("ORDERS", &["orders.>"]).replicas(3),
///     StreamSpec::constant("PAYMENTS", &["payments.>", "refunds.>"]).replicas(3),
/// ];
/// const SHOP: Topology = Topology::new(STREAMS)
///     .dead_letters(const { &[DeadLetterSpec::new("DLQ", "DLQ_RETRY").replicas(3)] })
///     .bucket(const { &BucketConfig::constant("SHOP").replicas(3) });
/// covers!(SHOP);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Topology {
    pub(crate) streams: &'static [StreamSpec],
    pub(crate) consumers: &'static [DurableSpec],
    pub(crate) dead_letters: &'static [DeadLetterSpec],
    pub(crate) bucket: Option<&'static BucketConfig>,
}

impl Topology {
    /// A topology of these streams. To move a subject from one stream to another, list the old
    /// stream of the subject before its new stream.
    #[must_use]
    pub const fn new(streams: &'static [StreamSpec]) -> Self {
        Self {
            streams,
            consumers: &[],
            dead_letters: &[],
            bucket: None,
        }
    }

    /// Sets the consumers. Default: none.
    #[must_use]
    pub const fn consumers(mut self, consumers: &'static [DurableSpec]) -> Self {
        self.consumers = consumers;
        self
    }

    /// Sets the dead-letter streams, each with its retry stream. Default: none.
    #[must_use]
    pub const fn dead_letters(mut self, streams: &'static [DeadLetterSpec]) -> Self {
        self.dead_letters = streams;
        self
    }

    /// The declared dead-letter streams.
    #[must_use]
    pub const fn dead_letter_specs(&self) -> &'static [DeadLetterSpec] {
        self.dead_letters
    }

    /// Sets the bucket in which the instances of a service coordinate. Default: none.
    #[must_use]
    pub const fn bucket(mut self, bucket: &'static BucketConfig) -> Self {
        self.bucket = Some(bucket);
        self
    }

    /// Declares the whole topology on the bus of a service. Subscriptions then use the declared
    /// settings. On the memory transport, the builder's `memory` creates the streams and the
    /// bucket.
    pub fn declare(&self, builder: BusBuilder) -> BusBuilder {
        let builder = self.specs().fold(builder, BusBuilder::stream);
        let consumers = self.consumers.iter().map(DurableSpec::spec);
        let builder = consumers.fold(builder, BusBuilder::consumer);
        match self.bucket {
            Some(bucket) => builder.coordination(bucket.clone()),
            None => builder,
        }
    }

    /// Compares the topology with the streams, consumers and bucket that exist at the transport of
    /// `bus`, under the prefix of the bus. The call changes nothing.
    ///
    /// Declarations of the bus itself are ignored.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](ErrorKind::InvalidOption) for an invalid declaration,
    /// [`NoStream`](ErrorKind::NoStream) if no stream stores an event of a consumer,
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) with the subject of the first request that
    /// the user may not make, [`Unsupported`](ErrorKind::Unsupported) on a transport without streams,
    /// [`Closed`](ErrorKind::Closed), or errors of the connection. A part that a server would
    /// refuse is not an error: see [`Plan::refusals`].
    pub async fn plan(&self, bus: &EventBus) -> Result<Plan, Error> {
        self.plan_on(&self.on(bus)?).await
    }

    /// Makes a [plan](Self::plan), and then creates and changes the parts that differ. If any part
    /// of the plan is refused, nothing is changed.
    ///
    /// Applying a topology again changes nothing. Two processes may apply it at the same time. If
    /// the call was interrupted, apply again. Streams and consumers that the topology does not name
    /// are not changed, and nothing is ever deleted.
    ///
    /// Not cancel-safe: after dropping the future, some parts may have been applied. Applying them
    /// again is safe.
    ///
    /// # Errors
    ///
    /// [`ApplyError::Refused`] with the plan and its migrations, or [`ApplyError::Failed`] with an
    /// error of [`plan`](Self::plan) or [`EventBus::apply_planned`].
    pub async fn apply(&self, bus: &EventBus) -> Result<Applied, ApplyError> {
        self.apply_if(bus, |_| true).await
    }

    /// Applies `agreed`, a [plan](Self::plan) that a person has seen and agreed to, and nothing
    /// else. The call makes a new plan. If the new plan would create or change a part in another
    /// way, nothing is changed. A part that now matches the topology is not changed.
    ///
    /// The call does not notice changes on the server that are made while it applies the plan.
    ///
    /// Not cancel-safe, like [`apply`](Self::apply).
    ///
    /// # Errors
    ///
    /// [`ApplyError::Changed`] with the new plan, and the errors of [`apply`](Self::apply).
    pub async fn apply_agreed(&self, bus: &EventBus, agreed: &Plan) -> Result<Applied, ApplyError> {
        self.apply_if(bus, |plan| plan.beyond(agreed).next().is_none())
            .await
    }

    /// Applies a plan that is possible and meets the condition.
    async fn apply_if(
        &self,
        bus: &EventBus,
        agreed: impl FnOnce(&Plan) -> bool + Send,
    ) -> Result<Applied, ApplyError> {
        let bus = self.on(bus)?;
        let plan = self.plan_on(&bus).await?;
        if !plan.is_possible() {
            return Err(ApplyError::Refused(Box::new(plan)));
        }
        if !agreed(&plan) {
            return Err(ApplyError::Changed(Box::new(plan)));
        }
        Ok(bus.apply_planned().await?)
    }

    /// Finds missing parts, fields that differ from the topology, and other streams with
    /// overlapping subjects. The call changes nothing.
    ///
    /// Settings that a [`StreamSpec`] does not have, such as a description, are not compared. A
    /// placement is compared only if the [`StreamSpec`] declares one.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The errors of [`plan`](Self::plan).
    pub async fn verify(&self, bus: &EventBus) -> Result<Verification, Error> {
        Ok(Verification::of(self.plan(bus).await?))
    }

    /// All streams, in the order in which they are applied.
    fn specs(&self) -> impl Iterator<Item = StreamSpec> {
        let dead_letters = self.dead_letters.iter().flat_map(DeadLetterSpec::specs);
        self.streams.iter().cloned().chain(dead_letters)
    }

    /// The streams with their whole subjects.
    pub(crate) fn configs(&self, prefix: &str) -> Result<Vec<StreamConfig>, Error> {
        let invalid = |why| Error::new(ErrorKind::InvalidOption, Operation::Configure, why);
        let mut configs: Vec<StreamConfig> = Vec::new();
        for spec in self.specs() {
            let config = spec.config(prefix);
            let config = config.map_err(|why| invalid(why.to_string()))?;
            config.check().map_err(|why| invalid(why.to_string()))?;
            for before in &configs {
                if let Some(why) = collision(before, &config) {
                    return Err(invalid(why));
                }
            }
            configs.push(config);
        }
        Ok(configs)
    }

    /// Plans on a bus that declares this topology.
    async fn plan_on(&self, bus: &EventBus) -> Result<Plan, Error> {
        planner::plan(
            bus,
            &self.configs(bus.prefix())?,
            self.bucket,
            self.consumers,
        )
        .await
    }

    /// A bus that declares this topology alone, on the transport and under the prefix of `bus`.
    fn on(&self, bus: &EventBus) -> Result<EventBus, Error> {
        let builder = EventBus::builder()
            .prefix(Text::copy_of(bus.prefix()))
            .source(Text::copy_of(bus.source()));
        self.declare(builder).transport(Arc::clone(bus.transport()))
    }
}

/// Why a topology cannot have both streams.
fn collision(one: &StreamConfig, other: &StreamConfig) -> Option<String> {
    if one.name == other.name {
        return Some(format!(
            "the stream {} is declared twice; give one of them another name",
            one.name
        ));
    }
    let mut pairs = one.subjects.iter().flat_map(|subject| {
        let others = other.subjects.iter();
        others.map(move |beside| (subject, beside))
    });
    let (subject, beside) = pairs.find(|(subject, beside)| subject.overlaps(beside))?;
    Some(format!(
        "the subject {subject} of the stream {} overlaps {beside} of the stream {}, so that both would store an event; narrow one of them",
        one.name, other.name
    ))
}
