//! Test support: a transport on which futures can be dropped before and after each operation.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Capabilities, Completion, Confirmation, Deletion, Drained, Error, FoundMessage, History,
    HistoryRequest, HistoryStream, MessageAdmin, PublishRequest, PurgeRequest, StreamAdmin,
    SubscribeRequest, Subscription, Transport, TransportExt as _, WhichMessage,
};

use crate::rig::{letter, put};

/// A transport where each operation takes two polls more: before it is done, and before its result
/// comes. So a future can be dropped before an operation, and after it without its result.
#[derive(Debug, Clone)]
pub(crate) struct Stepwise(pub(crate) Arc<dyn Transport>);

async fn yielded() {
    let mut first = true;
    poll_fn(|cx| {
        cx.waker().wake_by_ref();
        if std::mem::take(&mut first) {
            Poll::Pending
        } else {
            Poll::Ready(())
        }
    })
    .await;
}

impl Transport for Stepwise {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        let memory = Arc::clone(&self.0);
        let subject = message.subject.clone();
        let (headers, body, expect) = (message.headers, message.body, message.expect);
        Completion::later(async move {
            yielded().await;
            let mut request = PublishRequest::new(&subject, body);
            request.headers = headers;
            request.expect = expect;
            let stored = memory.publish(request).await?.await;
            Ok(Completion::later(async move {
                yielded().await;
                stored
            }))
        })
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.0.subscribe(request)
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        Some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.0.stream_admin()
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.0.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.0.close()
    }
}

impl MessageAdmin for Stepwise {
    fn get(
        &self,
        stream: &str,
        which: WhichMessage,
    ) -> Completion<Result<Option<FoundMessage>, Error>> {
        self.0.get_message(stream, which)
    }

    fn delete(
        &self,
        stream: &str,
        sequence: u64,
        deletion: Deletion,
    ) -> Completion<Result<bool, Error>> {
        let (inner, stream) = (Arc::clone(&self.0), stream.to_owned());
        Completion::later(async move {
            yielded().await;
            let deleted = inner.delete_message(&stream, sequence, deletion).await;
            yielded().await;
            deleted
        })
    }

    fn purge(&self, request: PurgeRequest) -> Completion<Result<u64, Error>> {
        self.0.purge_messages(request)
    }
}

impl History for Stepwise {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        let memory = Arc::clone(&self.0);
        Completion::later(async move {
            yielded().await;
            match memory.history() {
                Some(history) => history.read(request).await,
                None => unreachable!("the transport has history"),
            }
        })
    }
}

/// A bus on it, with this many letters.
pub(crate) async fn stepwise(letters: u64) -> EventBus {
    let place = DeadLetterStream::new("DLQ");
    let memory = MemoryTransport::builder()
        .stream(place.spec().config("events").unwrap())
        .stream(place.retry_spec().config("events").unwrap());
    let memory = Stepwise(Arc::new(memory.build().unwrap()));
    let bus = EventBus::builder().transport(memory).unwrap();
    for number in 1..=letters {
        put(&bus, &letter(number)).await;
    }
    bus
}

/// Polls a future this often, and drops it; whether it had ended.
pub(crate) async fn killed_after<F: Future>(polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    for _ in 0..polls {
        let polled = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
        // Memory's history stops when the task has used up its share.
        tokio::task::yield_now().await;
    }
    None
}
