//! `RollUp`: which earlier messages a new one replaces (the header `Nats-Rollup`).

/// Which earlier messages of its stream a message replaces: they are deleted when it is stored.
///
/// A stream has to allow it
/// ([`allow_rollup`](crate::stream::StreamConfig::allow_rollup)); otherwise the publish fails with
/// [`DeletionDenied`](super::ErrorKind::DeletionDenied), and nothing is stored or deleted.
///
/// - A duplicate and a message that was refused delete nothing.
/// - Room is made before: a full stream that refuses new messages refuses this one too.
/// - A message that a stream with retention by interest does not keep, since no consumer wants it,
///   deletes the earlier ones all the same; on NATS servers before 2.12.8 it deletes nothing.
/// - For a consumer that has not received them, the deleted messages are a
///   [gap](super::NoticeKind::Gap), as after a purge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RollUp {
    /// All earlier messages of the same subject.
    Subject,
    /// All earlier messages of the stream, and the [schedules](super::Scheduler) that wait in it.
    Stream,
}

impl RollUp {
    /// The header by which a publisher asks a NATS server for it.
    pub const HEADER: &'static str = "Nats-Rollup";

    /// The value of the [header](Self::HEADER).
    #[must_use]
    pub const fn header_value(self) -> &'static str {
        match self {
            Self::Subject => "sub",
            Self::Stream => "all",
        }
    }
}
