//! `History` for memory: reads stored messages in bounded steps, without a consumer.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use tokio::task::coop;

use super::check;
use super::connection::Connection;
use super::filters::Filters;
use super::log::{Log, Message};
use super::stream::MemoryStream;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Error, HistoryRequest, HistoryStart, Operation, Order, StoredMessage,
};

/// The messages that were asked for, read piece by piece.
#[derive(Debug)]
pub(super) struct MemoryHistory {
    stream: Arc<MemoryStream>,
    connection: Arc<Connection>,
    name: Text,
    filters: Filters,
    order: Order,
    /// What has still to be looked at: none beyond these two.
    first: u64,
    last: u64,
    /// How many messages may still be returned.
    left: usize,
    read: VecDeque<StoredMessage>,
}

/// How many messages are looked at under one lock, and how many taken.
const MAX_SCANNED: usize = 512;
const MAX_READ: usize = 64;

/// How often a poll goes on looking before it lets other tasks run.
const MAX_ROUNDS: usize = 8;

impl MemoryStream {
    /// Begins to read.
    pub(super) fn history(
        self: &Arc<Self>,
        through: &Arc<Connection>,
        request: &HistoryRequest,
    ) -> Result<MemoryHistory, Error> {
        let filters = check::filters(&request.filters, Operation::Read)
            .and_then(|filters| {
                check::all_within(&filters, &self.settings().config, Operation::Read)?;
                Ok(filters)
            })
            .map_err(|error| error.at_stream(self.name().clone()))?;
        let (first, last) = self.locked_fresh(through.phase(), Operation::Read, |state, _| {
            Ok(range(&state.log, request.from, request.order))
        })?;
        Ok(MemoryHistory {
            name: Text::copy_of(self.name()),
            stream: self.clone(),
            connection: through.clone(),
            filters,
            order: request.order,
            first,
            last,
            left: request.limit.unwrap_or(usize::MAX),
            read: VecDeque::new(),
        })
    }
}

/// The first and the last sequence to look at.
fn range(log: &Log, from: HistoryStart, order: Order) -> (u64, u64) {
    let (first, last) = (log.first_sequence(), log.last_sequence());
    match (order, from) {
        (_, HistoryStart::End) => (first, last),
        (Order::OldestFirst, HistoryStart::Sequence(start)) => (start.max(first), last),
        (Order::NewestFirst, HistoryStart::Sequence(start)) => (first, start.min(last)),
        (Order::OldestFirst, HistoryStart::Time(start)) => {
            let from = log
                .messages()
                .partition(|message| message.stored_at < start);
            (from.unwrap_or(last + 1), last)
        }
        (Order::NewestFirst, HistoryStart::Time(start)) => {
            let behind = log
                .messages()
                .partition(|message| message.stored_at <= start);
            (first, behind.map_or(last, |sequence| sequence - 1))
        }
    }
}

impl MemoryHistory {
    /// Reads the next piece. Whether there is more behind it.
    fn read_on(&mut self) -> Result<bool, Error> {
        let now = self.stream.age_now();
        let (stream, through) = (self.stream.clone(), self.connection.clone());
        stream.locked(through.phase(), Operation::Read, |state, after| {
            if !stream.drop_old(state, now, after) {
                return Ok(true);
            }
            Ok(match self.order {
                Order::OldestFirst => {
                    let messages = state.log.messages().from(self.first);
                    self.scan(&state.log, messages)
                }
                Order::NewestFirst => {
                    let messages = state.log.messages().up_to(self.last).rev();
                    self.scan(&state.log, messages)
                }
            })
        })
    }

    fn scan<'a>(&mut self, log: &Log, messages: impl Iterator<Item = (u64, &'a Message)>) -> bool {
        for (scanned, (sequence, message)) in messages.enumerate() {
            if sequence < self.first || sequence > self.last {
                return false;
            }
            if scanned == MAX_SCANNED || self.read.len() == MAX_READ {
                return true;
            }
            match self.order {
                Order::OldestFirst => self.first = sequence + 1,
                Order::NewestFirst => self.last = sequence - 1,
            }
            let Some(subject) = log.subject_of(message) else {
                continue;
            };
            if !self.filters.matches(subject) {
                continue;
            }
            self.read.push_back(StoredMessage {
                subject: subject.clone(),
                headers: message.headers.clone(),
                body: message.body.clone(),
                stream: self.name.clone(),
                sequence,
                stored_at: message.stored_at,
            });
            self.left -= 1;
            if self.left == 0 {
                return false;
            }
        }
        false
    }

    /// There is nothing more to be read.
    fn finish(&mut self) {
        self.left = 0;
    }
}

impl Stream for MemoryHistory {
    type Item = Result<StoredMessage, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let budget = ready!(coop::poll_proceed(cx));
        for _ in 0..MAX_ROUNDS {
            if let Some(message) = this.read.pop_front() {
                budget.made_progress();
                return Poll::Ready(Some(Ok(message)));
            }
            if this.left == 0 {
                return Poll::Ready(None);
            }
            match this.read_on() {
                Ok(true) => {}
                Ok(false) => this.finish(),
                Err(error) => {
                    this.finish();
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
