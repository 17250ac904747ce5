//! `StreamReader`: reads which message a stream has at a sequence, and searches a stream backwards
//! for message ids.

use std::collections::{HashMap, HashSet};

use event_sdk::EventBus;
use event_sdk::text::Text;
use event_sdk::transport::{
    Capability, Error, ErrorKind, FoundMessage, StreamState, TransportExt as _, WhichMessage,
};
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;

/// Requests that are on their way at the same time.
const CONCURRENT: usize = 32;

/// Reads messages of streams by sequence, with the transport of a bus.
///
/// The transport needs [`Capability::StreamAdmin`] and [`Capability::MessageAdmin`]. On NATS, the
/// user needs the permission to publish to `$JS.API.STREAM.INFO.<stream>` and
/// `$JS.API.STREAM.MSG.GET.<stream>`. A reader changes nothing.
#[derive(Debug, Clone)]
pub struct StreamReader {
    bus: EventBus,
}

/// The id and the time of the message at a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MessageAt {
    /// The sequence.
    pub sequence: u64,
    /// The message id; `None` if the message has none, or if it cannot be read.
    pub message_id: Option<Text>,
    /// When the stream stored the message.
    pub stored_at: Timestamp,
}

/// Which part of a stream to [search](StreamReader::search), backwards from the highest sequence.
///
/// Later versions may add fields: start with [`from`](Self::from), and set the fields that should
/// differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SearchRange {
    /// The highest sequence.
    pub from: u64,
    /// The lowest sequence. Default: 1.
    pub down_to: u64,
    /// The search ends at the first message that was stored before this time. Default: none.
    pub stored_since: Option<Timestamp>,
    /// The largest number of sequences that are looked at. Default: 100,000.
    pub limit: u64,
}

/// The result of a [search](StreamReader::search).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SearchResult {
    /// The ids that were found, with their sequences.
    pub found: HashMap<Text, u64>,
    /// Whether the search ended at its [limit](SearchRange::limit), before it had found all ids or
    /// searched the whole range. If so, an id that was not found may still be in the range.
    pub limited: bool,
}

impl SearchRange {
    /// The default number of sequences that are looked at. Reading that many takes a few seconds.
    pub const LIMIT: u64 = 100_000;

    /// The range from this sequence back to the first one.
    #[must_use]
    pub const fn from(from: u64) -> Self {
        Self {
            from,
            down_to: 1,
            stored_since: None,
            limit: Self::LIMIT,
        }
    }
}

impl StreamReader {
    /// A reader that uses the transport of `bus`.
    #[must_use]
    pub fn new(bus: &EventBus) -> Self {
        Self { bus: bus.clone() }
    }

    /// Whether the transport can read streams by sequence. A server may still deny such a read.
    #[must_use]
    pub fn is_supported(&self) -> bool {
        let transport = self.bus.transport();
        transport.supports(Capability::StreamAdmin) && transport.supports(Capability::MessageAdmin)
    }

    /// Returns the state of a stream; `None` if it does not exist.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](ErrorKind::PermissionDenied), [`Unsupported`](ErrorKind::Unsupported),
    /// [`Closed`](ErrorKind::Closed), errors of the connection.
    pub async fn state(&self, stream: &str) -> Result<Option<StreamState>, Error> {
        match self.bus.transport().stream_state(stream).await {
            Ok(state) => Ok(Some(state)),
            Err(error) if *error.kind() == ErrorKind::StreamNotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the message at a sequence; `None` if the stream does not have it, or no longer has
    /// it.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// [`StreamNotFound`](ErrorKind::StreamNotFound), and the errors of [`state`](Self::state).
    pub async fn at(&self, stream: &str, sequence: u64) -> Result<Option<MessageAt>, Error> {
        let which = WhichMessage::Sequence(sequence);
        let found = self.bus.transport().get_message(stream, which).await?;
        Ok(found.map(MessageAt::of))
    }

    /// Returns the messages at these sequences, in their order. Several are read at the same time.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The same as for [`at`](Self::at).
    pub async fn all_at(
        &self,
        stream: &str,
        sequences: impl IntoIterator<Item = u64>,
    ) -> Result<Vec<Option<MessageAt>>, Error> {
        let mut reads =
            stream::iter(sequences.into_iter().map(|at| self.at(stream, at))).buffered(CONCURRENT);
        let mut messages = Vec::new();
        while let Some(message) = reads.next().await {
            messages.push(message?);
        }
        Ok(messages)
    }

    /// Searches a range of a stream backwards for message ids, until all are found or the range
    /// ends.
    ///
    /// Cancel-safe: it changes nothing.
    ///
    /// # Errors
    ///
    /// The same as for [`at`](Self::at).
    pub async fn search(
        &self,
        stream: &str,
        ids: &HashSet<Text>,
        range: SearchRange,
    ) -> Result<SearchResult, Error> {
        let mut result = SearchResult::default();
        if ids.is_empty() {
            return Ok(result);
        }
        let sequences = (range.down_to.max(1)..=range.from).rev();
        let mut reads = stream::iter(sequences.map(|at| self.at(stream, at))).buffered(CONCURRENT);
        let mut looked_at = 0_u64;
        while let Some(message) = reads.next().await {
            looked_at += 1;
            if let Some(message) = message? {
                if range
                    .stored_since
                    .is_some_and(|since| message.stored_at < since)
                {
                    break;
                }
                if let Some(id) = message.message_id
                    && ids.contains(&id)
                {
                    // The newest copy counts.
                    result.found.entry(id).or_insert(message.sequence);
                    if result.found.len() == ids.len() {
                        break;
                    }
                }
            }
            if looked_at >= range.limit {
                result.limited = range.from.saturating_sub(looked_at) >= range.down_to.max(1);
                break;
            }
        }
        Ok(result)
    }
}

impl MessageAt {
    fn of(message: FoundMessage) -> Self {
        Self {
            sequence: message.sequence,
            message_id: message.message_id,
            stored_at: message.stored_at,
        }
    }
}
