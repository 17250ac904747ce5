//! `Source`: fetches stored messages, by direct get from any replica or from the leader.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use futures_util::future::try_join_all;
use serde_json::json;

use super::batch;
use super::direct::{Answer, answer, check_from, unexpected};
use super::exchange::Exchange;
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::server::Version;
use crate::streams::{self, Found, Which};
use event_sdk_core::subject::Subject;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Body, Error, ErrorKind, StoredMessage};

/// A stream that is read, as it was when that began.
pub(super) struct Source {
    context: Arc<NatsContext>,
    about: ErrorContext,
    stream: Text,
    way: Way,
    last: u64,
}

/// How messages are read.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// Many in one request, from any copy.
    Batch,
    /// One by one, from any copy.
    Direct,
    /// One by one, from the leader.
    Leader,
}

/// Some messages that match, in the order of their sequences.
pub(super) struct Page {
    pub(super) messages: Vec<Found>,
    /// Whether nothing follows them.
    pub(super) end: bool,
}

/// How many messages are asked for at once: in one request, or in so many.
pub(super) const LARGEST_PAGE: usize = 256;
const MOST_REQUESTS: usize = 32;

impl Source {
    pub(super) fn new(
        context: Arc<NatsContext>,
        about: ErrorContext,
        stream: Text,
        allows_direct: bool,
        last: u64,
    ) -> Self {
        let way = if !allows_direct {
            Way::Leader
        } else if context.server().version >= Version::V2_11 {
            Way::Batch
        } else {
            Way::Direct
        };
        Self {
            context,
            about,
            stream,
            way,
            last,
        }
    }

    /// The name of the stream.
    pub(super) fn stream(&self) -> &str {
        &self.stream
    }

    /// The last sequence that the stream had when it began to be read.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// The messages that match `filter`, from this sequence on: up to `most`, or
    /// fewer. What lies behind the last sequence is left out.
    ///
    /// `dense` is how many of the messages before followed each other without
    /// others between.
    pub(super) async fn page(
        &self,
        filter: &str,
        from: u64,
        most: usize,
        dense: usize,
    ) -> Result<Page, Error> {
        if from > self.last {
            return Ok(Page {
                messages: Vec::new(),
                end: true,
            });
        }
        let (mut messages, exhausted) = match self.way {
            Way::Batch => {
                batch::read(&self.context, &self.about, &self.stream, filter, from, most).await?
            }
            Way::Direct | Way::Leader => {
                let most = most.min(MOST_REQUESTS).min(dense.max(1));
                let most = u64::try_from(most).unwrap_or(1);
                self.one_by_one(filter, from..from.saturating_add(most))
                    .await?
            }
        };
        let exhausted = exhausted || messages.is_empty();
        let newest = messages.last().map(|message| message.sequence);
        let behind = newest.is_some_and(|newest| newest >= self.last);
        messages.retain(|message| message.sequence <= self.last);
        if behind {
            return Ok(Page {
                messages,
                end: true,
            });
        }
        let mut end = exhausted && matches!(self.way, Way::Leader);
        if exhausted && !end {
            // The copy may not have what the leader has.
            let next = newest.map_or(from, |newest| newest + 1);
            let missed = self.leaders(filter, next).await?;
            let missed = missed.filter(|found| found.sequence <= self.last);
            end = missed.is_none();
            messages.extend(missed);
        }
        Ok(Page { messages, end })
    }

    /// Asks for the message at each of these sequences, or the next one after
    /// it: those that follow each other come at once, and others more than once.
    /// Whether nothing follows.
    async fn one_by_one(
        &self,
        filter: &str,
        sequences: Range<u64>,
    ) -> Result<(Vec<Found>, bool), Error> {
        let found = if matches!(self.way, Way::Direct) {
            self.directly(filter, sequences).await?
        } else {
            try_join_all(sequences.map(|from| self.leaders(filter, from))).await?
        };
        let exhausted = found.iter().any(Option::is_none);
        let mut messages: Vec<Found> = found.into_iter().flatten().collect();
        messages.dedup_by_key(|message| message.sequence);
        Ok((messages, exhausted))
    }

    /// The messages that a copy has at these sequences, or behind them, in their order.
    async fn directly(
        &self,
        filter: &str,
        sequences: Range<u64>,
    ) -> Result<Vec<Option<Found>>, Error> {
        let mut exchange = Exchange::open(&self.context, &self.about, &self.stream).await?;
        for from in sequences.clone() {
            exchange.ask(from, &json!({ "seq": from, "next_by_subj": filter }));
        }
        let mut found = BTreeMap::new();
        for _ in sequences {
            let (from, message) = exchange.answer().await?;
            if found.contains_key(&from) {
                let reason = format!("the server answered twice when asked for message {from}");
                return Err(self.about.error(ErrorKind::Other, reason));
            }
            let message = match answer(&self.about, &message)? {
                Answer::Message(found) => {
                    check_from(&self.about, from, &found)?;
                    Some(found)
                }
                Answer::Status(404) => None,
                // No copy answers at this moment.
                Answer::Status(503) => self.leaders(filter, from).await?,
                Answer::Status(status) => return Err(unexpected(&self.about, status)),
            };
            found.insert(from, message);
        }
        Ok(found.into_values().collect())
    }

    /// The message that matches `filter` with this sequence, or the next one
    /// after it, as the leader has it.
    pub(super) async fn leaders(&self, filter: &str, from: u64) -> Result<Option<Found>, Error> {
        let which = Which::Next(filter, from);
        let found = streams::message(&self.context, &self.about, &self.stream, &which).await?;
        if let Some(found) = &found {
            check_from(&self.about, from, found)?;
        }
        Ok(found)
    }

    /// The last message that matches `filter`, as the leader has it.
    pub(super) async fn last_of(&self, filter: &str) -> Result<Option<Found>, Error> {
        streams::message(
            &self.context,
            &self.about,
            &self.stream,
            &Which::LastOf(filter),
        )
        .await
    }

    /// The message as it is handed out.
    pub(super) fn stored(&self, found: Found) -> Result<StoredMessage, String> {
        // First, since a subject that is not UTF-8 makes the headers of an answer unreadable.
        let subject = Subject::parse(found.subject).map_err(|why| format!("its subject: {why}"))?;
        let headers = found.headers.map_err(|why| format!("its headers: {why}"))?;
        Ok(StoredMessage {
            subject,
            headers,
            body: Body::Encoded(found.body),
            stream: self.stream.clone(),
            sequence: found.sequence,
            stored_at: found.stored_at,
        })
    }
}
