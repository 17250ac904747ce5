//! `Incoming`: a delivery or a notice; and counts of notices by kind.

use event_sdk_core::transport::{Notice, NoticeKind};

use super::Delivery;

/// The result of [`Subscriber::next_incoming`](super::Subscriber::next_incoming).
#[derive(Debug)]
#[must_use = "a delivery that is not settled is delivered again after the ack wait"]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every item is a delivery, and a box would be an allocation for each"
)]
pub enum Incoming<S> {
    /// A delivery.
    Delivery(Delivery<S>),
    /// A notice, already logged and counted. The subscription continues, except after
    /// [`NoticeKind::WentBack`].
    Notice(Notice),
}

/// Counts of a subscriber's notices by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct NoticeCounts {
    /// Gaps ([`NoticeKind::Gap`]): a stream dropped events before they were delivered to the
    /// consumer. Counts notices, each of which may be about many events.
    pub gaps: u64,
    /// Exhausted events ([`NoticeKind::Exhausted`]).
    pub exhausted: u64,
    /// Drops without a stream ([`NoticeKind::Dropped`]). Counts notices, each of which may be
    /// about many events.
    pub dropped: u64,
    /// Reconnects ([`NoticeKind::Reconnected`]).
    pub reconnected: u64,
    /// Consumers that were created again ([`NoticeKind::Recreated`]).
    pub recreated: u64,
    /// Requests for messages that the server did not answer ([`NoticeKind::Stalled`]).
    pub stalled: u64,
    /// Unreadable messages ([`NoticeKind::Unreadable`]).
    pub unreadable: u64,
    /// Failed acknowledgements of excluded events ([`NoticeKind::AckFailed`]).
    pub acks_failed: u64,
    /// Unknown events that were terminated ([`NoticeKind::Terminated`]), counted when
    /// [`refuse`](super::Delivery::refuse) terminates them.
    pub terminated: u64,
    /// Streams that went back to an older state ([`NoticeKind::WentBack`]).
    pub went_back: u64,
    /// Notices of kinds that this version of the SDK does not know.
    pub other: u64,
}

impl NoticeCounts {
    /// The sum of all kinds.
    #[must_use]
    pub fn total(&self) -> u64 {
        let Self {
            gaps,
            exhausted,
            dropped,
            reconnected,
            recreated,
            stalled,
            unreadable,
            acks_failed,
            terminated,
            went_back,
            other,
        } = *self;
        [
            gaps,
            exhausted,
            dropped,
            reconnected,
            recreated,
            stalled,
            unreadable,
            acks_failed,
            terminated,
            went_back,
            other,
        ]
        .iter()
        .sum()
    }

    /// Counts a notice of this kind.
    pub(super) fn add(&mut self, kind: &NoticeKind) {
        let count = match kind {
            NoticeKind::Gap(_) => &mut self.gaps,
            NoticeKind::Exhausted(_) => &mut self.exhausted,
            NoticeKind::Dropped { .. } => &mut self.dropped,
            NoticeKind::Reconnected => &mut self.reconnected,
            NoticeKind::Recreated => &mut self.recreated,
            NoticeKind::Stalled(_) => &mut self.stalled,
            NoticeKind::Unreadable { .. } => &mut self.unreadable,
            NoticeKind::AckFailed(_) => &mut self.acks_failed,
            NoticeKind::Terminated(_) => &mut self.terminated,
            NoticeKind::WentBack(_) => &mut self.went_back,
            _ => &mut self.other,
        };
        *count = count.saturating_add(1);
    }
}
