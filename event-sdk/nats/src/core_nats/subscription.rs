//! Subscription without a stream: its messages, and its gaps when messages were dropped.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use futures_util::FutureExt;
use futures_util::stream::SelectAll;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::coop;

use super::waiting::{BYTES, Item, Waiting};
use crate::connection::{ConnectionMonitor, Denial, Phase, TOO_MANY_SUBSCRIPTIONS};
use crate::context::NatsContext;
use crate::error::ErrorContext;
use crate::headers::{self, HeaderBlock};
use crate::receiver::{LinkWatch, WireMessage};
use event_sdk_core::headers::Headers;
use event_sdk_core::subject::{Pattern, Subject};
use event_sdk_core::text::Text;
use event_sdk_core::transport::{
    Body, DeliveryInfo, Error, ErrorKind, Incoming, Notice, NoticeKind, Operation, Received,
};

/// The messages of some patterns, until the connection ends.
pub(crate) struct CoreSubscription {
    waiting: Arc<Waiting>,
    /// Completes when the subscription ends, with the reason; `None` after a drain or close.
    end: Pin<Box<dyn Future<Output = Option<Error>> + Send>>,
    /// Ready after a reconnect.
    reconnected: Pin<Box<dyn Future<Output = LinkWatch> + Send>>,
    monitor: Arc<ConnectionMonitor>,
    ended: bool,
}

impl CoreSubscription {
    /// Subscribes, and waits until the server has the subscription.
    pub(crate) async fn open(
        context: &NatsContext,
        about: &ErrorContext,
        filters: &[Pattern],
        queue: Option<&str>,
        prefetch: usize,
    ) -> Result<Self, Error> {
        let receiver = context.receiver();
        receiver.open(about).await?;
        // Before subscribing, so that none is missed.
        let (denials, mut phase) = (context.denials(), context.phase());
        let monitor = Arc::clone(context.monitor());
        let mut sids = Vec::new();
        let mut messages = SelectAll::new();
        for filter in filters {
            let (subject, queue) = (filter.as_str().to_owned(), queue.map(str::to_owned));
            let arrivals = receiver.subscribe(subject, queue, BYTES);
            sids.push(arrivals.sid());
            messages.push(arrivals);
        }
        let denied = denied(denials, filters.to_vec(), sids);
        let end = Box::pin(async move {
            tokio::select! {
                error = denied => Some(error),
                // A closed channel means the same.
                _ = phase.wait_for(|phase| *phase != Phase::Open) => monitor.failure(),
            }
        });
        let waiting = Arc::new(Waiting::new(messages, prefetch));
        context.spawn(waiting.filling());
        // From here on, dropping it ends the spawned task.
        let mut subscription = Self {
            waiting,
            end,
            reconnected: Box::pin(receiver.link().reconnected()),
            monitor: Arc::clone(context.monitor()),
            ended: false,
        };
        receiver.flush(about).await?;
        if let Some(end) = subscription.end.as_mut().now_or_never() {
            return Err(end.unwrap_or_else(|| context.refusal(about.operation)));
        }
        Ok(subscription)
    }
}

impl Drop for CoreSubscription {
    fn drop(&mut self) {
        self.waiting.leave();
    }
}

/// Waits until the server denies one of these filters, or takes no more subscriptions.
async fn denied(
    mut denials: broadcast::Receiver<Denial>,
    filters: Vec<Pattern>,
    sids: Vec<u64>,
) -> Error {
    loop {
        let subject = match denials.recv().await {
            Ok(Denial::Subscribe(subject)) => subject,
            Ok(Denial::Excess { sid, subject }) if sids.contains(&sid) => {
                let (kind, operation) = (ErrorKind::PermissionDenied, Operation::Subscribe);
                return Error::new(kind, operation, TOO_MANY_SUBSCRIPTIONS).at_subject(subject);
            }
            Ok(Denial::Publish(_) | Denial::Excess { .. }) | Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => std::future::pending().await,
        };
        if filters.iter().any(|filter| filter.as_str() == subject) {
            return Error::new(
                ErrorKind::PermissionDenied,
                Operation::Subscribe,
                "this user may not subscribe to it; grant the permission on the server",
            )
            .at_subject(subject);
        }
    }
}

/// One item of a [`CoreSubscription`], before it is read.
pub(crate) enum CoreItem {
    Message(WireMessage),
    Notice(Notice),
}

impl CoreSubscription {
    /// The next item; `None` at the end.
    pub(crate) fn poll_item(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<CoreItem, Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        // The queue is not a channel of tokio, so it does not consume the budget itself.
        let budget = ready!(coop::poll_proceed(cx));
        let end = match self.end.poll_unpin(cx) {
            Poll::Ready(end) => end,
            Poll::Pending => {
                if let Poll::Ready(watch) = self.reconnected.poll_unpin(cx) {
                    budget.made_progress();
                    self.reconnected = Box::pin(watch.reconnected());
                    let notice = Notice::new(NoticeKind::Reconnected);
                    return Poll::Ready(Some(Ok(CoreItem::Notice(notice))));
                }
                match ready!(self.waiting.poll(cx)) {
                    Some(Item::Message(message)) => {
                        budget.made_progress();
                        return Poll::Ready(Some(Ok(CoreItem::Message(message))));
                    }
                    Some(Item::Dropped(messages)) => {
                        budget.made_progress();
                        let notice = Notice::new(NoticeKind::Dropped { messages });
                        return Poll::Ready(Some(Ok(CoreItem::Notice(notice))));
                    }
                    None => self.monitor.failure(),
                }
            }
        };
        self.ended = true;
        self.waiting.leave();
        Poll::Ready(end.map(Err))
    }
}

impl Stream for CoreSubscription {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let message = match ready!(self.poll_item(cx)) {
                Some(Ok(CoreItem::Message(message))) => message,
                Some(Ok(CoreItem::Notice(notice))) => {
                    return Poll::Ready(Some(Ok(Incoming::Notice(notice))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            // One that cannot be read is left out.
            if let Some(received) = received(&message) {
                return Poll::Ready(Some(Ok(Incoming::Message(received))));
            }
        }
    }
}

fn received(message: &WireMessage) -> Option<Received> {
    let text = String::from_utf8_lossy(message.subject());
    let subject = match Subject::parse(Text::copy_of(&text)) {
        // Text that is not UTF-8 has a replacement character.
        Ok(subject) if subject.as_str().as_bytes() == message.subject() => subject,
        Ok(_) => {
            tracing::warn!(target: crate::TRACING_TARGET, "a message with a subject that is not UTF-8 is left out");
            return None;
        }
        Err(error) => {
            tracing::warn!(target: crate::TRACING_TARGET, %error, "a message with a subject that is none is left out");
            return None;
        }
    };
    let headers = match message.header_block().map(HeaderBlock::parse) {
        None => Headers::new(),
        Some(Ok(block)) => headers::read(&block),
        Some(Err(error)) => {
            tracing::warn!(target: crate::TRACING_TARGET, %subject, %error, "a message with headers that cannot be read is left out");
            return None;
        }
    };
    Some(Received {
        subject,
        headers,
        body: Body::Encoded(message.body()),
        info: DeliveryInfo {
            stream: None,
            sequence: None,
            attempt: 1,
            number: None,
            stored_at: None,
            pending: None,
        },
        settler: None,
    })
}
