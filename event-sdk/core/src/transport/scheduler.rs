//! `Scheduler`: optional ability to store a message at a later time, under a key by which it can be
//! cancelled until then.

mod request;

pub use request::{CancelRequest, ScheduleRequest};

use jiff::Timestamp;

use super::{Body, Completion, Error};
use crate::headers::Headers;
use crate::subject::Subject;
use crate::text::Text;

/// Keeps messages in a stream until their time, and then stores them under their subjects.
///
/// **Streams.** The stream of the subject has to allow schedules
/// ([`StreamSpec::schedules`](crate::stream::StreamSpec::schedules)); otherwise the error is
/// [`ErrorKind::InvalidOption`](super::ErrorKind::InvalidOption).
///
/// **Keys** have the form of subjects: tokens that are joined by dots, with at most 640 bytes
/// together ([`check_key`](crate::subject::check_key)). A stream has at most one schedule of each
/// key: scheduling replaces the earlier one. Keys are shown in errors and logs, so they must hold no
/// personal data.
///
/// **Firing**
/// - The message is stored at its time or soon after, never before it: at most a second later if
///   the stream is available then. A time in the past means now.
/// - Two messages whose times are at least a second apart are stored in the order of these times.
/// - A message is stored once for each call of [`schedule`](Self::schedule) that succeeds, unless
///   the schedule is replaced or cancelled in time, or a limit of the stream drops it. If a call
///   fails with an [unknown outcome](Error::outcome), its message may be stored too, and the
///   earlier schedule of its key may be cancelled.
/// - The stored message has subject, headers and body of the request, and no message id. Its stored
///   time is the time at which it fired. Consumers, limits and history treat it like any other
///   message.
/// - Schedules last as long as their stream. Schedules that come due while the transport or its
///   server is unavailable are fired when it is back.
///
/// **Waiting** schedules are not messages: consumers with a filter within the subjects of the stream
/// do not receive them, and history does not return them. Each transport documents how limits of the
/// stream apply to them.
///
/// **Clock.** Times are measured by the clock of the transport: on NATS, by the clock of the
/// server.
///
/// **Draining.** During a [drain](super::Transport::drain), every operation is allowed as long as
/// publishing is allowed.
pub trait Scheduler: Send + Sync {
    /// Schedules a message, or replaces the schedule of its key.
    ///
    /// If the earlier schedule fires before it can be replaced, both messages are stored, and
    /// [`Scheduled::replaced`] is `false`.
    ///
    /// Not cancel-safe: after dropping the future, the message may be scheduled.
    ///
    /// # Errors
    ///
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) if the stream does not allow schedules,
    /// the time is later than [`ScheduleRequest::LATEST`], or the stream would drop the schedule
    /// before its time; [`InvalidSubject`](super::ErrorKind::InvalidSubject) for a malformed key, or
    /// if the stream does not store the subject;
    /// [`InvalidHeader`](super::ErrorKind::InvalidHeader), [`TooLarge`](super::ErrorKind::TooLarge),
    /// [`StreamFull`](super::ErrorKind::StreamFull),
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`Unsupported`](super::ErrorKind::Unsupported) for a value on a transport without hand-over,
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. After a
    /// [`Timeout`](super::ErrorKind::Timeout), [`Error::outcome`] says whether the message may be
    /// scheduled; scheduling it again replaces it, unless it has fired.
    fn schedule(&self, request: ScheduleRequest) -> Completion<Result<Scheduled, Error>>;

    /// Cancels the schedule of a key, and returns whether this was in time.
    ///
    /// Not cancel-safe: after dropping the future, the schedule may be cancelled.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](super::ErrorKind::InvalidSubject) for a malformed key,
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`DeletionDenied`](super::ErrorKind::DeletionDenied),
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. After a
    /// [`Timeout`](super::ErrorKind::Timeout), [`Error::outcome`] says whether the schedule may be
    /// cancelled; cancelling again is safe, but may then return
    /// [`Unknown`](Cancellation::Unknown).
    fn cancel(&self, request: CancelRequest) -> Completion<Result<Cancellation, Error>>;

    /// Returns the waiting schedules of a stream whose keys begin with `prefix` and a dot, or all if
    /// `prefix` is empty, in the order of their keys.
    ///
    /// A schedule that is put, replaced, cancelled or fired during the call may be returned or not.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`InvalidSubject`](super::ErrorKind::InvalidSubject) for a malformed prefix,
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection.
    fn list(&self, stream: &str, prefix: &str) -> Completion<Result<Vec<ScheduledMessage>, Error>>;
}

/// The result of [`Scheduler::schedule`].
///
/// Fields may be added: a transport starts with [`new`](Self::new).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Scheduled {
    /// Whether the message replaced a schedule that was still waiting.
    pub replaced: bool,
}

impl Scheduled {
    /// The result of a message that was scheduled.
    #[must_use]
    pub const fn new(replaced: bool) -> Self {
        Self { replaced }
    }
}

/// What became of a schedule that was to be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cancellation {
    /// The schedule was cancelled: its message is not stored.
    InTime,
    /// The message was stored before, or is being stored.
    TooLate,
    /// The key has no schedule, and no message that it fired is known: it was never scheduled, was
    /// cancelled before, or fired long ago. Each transport documents how far it looks back.
    Unknown,
}

/// A message that waits for its time.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ScheduledMessage {
    /// The key.
    pub key: Text,
    /// The subject under which it will be stored.
    pub subject: Subject,
    /// When it will be stored.
    pub at: Timestamp,
    /// The headers.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    /// The stream.
    pub stream: Text,
    /// When it was scheduled.
    pub scheduled_at: Timestamp,
}

impl ScheduledMessage {
    /// A message without headers.
    #[must_use]
    pub fn new(
        stream: impl Into<Text>,
        key: impl Into<Text>,
        subject: Subject,
        at: Timestamp,
        body: Body,
        scheduled_at: Timestamp,
    ) -> Self {
        Self {
            key: key.into(),
            subject,
            at,
            headers: Headers::new(),
            body,
            stream: stream.into(),
            scheduled_at,
        }
    }
}
