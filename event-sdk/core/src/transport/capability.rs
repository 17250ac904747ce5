//! `Capability` and `Capabilities`: the features that a transport declares. Add a new capability
//! here.

use std::fmt;

/// A feature that some transports, or some versions of a server, lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Stores messages in streams with sequences, and delivers them with acks.
    Store,
    /// Recognizes duplicates by message id.
    Deduplication,
    /// A stream can turn deduplication off, with a duplicate window of zero.
    DeduplicationOff,
    /// A publish can expect the last sequence of the stream.
    ExpectStream,
    /// A publish can expect the last sequence of its subject.
    ExpectSubject,
    /// A publish can expect the last sequence of the subjects that match a pattern, such as all
    /// actions of an entity.
    ExpectPattern,
    /// A consumer can have several filters.
    SeveralFilters,
    /// One acknowledgement can settle all messages before its own message
    /// ([`AckPolicy::All`](super::AckPolicy::All)).
    AckAll,
    /// A consumer can have ack waits by delivery number.
    Backoff,
    /// Stored messages can be read without a consumer:
    /// [`Transport::history`](super::Transport::history).
    History,
    /// If a stream drops messages before they were delivered to a consumer, the loss is reported.
    ReportsGaps,
    /// If a message becomes exhausted (delivered `max_deliver` times and not acknowledged or
    /// terminated) while the consumer has a subscription, it is reported.
    ReportsExhausted,
    /// If a message becomes exhausted while the consumer has no subscription, it is reported to the
    /// next subscription.
    ReportsExhaustedLater,
    /// Event values can be passed without encoding.
    ValueHandover,
    /// Streams can be found, created and changed:
    /// [`Transport::stream_admin`](super::Transport::stream_admin).
    StreamAdmin,
    /// Consumers can be listed, inspected, created, changed and deleted:
    /// [`Transport::consumer_admin`](super::Transport::consumer_admin).
    ConsumerAdmin,
    /// Stored messages can be got, deleted and purged by sequence:
    /// [`Transport::message_admin`](super::Transport::message_admin).
    MessageAdmin,
    /// Advisories about consumers can be heard:
    /// [`Transport::advisories`](super::Transport::advisories).
    Advisories,
    /// A stream can drop messages when they are acknowledged (work queue, interest).
    RetentionByAck,
    /// A stream can be compressed on disk.
    Compression,
    /// Entries can be kept by key, and changed by compare-and-set:
    /// [`Transport::coordination`](super::Transport::coordination).
    Coordination,
    /// An entry can have an expiry of its own.
    CoordinationExpiry,
    /// Messages can be stored at a later time:
    /// [`Transport::scheduler`](super::Transport::scheduler).
    Scheduler,
    /// A consumer can be paused: [`ConsumerAdmin::pause`](super::ConsumerAdmin::pause).
    PauseConsumer,
    /// A consumer can be reset: [`ConsumerAdmin::reset`](super::ConsumerAdmin::reset).
    ResetConsumer,
    /// Whole streams can be written into backups and restored:
    /// [`Transport::snapshots`](super::Transport::snapshots).
    Snapshots,
    /// A stream can copy the messages of other streams: mirrors and sources.
    Copies,
    /// A mirror can become a stream with subjects of its own.
    PromoteMirror,
    /// A stream can be restricted to the servers of a cluster, or to servers with certain tags.
    Placement,
    /// The retention of a stream can change between limits and interest.
    ChangeRetention,
    /// A stream can deny that its messages are deleted or purged.
    DenyDeletion,
    /// A publish can delete earlier messages ([`RollUp`](super::RollUp)), in a stream that allows
    /// it.
    RollUp,
}

impl Capability {
    /// All capabilities.
    pub const ALL: [Self; 32] = [
        Self::Store,
        Self::Deduplication,
        Self::DeduplicationOff,
        Self::ExpectStream,
        Self::ExpectSubject,
        Self::ExpectPattern,
        Self::SeveralFilters,
        Self::AckAll,
        Self::Backoff,
        Self::History,
        Self::ReportsGaps,
        Self::ReportsExhausted,
        Self::ReportsExhaustedLater,
        Self::ValueHandover,
        Self::StreamAdmin,
        Self::ConsumerAdmin,
        Self::MessageAdmin,
        Self::Advisories,
        Self::RetentionByAck,
        Self::Compression,
        Self::Coordination,
        Self::CoordinationExpiry,
        Self::Scheduler,
        Self::PauseConsumer,
        Self::ResetConsumer,
        Self::Snapshots,
        Self::Copies,
        Self::PromoteMirror,
        Self::Placement,
        Self::ChangeRetention,
        Self::DenyDeletion,
        Self::RollUp,
    ];

