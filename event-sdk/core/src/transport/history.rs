//! `History`: optional ability to read stored messages, its request, start (`HistoryStart`) and
//! order.

use std::pin::Pin;

use futures_core::Stream;
use jiff::Timestamp;

use super::{Body, Completion, Error};
use crate::headers::Headers;
use crate::subject::{Pattern, Subject};
use crate::text::Text;

/// Reads what streams have stored, without a consumer.
pub trait History: Send + Sync {
    /// The messages that are stored when this is called, in order. One that the stream drops in
    /// the meantime is left out.
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>>;
}

/// Which messages of a stream to read.
///
/// More fields may come; begin with [`new`](Self::new) and set what should not be as it is there.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistoryRequest {
    /// The stream.
    pub stream: Text,
    /// Whole subjects; no two overlap.
    pub filters: Vec<Pattern>,
    /// Where to begin.
    pub from: HistoryStart,
    /// In which direction.
    pub order: Order,
    /// How many at the most; `None`: all.
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
}

/// Where in a stream to begin. The message at that place is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryStart {
    /// At the end from which the order goes: the oldest, or the newest.
    End,
    /// At this sequence, or the next one in the order.
    Sequence(u64),
    /// At this time of storing, or the next message in the order.
    Time(Timestamp),
}

/// In which order to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As they were stored.
    OldestFirst,
    /// The other way round.
    NewestFirst,
}

/// The messages that were asked for, in order.
pub type HistoryStream = Pin<Box<dyn Stream<Item = Result<StoredMessage, Error>> + Send>>;

/// A message as a stream has it.
#[derive(Debug, Clone)]
pub struct StoredMessage {
    /// Where it was published.
    pub subject: Subject,
    /// What travelled beside the body.
    pub headers: Headers,
    /// The event.
    pub body: Body,
    /// The stream.
    pub stream: Text,
    /// Its sequence.
    pub sequence: u64,
    /// When it was stored.
    pub stored_at: Timestamp,
}
