//! What a consumer is, and how two of them differ.

mod binding;
mod check;
mod coverage;

pub use binding::BoundConsumer;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;

use super::difference::{Difference, Differences, sorted};
use crate::subject::Pattern;
use crate::text::Text;

/// A consumer to be bound, or created if it does not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscribeRequest {
    /// The stream that it reads.
    pub stream: Text,
    /// What it is.
    pub config: ConsumerConfig,
    /// How many messages the subscription takes ahead of its caller; one or
    /// more. Those are not shared with others of the group any more.
    pub prefetch: usize,
    /// Whether the consumer has to exist: if not, it is not created, and the answer is
    /// [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    pub must_exist: bool,
}

impl SubscribeRequest {
    /// What to do about a consumer that has to exist and does not, as an error says it.
    pub const MUST_EXIST: &str =
        "it does not exist, and the subscription does not create it; deploy it with `apply`";
}

/// What a consumer is.
#[derive(Debug, Clone, PartialEq)]
pub struct ConsumerConfig {
    /// Its name, and how long it lives.
    pub name: ConsumerName,
    /// The whole subjects that it receives; at least one, and no two overlap.
    pub filters: Vec<Pattern>,
    /// Where it starts.
    pub deliver: DeliverPolicy,
    /// How it acknowledges.
    pub ack: AckPolicy,
    /// How long a delivery may stay unsettled before it is delivered again.
    pub ack_wait: Duration,
    /// How often a message is delivered; `None`: until it is settled.
    pub max_deliver: Option<NonZeroU32>,
    /// How many deliveries may be unsettled at once; `None`: any number.
    pub max_ack_pending: Option<NonZeroU32>,
    /// The server's own backoff: the waits that replace `ack_wait`, by attempt,
    /// the last of them repeated. Empty: none.
    pub backoff: Vec<Duration>,
}

impl ConsumerConfig {
    /// JetStream's default ack wait.
    pub const DEFAULT_ACK_WAIT: Duration = Duration::from_secs(30);
    /// JetStream's default number of unsettled deliveries.
    pub const DEFAULT_MAX_ACK_PENDING: Option<NonZeroU32> = NonZeroU32::new(1000);

    /// A consumer that receives all of `filters` from the start, acknowledges
    /// each message, and has JetStream's defaults otherwise.
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

    /// How long the delivery with this attempt (from one) waits for its ack.
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
        compare("lifetime", &self.name.lifetime(), &wanted.name.lifetime());
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

/// The name of a consumer, and how long it lives.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ConsumerName {
    /// It stays until it is deleted, and remembers where it was.
    Durable(Text),
    /// It lives as long as one subscription uses it; those that do, share it.
    Group(Text),
    /// It has one subscription and ends with it.
    Ephemeral,
}

impl ConsumerName {
    /// The name, if it has one.
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
/// Where a stream has copies on several servers, the server that keeps a consumer may be behind
/// what publishers have had confirmed. [`Last`](Self::Last),
/// [`LastPerSubject`](Self::LastPerSubject), [`New`](Self::New) and
/// [`ByStartTime`](Self::ByStartTime) start where they should in what that server has: that may be
/// earlier, never later, so that nothing is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeliverPolicy {
    /// At the oldest message.
    All,
    /// At the newest message that its filters match.
    Last,
    /// At the newest message of each subject, then everything new.
    LastPerSubject,
    /// At what is published from now on.
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
    /// Not at all: a delivery counts as handled.
    None,
}
