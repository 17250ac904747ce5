//! `Advisories` for NATS: a subscription to `$JS.EVENT.ADVISORY.CONSUMER…` without a stream.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Nats;
use super::core_nats::{CoreItem, CoreSubscription};
use super::error::ErrorContext;
use event_sdk_core::transport::{
    Advisories, Advisory, AdvisoryItem, AdvisoryRequest, AdvisoryStream, Completion, Error,
    ErrorKind, Notice, NoticeKind, Operation,
};

impl Advisories for Nats {
    fn listen(&self, request: AdvisoryRequest) -> Completion<Result<AdvisoryStream, Error>> {
        let context = Arc::clone(&self.context);
        self.context.later(Operation::Subscribe, async move {
            let about = ErrorContext::new(Operation::Subscribe);
            context.check_open(about.operation)?;
            let patterns = request
                .patterns()
                .map_err(|why| about.error(ErrorKind::InvalidSubject, why.to_string()))?;
            let subscription = CoreSubscription::open(&context, &about, &patterns, None, 1).await?;
            Ok(Box::pin(Listening(subscription)) as AdvisoryStream)
        })
    }
}

/// The messages of a subscription, read as advisories.
struct Listening(CoreSubscription);

impl Stream for Listening {
    type Item = Result<AdvisoryItem, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = ready!(self.0.poll_item(cx));
        Poll::Ready(item.map(|item| {
            Ok(match item? {
                CoreItem::Notice(notice) => AdvisoryItem::Notice(notice),
                // Subject and headers say nothing that the body does not.
                CoreItem::Message(message) => match Advisory::parse(&message.body()) {
                    Ok(advisory) => AdvisoryItem::Advisory(advisory),
                    Err(why) => AdvisoryItem::Notice(unreadable(&why.to_string())),
                },
            })
        }))
    }
}

fn unreadable(reason: &str) -> Notice {
    let error = Error::new(ErrorKind::Other, Operation::Subscribe, reason);
    let notice = Notice::new(NoticeKind::Unreadable {
        sequence: None,
        error,
    });
    tracing::warn!(target: crate::TRACING_TARGET, %notice, "an advisory of the server is left out");
    notice
}
