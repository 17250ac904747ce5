//! `Capability` and `Capabilities`: what a transport declares that it can do; add a new
//! capability here.

use std::fmt;

/// One thing that not every transport, or not every server's version, can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// Messages are stored in streams, with sequences, and delivered with acks.
    Store,
    /// A message id that was stored already is recognized.
    Deduplication,
    /// A stream can remember no message ids, with a duplicate window of zero.
    DeduplicationOff,
    /// A publish can expect the last sequence of the stream.
    ExpectStream,
    /// A publish can expect the last sequence of its subject.
    ExpectSubject,
    /// A publish can expect the last sequence under a pattern, such as all
    /// actions of one entity.
    ExpectPattern,
    /// A consumer can have several filters.
    SeveralFilters,
    /// A consumer can have a list of waits between deliveries.
    Backoff,
    /// What is stored can be read without a consumer: [`Transport::history`](super::Transport::history).
    History,
    /// What a stream drops before a consumer read it is reported.
    ReportsGaps,
    /// A message that ran out of deliveries is reported to the consumer.
    ReportsExhausted,
    /// A value can be handed over without encoding it.
    ValueHandover,
    /// Streams can be found, created and changed:
    /// [`Transport::stream_admin`](super::Transport::stream_admin).
    StreamAdmin,
    /// Consumers can be looked after:
    /// [`Transport::consumer_admin`](super::Transport::consumer_admin).
    ConsumerAdmin,
    /// A stream can keep a message only until it was acknowledged.
    RetentionByAck,
    /// A stream can be compressed where it is kept on disk.
    Compression,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Store,
        Self::Deduplication,
        Self::DeduplicationOff,
        Self::ExpectStream,
        Self::ExpectSubject,
        Self::ExpectPattern,
        Self::SeveralFilters,
        Self::Backoff,
        Self::History,
        Self::ReportsGaps,
        Self::ReportsExhausted,
        Self::ValueHandover,
        Self::StreamAdmin,
        Self::ConsumerAdmin,
        Self::RetentionByAck,
        Self::Compression,
    ];

    /// Whether it is a trait of its own, which a transport returns or does not.
    #[must_use]
    pub const fn is_ability(self) -> bool {
        matches!(
            self,
            Self::History | Self::StreamAdmin | Self::ConsumerAdmin
        )
    }

    const fn bit(self) -> u32 {
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
            Self::Backoff => "a list of waits between deliveries",
            Self::History => "reading history without a consumer",
            Self::ReportsGaps => "reporting gaps",
            Self::ReportsExhausted => "reporting messages that ran out of deliveries",
            Self::ValueHandover => "handing a value over without encoding it",
            Self::StreamAdmin => "finding, creating and changing streams",
            Self::ConsumerAdmin => "looking after consumers",
            Self::RetentionByAck => "keeping messages only until they are acknowledged",
            Self::Compression => "compressing a stream",
        })
    }
}

/// What a transport declares beside its abilities, and how much it takes.
///
/// An ability ([`Capability::is_ability`]) is declared by the method that returns it and is never
/// in here; [`TransportExt::supports`](super::TransportExt::supports) asks for either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    bits: u32,
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

    /// These and `capability`; an ability is left out.
    #[must_use]
    pub const fn with(mut self, capability: Capability) -> Self {
        if !capability.is_ability() {
            self.bits |= capability.bit();
        }
        self
    }

    /// These but `capability`.
    #[must_use]
    pub const fn without(mut self, capability: Capability) -> Self {
        self.bits &= !capability.bit();
        self
    }

    /// Whether `capability` is one of them.
    #[must_use]
    pub const fn has(&self, capability: Capability) -> bool {
        self.bits & capability.bit() != 0
    }

    /// The most bytes that headers, a message id among them, and body of one message
    /// may have together.
    #[must_use]
    pub const fn max_payload(&self) -> usize {
        self.max_payload
    }
}
