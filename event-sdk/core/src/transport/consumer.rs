//! `SubscribeRequest` and `ConsumerConfig`: the settings of a consumer, their defaults and checks.

mod binding;
mod check;
mod coverage;

pub use binding::BoundConsumer;

use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;

use super::Capability;
use super::capability::asked;
use super::difference::{Difference, Differences, Limit, sorted};
use super::prefetch::Prefetch;
use crate::subject::Pattern;
use crate::text::Text;

/// A request to bind a consumer, or to create it if it does not exist.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SubscribeRequest {
    /// The stream.
    pub stream: Text,
    /// The configuration of the consumer.
    pub config: ConsumerConfig,
    /// How many messages the subscription prefetches; a fixed number is at least one.
    pub prefetch: Prefetch,
    /// Whether the consumer must exist. If it does not exist, it is not created, and the error is
    /// [`ErrorKind::ConsumerNotFound`](super::ErrorKind::ConsumerNotFound).
    pub must_exist: bool,
}

impl SubscribeRequest {
    /// A subscription to the consumer of this configuration. The consumer is created if it does not
    /// exist.
    #[must_use]
    pub fn new(stream: impl Into<Text>, config: ConsumerConfig) -> Self {
        Self {
            stream: stream.into(),
            config,
            prefetch: Prefetch::Adaptive,
            must_exist: false,
        }
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported).
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        self.config.needs_of(self.must_exist)
    }

    /// The reason and remedy in the error about a missing consumer that must exist.
    pub const MUST_EXIST: &str =
        "it does not exist, and the subscription does not create it; deploy it with `apply`";
}

/// The configuration of a consumer.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ConsumerConfig {
    /// Name and lifetime.
    pub name: ConsumerName,
    /// Filters, as patterns of whole subjects. At least one; the patterns must not overlap.
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
    /// The server's backoff: ack waits by delivery number, which replace `ack_wait`. The last wait
    /// applies to all further deliveries. Empty: none.
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

    /// The capabilities that the settings need. Without [`Capability::Store`], a consumer must be a
    /// group or ephemeral, acknowledge nothing, and start at the next published message.
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        self.needs_of(false)
    }

    fn needs_of(&self, must_exist: bool) -> impl Iterator<Item = Capability> + use<> {
        let stored = must_exist
            || matches!(self.name, ConsumerName::Durable(_))
            || self.ack != AckPolicy::None
            || self.deliver != DeliverPolicy::New
            || self.max_deliver.is_some();
        asked([
            (Capability::Store, stored),
            (Capability::SeveralFilters, self.filters.len() > 1),
            (Capability::Backoff, !self.backoff.is_empty()),
            (Capability::AckAll, self.ack == AckPolicy::All),
        ])
    }

    /// The ack wait of the delivery with this number, starting at one.
    #[must_use]
    pub fn wait_of_attempt(&self, attempt: u32) -> Duration {
        let last = self.backoff.len().saturating_sub(1);
        let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(last);
        self.backoff
            .get(index.min(last))
            .copied()
            .unwrap_or(self.ack_wait)
    }

    /// The settings of this existing consumer that differ from `wanted`. The start position is not
    /// compared, because it matters only when a consumer is created.
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
        compare(
            "max deliver",
            &Limit(&self.max_deliver),
            &Limit(&wanted.max_deliver),
        );
        compare(
            "max ack pending",
            &Limit(&self.max_ack_pending),
            &Limit(&wanted.max_ack_pending),
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
    /// Shared by its subscriptions. Ends when it has no subscription left, or some time later; this
    /// depends on the transport.
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
/// If a stream has replicas, the replica that serves a consumer may lag behind confirmed publishes.
/// [`Last`](Self::Last), [`LastPerSubject`](Self::LastPerSubject), [`New`](Self::New) and
/// [`ByStartTime`](Self::ByStartTime) then start at the position in that replica, which may be
/// earlier but never later, so no message is missed.
///
/// The enum is exhaustive, because a transport must handle each variant; a new variant requires a
/// new major version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliverPolicy {
    /// At the oldest message.
    All,
    /// At the newest message that its filters match.
    Last,
    /// At the newest message of each subject; after these, it delivers all new messages.
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
    /// Each delivery separately.
    Explicit,
    /// All deliveries up to a message together: an ack or a term settles its message and all
    /// messages with lower sequences, **even if other subscriptions have these messages**. A nak
    /// and a restart of the ack wait apply to one message. Needs [`Capability::AckAll`].
    ///
    /// Use this policy only if one instance at a time reads from the consumer, and acknowledges a
    /// message only after all messages before it are done, like `Consumer::ack_all` of `event-sdk`.
    /// With several instances, or with an acknowledgement that comes too early, events would be
    /// lost.
    All,
    /// Not at all: each delivery counts as handled.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(change: impl FnOnce(&mut SubscribeRequest)) -> Vec<Capability> {
        let config = ConsumerConfig::new(ConsumerName::Ephemeral, vec![Pattern::everything()]);
        let mut request = SubscribeRequest::new("S", config);
        request.config.ack = AckPolicy::None;
        request.config.deliver = DeliverPolicy::New;
        assert_eq!(request.needs().next(), None);
        change(&mut request);
        request.needs().collect()
    }

    #[test]
    fn each_optional_field_needs_a_capability() {
        let stored = [Capability::Store];
        assert_eq!(needs(|request| request.must_exist = true), stored);
        let durable = ConsumerName::Durable("d".into());
        assert_eq!(needs(|request| request.config.name = durable), stored);
        let explicit = AckPolicy::Explicit;
        assert_eq!(needs(|request| request.config.ack = explicit), stored);
        let all = DeliverPolicy::All;
        assert_eq!(needs(|request| request.config.deliver = all), stored);
        let max = NonZeroU32::new(2);
        assert_eq!(needs(|request| request.config.max_deliver = max), stored);
        let filters = vec![Pattern::everything(); 2];
        assert_eq!(
            needs(|request| request.config.filters = filters),
            [Capability::SeveralFilters]
        );
        let backoff = vec![Duration::from_secs(1)];
        assert_eq!(
            needs(|request| request.config.backoff = backoff),
            [Capability::Backoff]
        );
        assert_eq!(
            needs(|request| request.config.ack = AckPolicy::All),
            [Capability::Store, Capability::AckAll]
        );
    }
}