    /// Whether a transport provides this capability by an optional trait.
    #[must_use]
    pub const fn is_ability(self) -> bool {
        matches!(
            self,
            Self::History
                | Self::StreamAdmin
                | Self::ConsumerAdmin
                | Self::MessageAdmin
                | Self::Advisories
                | Self::Coordination
                | Self::Scheduler
                | Self::Snapshots
        )
    }

    const fn bit(self) -> u64 {
        1 << self as u32
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Store => "storing messages in a stream",
            Self::Deduplication => "deduplication by message id",
            Self::DeduplicationOff => "a stream that remembers no message ids",
            Self::ExpectStream => "expecting the last sequence of the stream",
            Self::ExpectSubject => "expecting the last sequence of a subject",
            Self::ExpectPattern => "expecting the last sequence of an entity",
            Self::SeveralFilters => "several filters on one consumer",
            Self::AckAll => "acknowledging everything up to a message",
            Self::Backoff => "a list of waits between deliveries",
            Self::History => "reading history without a consumer",
            Self::ReportsGaps => "reporting gaps",
            Self::ReportsExhausted => "reporting messages that ran out of deliveries",
            Self::ReportsExhaustedLater => {
                "reporting messages that ran out of deliveries while no subscription was there"
            }
            Self::ValueHandover => "handing a value over without encoding it",
            Self::StreamAdmin => "finding, creating and changing streams",
            Self::ConsumerAdmin => "looking after consumers",
            Self::MessageAdmin => "getting, deleting and purging stored messages",
            Self::Advisories => "hearing advisories about consumers",
            Self::RetentionByAck => "keeping messages only until they are acknowledged",
            Self::Compression => "compressing a stream",
            Self::Coordination => "keeping entries by key with compare-and-set",
            Self::CoordinationExpiry => "an expiry for a single entry",
            Self::Scheduler => "scheduling a message for a later time",
            Self::PauseConsumer => "pausing a consumer",
            Self::ResetConsumer => "resetting a consumer to another position",
            Self::Snapshots => "writing snapshots of streams and restoring them",
            Self::Copies => "copying the messages of other streams",
            Self::PromoteMirror => "making a mirror a stream of its own",
            Self::ChangeRetention => "changing the retention of a stream",
            Self::DenyDeletion => "a stream that denies deletion",
            Self::RollUp => "a message that rolls up earlier ones",
            Self::Placement => "placing a stream on some servers of a cluster",
        })
    }
}

/// The capabilities that a request needs.
pub(crate) fn asked<const N: usize>(
    capabilities: [(Capability, bool); N],
) -> impl Iterator<Item = Capability> {
    let capabilities = capabilities.into_iter();
    capabilities.filter_map(|(capability, asked)| asked.then_some(capability))
}

/// The capabilities that a transport declares, and the maximum size of a message.
///
/// Some capabilities are abilities ([`Capability::is_ability`]). A transport declares an ability by
/// the method of [`Transport`](super::Transport) that returns its trait, and not here.
/// [`TransportExt::supports`](super::TransportExt::supports) checks both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    bits: u64,
    max_payload: usize,
}

impl Capabilities {
    /// No capability; messages of at most `max_payload` bytes, headers and body.
    #[must_use]
    pub const fn none(max_payload: usize) -> Self {
        Self {
            bits: 0,
            max_payload,
        }
    }

    /// Adds `capability`; abilities are ignored.
    #[must_use]
    pub const fn with(mut self, capability: Capability) -> Self {
        if !capability.is_ability() {
            self.bits |= capability.bit();
        }
        self
    }

    /// Removes `capability`.
    #[must_use]
    pub const fn without(mut self, capability: Capability) -> Self {
        self.bits &= !capability.bit();
        self
    }

    /// Whether `capability` is declared.
    #[must_use]
    pub const fn has(&self, capability: Capability) -> bool {
        self.bits & capability.bit() != 0
    }

    /// Maximum size in bytes of one message: headers, including the message id, and body.
    #[must_use]
    pub const fn max_payload(&self) -> usize {
        self.max_payload
    }
}
