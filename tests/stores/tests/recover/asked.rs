//! What a recovery asks the server: not once for each subject.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::stream::{StreamConfig, StreamSpec};
use event_sdk::text::Text;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    AccountUsage, Capabilities, Completion, Confirmation, Drained, Error, ErrorKind, History,
    MessageAdmin, Operation, PublishRequest, StreamAdmin, StreamChange, StreamState,
    SubscribeRequest, Subscription,
};
use event_sdk::{EventBus, Pattern, Transport};
use event_sdk_sql::recover::{AdoptedMessage, OutboxEntry, Recover, RecoverableOutbox, RowAt};
use event_sdk_store::outbox::StoreFuture;
use jiff::Timestamp;
use uuid::Uuid;

use crate::rig::{OrderPlaced, kinds, placed};

/// The memory transport, which counts how often streams are looked for.
#[derive(Debug)]
struct Counting {
    memory: MemoryTransport,
    found: Arc<AtomicUsize>,
    denies: Denies,
}

/// The requests that the server denies to the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Denies {
    Nothing,
    /// The states of streams.
    States,
    /// Those, and the streams of single subjects.
    StatesAndSubjects,
}

impl Transport for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        self.memory.publish(message)
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.memory.subscribe(request)
    }

    fn history(&self) -> Option<&dyn History> {
        self.memory.history()
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        Some(self)
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.memory.message_admin()
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.memory.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.memory.close()
    }
}

impl Counting {
    fn admin(&self) -> &dyn StreamAdmin {
        self.memory.stream_admin().unwrap()
    }
}

fn denied() -> Error {
    Error::new(ErrorKind::PermissionDenied, Operation::Read, "denied here")
}

impl StreamAdmin for Counting {
    fn find(&self, pattern: &Pattern) -> Completion<Result<Vec<Text>, Error>> {
        self.found.fetch_add(1, Ordering::SeqCst);
        if self.denies == Denies::StatesAndSubjects && *pattern != Pattern::everything() {
            return Completion::ready(Err(denied()));
        }
        self.admin().find(pattern)
    }

    fn state(&self, stream: &str) -> Completion<Result<StreamState, Error>> {
        if self.denies != Denies::Nothing {
            return Completion::ready(Err(denied()));
        }
        self.admin().state(stream)
    }

    fn account(&self) -> Completion<Result<AccountUsage, Error>> {
        self.admin().account()
    }

    fn apply(&self, config: &StreamConfig) -> Completion<Result<StreamChange, Error>> {
        self.admin().apply(config)
    }
}

/// An outbox with rows that are not published, each under a subject of its own.
#[derive(Debug)]
struct Waiting {
    /// The event of the first row.
    first: Uuid,
    rows: i64,
}

impl RecoverableOutbox for Waiting {
    fn name(&self) -> &'static str {
        "waiting"
    }

    fn relays(&self) -> StoreFuture<'_, u32> {
        Box::pin(async { Ok(0) })
    }

    fn entries(&self, after: i64, _: u32) -> StoreFuture<'_, Vec<OutboxEntry>> {
        let first = self.first;
        let entry = move |id: i64| {
            let event = if id == 1 {
                first
            } else {
                Uuid::from_u64_pair(1, id.unsigned_abs())
            };
            let subject = Text::from(format!("events.orders.order.placed.{id}"));
            OutboxEntry::new(id, event.to_string().into(), None).with_subject(subject)
        };
        let entries = (1..=self.rows).filter(move |id| *id > after).map(entry);
        Box::pin(async move { Ok(entries.collect()) })
    }

    fn publish_again(&self, _: Vec<RowAt>) -> StoreFuture<'_, u64> {
        Box::pin(async { Ok(0) })
    }

    fn mark_found(&self, _: Vec<RowAt>, _: Timestamp) -> StoreFuture<'_, u64> {
        Box::pin(async { Ok(0) })
    }

    fn adopt(&self, _: Vec<AdoptedMessage>) -> StoreFuture<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn the_streams_of_many_subjects_are_listed_once() {
    for (subject, is_there) in [("orders.>", true), ("notes.>", false)] {
        let stream = StreamSpec::new("S").subject(subject).config("events");
        let memory = MemoryTransport::builder().stream(stream.unwrap());
        let found = Arc::new(AtomicUsize::new(0));
        let transport = Counting {
            memory: memory.build().unwrap(),
            found: Arc::clone(&found),
            denies: Denies::Nothing,
        };
        let bus = EventBus::builder().transport(transport).unwrap();
        let mut first = Uuid::nil();
        if is_there {
            let publisher = bus.publisher::<OrderPlaced>();
            publisher.publish(placed(1)).await.unwrap();
            let mut history = bus.history::<OrderPlaced>().await.unwrap();
            let event = history.next().await.unwrap().unwrap();
            first = event.event_id().unwrap();
        }
        found.store(0, Ordering::SeqCst);
        let outbox = Arc::new(Waiting { first, rows: 100 });
        let plan = Recover::new(&bus).outbox(outbox).plan().await.unwrap();
        // The stream was compared: it has the message of the first row, which is not marked.
        let compared = kinds(&plan) == ["database older"];
        assert_eq!(compared, is_there, "{subject}: {plan}");
        // The history of a stream that is there is looked for, too.
        let asked = found.load(Ordering::SeqCst);
        assert!((1..=3).contains(&asked), "{subject}: asked {asked} times");
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_read_is_not_asked_for_with_each_subject() {
    for (denies, rows) in [(Denies::States, 300), (Denies::StatesAndSubjects, 100)] {
        let stream = StreamSpec::new("S").subject("orders.>").config("events");
        let memory = MemoryTransport::builder().stream(stream.unwrap());
        let found = Arc::new(AtomicUsize::new(0));
        let transport = Counting {
            memory: memory.build().unwrap(),
            found: Arc::clone(&found),
            denies,
        };
        let bus = EventBus::builder().transport(transport).unwrap();
        let first = Uuid::nil();
        let outbox = Arc::new(Waiting { first, rows });
        let plan = Recover::new(&bus).outbox(outbox).plan().await.unwrap();
        let asked = found.load(Ordering::SeqCst);
        assert!((1..=3).contains(&asked), "{denies:?}: asked {asked} times");
        // What is not known is said once: the stream, or that streams cannot be listed.
        let unread = plan
            .unknown
            .iter()
            .filter(|it| it.to_string().contains("denied here"));
        let unread: Vec<_> = unread.map(|it| it.stream.as_deref()).collect();
        let wanted = (denies == Denies::States).then_some("S");
        assert_eq!(unread, [wanted], "{denies:?}: {plan}");
    }
}
