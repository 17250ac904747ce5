//! The dead-letter stream exists, but another stream stores the subjects of dead letters: every
//! write is an error, however often it is repeated.

use std::sync::Arc;
use std::time::Duration;

use event_sdk::dead_letters::{Audit, DeadKey, DeadLetters, LetterFilter};
use event_sdk::stream::StreamSpec;
use event_sdk::transport::{
    Capabilities, Completion, Confirmation, Drained, Error, History, HistoryRequest, HistoryStream,
    PublishRequest, StreamAdmin, SubscribeRequest, Subscription, Transport, TransportExt as _,
};
use event_sdk::{ErrorKind, EventBus};
use event_sdk_test_servers::Server;

use crate::rig::{connect, letter, put, within};

const LIMIT: usize = 20_000;

/// Memory, a server and [`Lenient`], where the dead-letter stream has `own`, and another stream
/// `taken`.
async fn buses(own: &[&'static str], taken: &[&'static str]) -> (Server, [EventBus; 3]) {
    let builder = || {
        let spec = |name: &'static str, subjects: &[&'static str]| {
            let subjects = subjects.iter();
            subjects.fold(StreamSpec::new(name), |spec, it| spec.absolute(*it))
        };
        EventBus::builder()
            .stream(spec("DLQ", own))
            .stream(spec("OTHER", taken))
            .stream(spec("DLQ_RETRY", &["again.>"]))
    };
    let server = Server::options().max_payload(LIMIT).start().await.unwrap();
    let nats = connect(&server, builder()).await;
    within("the streams", nats.apply_streams()).await.unwrap();
    let memory = builder().memory_with(|memory| memory.max_payload(LIMIT));
    let memory = memory.unwrap();
    let lenient = Lenient(Arc::clone(memory.transport()));
    let lenient = EventBus::builder().transport(lenient).unwrap();
    let other = builder().memory_with(|memory| memory.max_payload(LIMIT));
    (server, [lenient, other.unwrap(), nats])
}

/// A transport that finds no messages where others refuse a filter that can match nothing.
#[derive(Debug)]
struct Lenient(Arc<dyn Transport>);

impl Transport for Lenient {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.0.publish(message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.0.subscribe(request)
    }

    fn history(&self) -> Option<&dyn History> {
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

impl History for Lenient {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        let read = self.0.read_history(request);
        Completion::later(async move {
            // Other tasks run meanwhile, and the time limits of the test hold.
            tokio::task::yield_now().await;
            match read.await {
                Err(error) if *error.kind() == ErrorKind::InvalidSubject => {
                    let nothing: HistoryStream = Box::pin(futures_util::stream::empty());
                    Ok(nothing)
                }
                read => read,
            }
        })
    }
}

/// The operation fails within a short time, since a repeat without an end never does.
async fn fails<T: std::fmt::Debug>(what: &str, done: impl IntoFuture<Output = Result<T, Error>>) {
    fails_at("DLQ", what, done).await;
}

async fn fails_at<T: std::fmt::Debug>(
    stream: &str,
    what: &str,
    done: impl IntoFuture<Output = Result<T, Error>>,
) {
    let patience = Duration::from_secs(10);
    let done = tokio::time::timeout(patience, done.into_future()).await;
    let error = done.unwrap_or_else(|_| panic!("{what} does not end"));
    let error = error.expect_err(what);
    assert_eq!(*error.kind(), ErrorKind::StreamNotFound, "{what}: {error}");
    assert_eq!(error.stream(), Some(stream), "{what}: {error}");
}

#[tokio::test]
async fn a_letter_in_another_stream_is_never_counted_as_stored() {
    let (_server, buses) = buses(&["elsewhere.>"], &["dlq.>"]).await;
    for bus in buses {
        for number in [1, 2] {
            let mut letter = letter(number);
            if number == 2 {
                letter.body = vec![b'x'; LIMIT].into();
            }
            let store = DeadLetters::stream("DLQ").open(&bus);
            let park = bus.dead_letters("DLQ").park("billing");
            for _ in 0..3 {
                fails("a letter", store.put(&letter)).await;
                fails("an append", park.append(&letter)).await;
            }
        }
    }
}

#[tokio::test]
async fn marks_and_requests_in_another_stream_are_errors() {
    let own = [
        "dlq.billing.>",
        "dlq.=park.>",
        "dlq.=state.billing.orders.order.canceled.>",
        "dlq.=state.billing.=park.ORDERS.x.>",
    ];
    let taken = ["dlq.=state.billing.orders.order.placed.>", "dlq.=request.>"];
    let (_server, buses) = buses(&own, &taken).await;
    for bus in buses {
        put(&bus, &letter(1)).await;
        let mut dead = letter(2);
        dead.sequenced = true;
        put(&bus, &dead).await;
        let queue = bus.dead_letters("DLQ");
        let park = queue.park("billing");
        let key = DeadKey::of(&dead).unwrap();
        let events = within("events", park.events(&key)).await.unwrap();
        assert_eq!(events.len(), 1);
        let audit = Audit::default();
        for _ in 0..3 {
            fails("a mark", park.handled(&events[0])).await;
            fails("a skip", park.skip_head(&key, events[0].id, &audit)).await;
            fails("a release", park.release(&key, &audit)).await;
        }
    }
}

#[tokio::test]
async fn a_redriven_event_in_another_stream_is_never_marked_as_sent() {
    let (_server, buses) = buses(&["dlq.>"], &["retry.>"]).await;
    for bus in buses {
        put(&bus, &letter(1)).await;
        let queue = bus.dead_letters("DLQ");
        for _ in 0..3 {
            let redrive = queue.redrive(LetterFilter::all());
            fails_at("DLQ_RETRY", "a redrive", redrive).await;
        }
        let open = LetterFilter::open();
        let open = queue.count(&open);
        assert_eq!(within("a count", open).await.unwrap(), 1);
    }
}

/// A deployment has given the subjects of states to another stream: the last sequences differ, and
/// the dead-letter stream has the earlier messages, which a server still reads.
#[tokio::test]
async fn marks_on_subjects_that_were_moved_are_errors() {
    let (_server, [.., bus]) = buses(&["dlq.>"], &["elsewhere.>"]).await;
    put(&bus, &letter(1)).await;
    let queue = bus.dead_letters("DLQ");
    let (all, audit) = (LetterFilter::all(), Audit::default());
    let archived = within("an archive", queue.archive(&all, &audit)).await;
    assert_eq!(archived.unwrap(), [1]);
    within("a reopen", queue.reopen(&all, &audit))
        .await
        .unwrap();
    for (name, subjects) in [
        ("DLQ", ["dlq.billing.>", "dlq.=park.>"]),
        ("OTHER", ["dlq.=state.>", "dlq.=request.>"]),
        ("DLQ_RETRY", ["retry.>", "again.>"]),
    ] {
        let spec = StreamSpec::new(name);
        let spec = subjects.into_iter().fold(spec, StreamSpec::absolute);
        let config = spec.config("events").unwrap();
        let applied = bus.transport().apply_stream(&config);
        within("a change", applied).await.unwrap();
    }
    for _ in 0..2 {
        fails("a redrive", queue.redrive(all.clone())).await;
    }
}
