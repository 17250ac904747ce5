//! `SubscribeRequest` and `ConsumerConfig`: the settings of a consumer, their defaults and checks.

mod binding;
mod check;
mod coverage;

pub use binding::BoundConsumer;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;

use super::difference::{Difference, Differences, sorted};
use super::prefetch::Prefetch;
use crate::subject::Pattern;
use crate::text::Text;

/// A request to bind a consumer, or to create it if it does not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscribeRequest {
    /// The stream.
    pub stream: Text,
    /// The configuration of the consumer.
    pub config: ConsumerConfig,
    /// How many messages the subscription prefetches; a fixed number is at least one.
    pub prefetch: Prefetch,
    /// Whether the consumer has to exist: if not, it is not created, and the answer is
    /// [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    pub must_exist: bool,
}

impl SubscribeRequest {
    /// What to do about a consumer that has to exist and does not, as an error says it.
    pub const MUST_EXIST: &str =
        "it does not exist, and the subscription does not create it; deploy it with `apply`";
}

/// The configuration of a consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerConfig {
    /// Name and lifetime.
    pub name: ConsumerName,
    /// Filters, as patterns of whole subjects; at least one, and no two overlap.
    pub filters: Vec<Pattern>,
    /// Start position.
    pub deliver: DeliverPolicy,
    /// Acknowledgement policy.
    pub ack: AckPolicy,
    /// Time after which an unsettled delivery is delivered again.
    pub ack_wait: Duration,
    /// Maximum number of deliveries of a message; `None`: no limit.
    pub max_deliver: Option<NonZeroU32>,
    /// Maximum number of unsettled deliveries; `None`: no limit.
    pub max_ack_pending: Option<NonZeroU32>,
    /// The server's backoff: ack waits by attempt, which replace `ack_wait`; the last one
    /// repeats. Empty: none.
    pub backoff: Vec<Duration>,
}

impl ConsumerConfig {
    /// JetStream's default ack wait.
    pub const DEFAULT_ACK_WAIT: Duration = Duration::from_secs(30);
    /// JetStream's default number of unsettled deliveries.
    pub const DEFAULT_MAX_ACK_PENDING: Option<NonZeroU32> = NonZeroU32::new(1000);

    /// A consumer with these filters that starts at the oldest message, acknowledges each
    /// message, and otherwise has JetStream's defaults.
    #[must_use]
    pub fn new(name: ConsumerName, filters: Vec<Pattern>) -> Self {
        Self {
            name,
            filters,
            deliver: DeliverPolicy::All,
            ack: AckPolicy::Explicit,
            ack_wait: Self::DEFAULT_ACK_WAIT,
            max_deliver: None,
            max_ack_pending: Self::DEFAULT_MAX_ACK_PENDING,
            backoff: Vec::new(),
        }
    }

    /// The ack wait of this attempt, starting at one.
    #[must_use]
    pub fn wait_of_attempt(&self, attempt: u32) -> Duration {
        let last = self.backoff.len().saturating_sub(1);
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(last);
        self.backoff
            .get(index.min(last))
            .copied()
            .unwrap_or(self.ack_wait)
    }

    /// In what `wanted` differs from this consumer, which exists. Where it starts is not
    /// compared: that matters only when a consumer is created.
    #[must_use]
    pub fn differences(&self, wanted: &Self) -> Vec<Difference> {
        let mut differences = Differences::default();
        let mut compare = |field, existing: &dyn fmt::Debug, wanted: &dyn fmt::Debug| {
            differences.compare(field, existing, wanted);
        };
        compare(
            Self::LIFETIME,
            &self.name.lifetime(),
            &wanted.name.lifetime(),
        );
        compare(
            Self::FILTERS,
            &sorted(&self.filters),
            &sorted(&wanted.filters),
        );
        compare(Self::ACK_POLICY, &self.ack, &wanted.ack);
        compare("ack wait", &self.ack_wait, &wanted.ack_wait);
        compare("max deliver", &self.max_deliver, &wanted.max_deliver);
        compare(
            "max ack pending",
            &self.max_ack_pending,
            &wanted.max_ack_pending,
        );
        compare("backoff", &self.backoff, &wanted.backoff);
        differences.into_found()
    }
}

/// Name and lifetime of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ConsumerName {
    /// Exists until it is deleted, and keeps its position.
    Durable(Text),
    /// Shared by its subscriptions, and ends with the last one.
    Group(Text),
    /// Has one subscription, and ends with it.
    Ephemeral,
}

impl ConsumerName {
    /// The name; `None` for an ephemeral consumer.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Durable(name) | Self::Group(name) => Some(name),
            Self::Ephemeral => None,
        }
    }

    fn lifetime(&self) -> &'static str {
        match self {
            Self::Durable(_) => "durable",
            Self::Group(_) => "group",
            Self::Ephemeral => "ephemeral",
        }
    }
}

/// Where a consumer starts in its stream.
///
/// If a stream has replicas, the server of a consumer may lag behind confirmed publishes.
/// [`Last`](Self::Last), [`LastPerSubject`](Self::LastPerSubject), [`New`](Self::New) and
/// [`ByStartTime`](Self::ByStartTime) then start at the position in that replica, which may be
/// earlier but never later, so no message is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliverPolicy {
    /// At the oldest message.
    All,
    /// At the newest message that its filters match.
    Last,
    /// At the newest message of each subject, then everything new.
    LastPerSubject,
    /// At the next published message.
    New,
    /// At this sequence.
    ByStartSequence(u64),
    /// At the first message stored at this time or later.
    ByStartTime(Timestamp),
}

/// How deliveries are acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckPolicy {
    /// Each by itself.
    Explicit,
    /// None: each delivery counts as handled.
    None,
}
