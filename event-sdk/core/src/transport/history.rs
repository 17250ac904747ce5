//! `History`: optional ability to read stored messages, its request, start (`HistoryStart`) and
//! order.

use std::pin::Pin;

use futures_core::Stream;
use jiff::Timestamp;

use super::{Body, Capability, Completion, Error};
use crate::headers::Headers;
use crate::subject::{Pattern, Subject};
use crate::text::Text;

/// The ability to read stored messages without a consumer.
pub trait History: Send + Sync {
    /// Reads the messages that are stored at the time of the call, in order. Messages that the
    /// stream drops before they are read are left out.
    ///
    /// Cancel-safe: reading changes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](super::ErrorKind::StreamNotFound),
    /// [`InvalidOption`](super::ErrorKind::InvalidOption) if there is no filter or two filters
    /// overlap, [`InvalidSubject`](super::ErrorKind::InvalidSubject) if a filter matches nothing in
    /// the stream, [`PermissionDenied`](super::ErrorKind::PermissionDenied),
    /// [`Closed`](super::ErrorKind::Closed), errors of the connection. The returned stream yields
    /// errors of the connection and `Closed`, and ends after the first error.
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>>;
}

/// A request for stored messages of a stream.
///
/// Fields may be added: start with [`new`](Self::new), and set the fields that should differ.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistoryRequest {
    /// The stream.
    pub stream: Text,
    /// Patterns of whole subjects. At least one; the patterns must not overlap.
    pub filters: Vec<Pattern>,
    /// Where to start.
    pub from: HistoryStart,
    /// The direction.
    pub order: Order,
    /// Maximum number of messages; `None`: all.
    pub limit: Option<usize>,
}

impl HistoryRequest {
    /// All messages of a stream that the filters match, oldest first.
    #[must_use]
    pub fn new(stream: impl Into<Text>, filters: Vec<Pattern>) -> Self {
        Self {
            stream: stream.into(),
            filters,
            from: HistoryStart::End,
            order: Order::OldestFirst,
            limit: None,
        }
    }

    /// The capabilities that the request needs. A transport that lacks one of them returns
    /// [`ErrorKind::Unsupported`](super::ErrorKind::Unsupported). Every transport with [`History`]
    /// reads from every start, in both directions and up to a limit.
    pub fn needs(&self) -> impl Iterator<Item = Capability> + use<> {
        std::iter::once(Capability::History)
    }
}

/// Where in a stream to start reading; inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryStart {
    /// At the first message in reading order: the oldest or the newest.
    End,
    /// At this sequence, or at the next one in reading order.
    Sequence(u64),
    /// At this stored time, or at the next message in reading order.
    Time(Timestamp),
}

/// The reading order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Ascending sequences.
    OldestFirst,
    /// Descending sequences.
    NewestFirst,
}

/// The requested messages, in order.
pub type HistoryStream = Pin<Box<dyn Stream<Item = Result<StoredMessage, Error>> + Send>>;

/// A stored message.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// The subject.
    pub subject: Subject,
    /// The headers.
    pub headers: Headers,
    /// The event.
    pub body: Body,
    /// The stream.
    pub stream: Text,
    /// The sequence in the stream.
    pub sequence: u64,
    /// The stored time.
    pub stored_at: Timestamp,
}
