//! `Prefetch`: how many messages a subscription takes ahead of its caller.

/// How many messages a subscription prefetches, that is, requests before its caller polls for them.
///
/// Prefetched messages are not available to other subscriptions of the consumer, and their ack
/// wait is running.
///
/// Every transport handles each variant, so another variant would be a breaking change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prefetch {
    /// The transport measures how fast deliveries are settled, and prefetches as many messages as
    /// are settled in about 0.25 s, from 1 to 1,000. It prefetches none if settling one takes more
    /// than a third of the ack wait. It prefetches none with
    /// [`max_deliver`](super::ConsumerConfig::max_deliver) either, because a delivery counts even
    /// if it is not returned to the caller.
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
