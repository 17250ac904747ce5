//! `Prefetch`: how many messages a subscription takes ahead of its caller.

/// How many messages a subscription takes ahead, that is, requests before its caller asks for them.
///
/// Prefetched messages are not available to other subscriptions of the consumer, and their ack
/// wait is running.
///
/// A transport acts on each of them, so this enum stays as it is: another one would be a breaking
/// change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefetch {
    /// The transport measures how fast deliveries are settled, and prefetches what takes about a
    /// quarter of a second: between 1 and 1,000 messages, or none if a third of the ack wait is
    /// too short for one. With [`max_deliver`](super::ConsumerConfig::max_deliver) it prefetches
    /// none, because a delivery that is not handed out counts too.
    #[default]
    Adaptive,
    /// This number, at least one.
    Fixed(usize),
}

impl Prefetch {
    /// The fixed number, or `adaptive` if there is none.
    #[must_use]
    pub fn fixed_or(self, adaptive: usize) -> usize {
        match self {
            Self::Adaptive => adaptive,
            Self::Fixed(messages) => messages,
        }
    }
}

impl From<usize> for Prefetch {
    fn from(messages: usize) -> Self {
        Self::Fixed(messages)
    }
}
