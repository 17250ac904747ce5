//! `StoredAdvisories`: the advisories of a stream that stores them, read by an ordinary consumer.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Advisory;
use crate::transport::{
    Body, BoundConsumer, Completion, Deliveries, Error, ErrorKind, Incoming, Notice, NoticeKind,
    Operation, Received, Settlement, Subscription,
};

/// Reads a subscription to a stream of advisories.
///
/// The caller acknowledges each advisory, so that a durable keeps its place: an advisory that was
/// not acknowledged is delivered again. A message that is not an advisory is terminated, and
/// reported as [`Unreadable`](NoticeKind::Unreadable).
///
/// Polling is cancel-safe.
pub struct StoredAdvisories {
    deliveries: Deliveries,
    bound: BoundConsumer,
    /// The termination of a message that is no advisory, and what is reported after it.
    terminating: Option<(Completion<Result<(), Error>>, Notice)>,
}

/// One item of [`StoredAdvisories`].
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "nearly every item is an advisory"
)]
pub enum StoredAdvisory {
    /// An advisory, and the delivery to acknowledge.
    Advisory(Advisory, Received),
    /// A notice. The subscription continues.
    Notice(Notice),
}

impl StoredAdvisories {
    /// Reads the messages of `subscription` as advisories.
    #[must_use]
    pub fn new(subscription: Subscription) -> Self {
        Self {
            deliveries: subscription.deliveries,
            bound: subscription.bound,
            terminating: None,
        }
    }

    /// The bound consumer.
    #[must_use]
    pub fn bound(&self) -> &BoundConsumer {
        &self.bound
    }

    /// Begins to terminate a message that is no advisory.
    fn refuse(&mut self, received: &Received, reason: &str) {
        let error = Error::new(ErrorKind::Other, Operation::Subscribe, reason)
            .at_subject(&received.subject);
        let sequence = received.info.sequence;
        let mut notice = Notice::new(NoticeKind::Unreadable { sequence, error });
        if let Some(stream) = &received.info.stream {
            notice = notice.at_stream(stream.clone());
        }
        if let Some(name) = self.bound.config.name.as_str() {
            notice = notice.at_consumer(name.to_owned());
        }
        let terminated = match &received.settler {
            Some(settler) => settler.settle(Settlement::Term(reason.to_owned())),
            None => Completion::ready(Ok(())),
        };
        self.terminating = Some((terminated, notice));
    }
}

impl Stream for StoredAdvisories {
    type Item = Result<StoredAdvisory, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some((terminated, _)) = &mut self.terminating {
                // One that could not be terminated comes again, and is terminated then.
                let _ = ready!(Pin::new(terminated).poll(cx));
                if let Some((_, notice)) = self.terminating.take() {
                    return Poll::Ready(Some(Ok(StoredAdvisory::Notice(notice))));
                }
            }
            let received = match ready!(self.deliveries.as_mut().poll_next(cx)) {
                Some(Ok(Incoming::Message(received))) => received,
                Some(Ok(Incoming::Notice(notice))) => {
                    return Poll::Ready(Some(Ok(StoredAdvisory::Notice(notice))));
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            };
            let read = match &received.body {
                Body::Encoded(bytes) => Advisory::parse(bytes).map_err(|why| why.to_string()),
                Body::Value(_) => Err("an event is no advisory".to_owned()),
            };
            match read {
                Ok(advisory) => {
                    return Poll::Ready(Some(Ok(StoredAdvisory::Advisory(advisory, received))));
                }
                Err(reason) => self.refuse(&received, &reason),
            }
        }
    }
}

impl fmt::Debug for StoredAdvisories {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredAdvisories")
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
