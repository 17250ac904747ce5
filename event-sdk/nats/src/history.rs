//! `History` for NATS: reads stored messages in pages, merged over several filters, without a
//! consumer.
//!
//! Messages are read by sequence, a page at a time. If the stream has `allow_direct`, any server
//! with a copy answers, and from 2.11 on one request returns many messages. Otherwise the leader
//! returns them one by one. A copy may be behind its leader, so when a copy has no more messages,
//! the leader is asked whether it has more. Several filters are read concurrently and merged. The
//! order "newest first" is read in windows: each is read forwards and returned backwards.

mod batch;
mod cursor;
mod direct;
mod exchange;
mod filters;
mod last;
mod source;
mod time;

pub(super) use self::last::last_message;

use std::ops::ControlFlow;
use std::sync::Arc;

use futures_util::stream;

use self::cursor::Cursor;
use self::source::Source;
use super::context::NatsContext;
use super::error::ErrorContext;
use super::streams::{self, Found};
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Completion, Error, HistoryRequest, HistoryStart, HistoryStream, Operation, Order, StoredMessage,
};

/// Reads what a stream has stored.
pub(super) fn history(
    context: Arc<NatsContext>,
    request: HistoryRequest,
) -> Completion<Result<HistoryStream, Error>> {
    let owner = Arc::clone(&context);
    owner.clone().later(Operation::Read, async move {
        let reader = Reader::open(context, request).await?;
        let next = |mut reader: Reader| async move {
            let message = reader.next().await?;
            Ok(message.map(|message| (message, reader)))
        };
        let stream = Box::pin(stream::try_unfold(reader, next));
        Ok(owner.read_in_runtime(stream))
    })
}

/// Reads the messages that match `filter`, in order of sequence, until the leader has no more:
/// also those that are stored meanwhile. The stream need not allow direct gets.
pub(super) async fn read_to_end(
    context: &Arc<NatsContext>,
    about: &ErrorContext,
    stream: &Text,
    filter: &str,
    mut each: impl FnMut(Found),
) -> Result<(), Error> {
    // No stream gets that far.
    let last = u64::MAX - 1;
    let context = Arc::clone(context);
    let source = Source::new(context, about.clone(), stream.clone(), true, last);
    let mut cursor = Cursor::new(Arc::new(source), filter, Order::OldestFirst, 1, last);
    loop {
        cursor.fill(usize::MAX).await?;
        let Some(found) = cursor.take() else {
            return Ok(());
        };
        each(found);
    }
}

/// Reads the messages that match `filter`, the newest first, until `each` breaks. The stream need not
/// allow direct gets.
pub(super) async fn read_newest(
    context: &Arc<NatsContext>,
    about: &ErrorContext,
    stream: &Text,
    filter: &str,
    mut each: impl FnMut(Found) -> ControlFlow<()>,
) -> Result<(), Error> {
    // No stream gets that far.
    let last = u64::MAX - 1;
    let context = Arc::clone(context);
    let source = Source::new(context, about.clone(), stream.clone(), true, last);
    let mut cursor = Cursor::new(Arc::new(source), filter, Order::NewestFirst, 1, last);
    loop {
        cursor.fill(usize::MAX).await?;
        let Some(found) = cursor.take() else {
            return Ok(());
        };
        if each(found).is_break() {
            return Ok(());
        }
    }
}

/// Reads the messages that were asked for, in order.
struct Reader {
    source: Arc<Source>,
    order: Order,
    /// How many messages may still be returned.
    left: usize,
    /// One for each filter.
    cursors: Vec<Cursor>,
}

impl Reader {
    async fn open(context: Arc<NatsContext>, request: HistoryRequest) -> Result<Self, Error> {
        let about = ErrorContext::new(Operation::Read).stream(request.stream.clone());
        context
            .check_open(about.operation)
            .map_err(|error| about.on(error))?;
        let info = streams::info(&context, &about, &request.stream).await?;
        let first = info.state.first_seq.max(1);
        // No stream gets that far; what follows the last sequence has to be a number.
        let last = info.state.last_seq.min(u64::MAX - 1);
        let (mut first, mut last) = (first, last);
        let stream = Text::copy_of(&request.stream);
        let config = info.read(&about)?;
        let source = Arc::new(Source::new(
            context,
            about.clone(),
            stream,
            info.allows_direct(),
            last,
        ));
        filters::check(&about, &request.filters, &config, &source).await?;
        match (request.order, request.from) {
            (_, HistoryStart::End) => {}
            (Order::OldestFirst, HistoryStart::Sequence(from)) => first = first.max(from),
            (Order::NewestFirst, HistoryStart::Sequence(from)) => last = last.min(from),
            (Order::OldestFirst, HistoryStart::Time(time)) => {
                first = time::first(&source, first, |stored| stored >= time).await?;
            }
            (Order::NewestFirst, HistoryStart::Time(time)) => {
                last = time::first(&source, first, |stored| stored > time).await? - 1;
            }
        }
        let filters = request.filters.iter();
        let cursor = |filter: &Pattern| {
            let source = Arc::clone(&source);
            Cursor::new(source, filter.as_str(), request.order, first, last)
        };
        Ok(Self {
            cursors: filters.map(cursor).collect(),
            source,
            order: request.order,
            left: request.limit.unwrap_or(usize::MAX),
        })
    }

    async fn next(&mut self) -> Result<Option<StoredMessage>, Error> {
        if self.left == 0 {
            return Ok(None);
        }
        loop {
            for cursor in &mut self.cursors {
                cursor.fill(self.left).await?;
            }
            let with_next = self
                .cursors
                .iter_mut()
                .filter(|cursor| cursor.next().is_some());
            let cursor = match self.order {
                Order::OldestFirst => with_next.min_by_key(|cursor| cursor.next()),
                Order::NewestFirst => with_next.max_by_key(|cursor| cursor.next()),
            };
            let Some(found) = cursor.and_then(Cursor::take) else {
                return Ok(None);
            };
            let sequence = found.sequence;
            match self.source.stored(found) {
                Ok(message) => {
                    self.left -= 1;
                    return Ok(Some(message));
                }
                // Another client has stored it; the messages behind it can be read.
                Err(error) => tracing::warn!(
                    target: crate::TRACING_TARGET,
                    stream = self.source.stream(),
                    sequence,
                    error,
                    "a message that cannot be read is left out"
                ),
            }
        }
    }
}
