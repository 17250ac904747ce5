//! The memory transport, whose writes and reads of history take a millisecond before they are done, and
//! another one before they are answered: a process can be killed between all of them. A test can hold
//! messages back, as a process that is frozen does, and let them go after its end.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::headers::Headers;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Body, BucketConfig, Capabilities, Completion, Confirmation, ConsumerAdmin, Coordination,
    Drained, Error, Expectations, History, HistoryRequest, HistoryStream, MessageAdmin,
    PublishRequest, Stored, StreamAdmin, SubscribeRequest, Subscription,
};
use event_sdk::{EventBus, Subject, Transport};
use tokio::sync::watch;

/// The memory transport, slowly.
#[derive(Debug, Clone)]
pub(crate) struct Slow {
    memory: MemoryTransport,
    /// How many of these milliseconds have passed.
    steps: watch::Sender<u64>,
    /// What subjects contain whose messages are held back.
    holds: Arc<Mutex<Option<&'static str>>>,
    held: watch::Sender<Vec<Message>>,
}

/// A message that is published.
#[derive(Debug, Clone)]
struct Message {
    subject: Subject,
    headers: Headers,
    body: Body,
    expect: Expectations,
}

impl Slow {
    /// A slow transport with the streams of a consumer and of its dead letters, and a bus on the same
    /// streams that is not slow.
    pub(crate) fn buses() -> (Self, EventBus) {
        let letters = DeadLetterStream::new("DLQ");
        let memory = MemoryTransport::builder()
            .bucket(BucketConfig::default())
            .stream(
                StreamSpec::new("EVENTS")
                    .subject(">")
                    .config("events")
                    .unwrap(),
            )
            .stream(letters.spec().config("events").unwrap())
            .stream(letters.retry_spec().config("events").unwrap());
        let memory = memory.build().unwrap();
        let bus = EventBus::builder().transport(memory.clone()).unwrap();
        (Self::new(memory), bus)
    }

    pub(crate) fn new(memory: MemoryTransport) -> Self {
        Self {
            memory,
            steps: watch::Sender::new(0),
            holds: Arc::default(),
            held: watch::Sender::new(Vec::new()),
        }
    }

    /// From now on, messages whose subjects contain this are held back.
    pub(crate) fn hold(&self, part: &'static str) {
        *self.holds.lock().unwrap() = Some(part);
    }

    /// Waits until so many messages are held back.
    pub(crate) async fn holds(&self, messages: usize) {
        let mut held = self.held.subscribe();
        held.wait_for(|held| held.len() >= messages).await.unwrap();
    }

    /// Stores what was held back. Returns how many messages the streams accepted.
    pub(crate) async fn let_go(&self) -> usize {
        let mut accepted = 0;
        for message in self.held.send_replace(Vec::new()) {
            accepted += usize::from(self.store(message).await.is_ok());
        }
        accepted
    }

    async fn store(&self, message: Message) -> Result<Stored, Error> {
        let mut request = PublishRequest::new(&message.subject, message.body);
        request.headers = message.headers;
        request.expect = message.expect;
        self.memory.publish(request).await?.await
    }

    /// Waits until so many milliseconds were waited for.
    pub(crate) async fn reached(&self, steps: u64) {
        let mut now = self.steps.subscribe();
        now.wait_for(|now| *now >= steps).await.unwrap();
    }

    async fn later(&self) {
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.steps.send_modify(|steps| *steps += 1);
    }
}

impl Transport for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        let slow = self.clone();
        let message = Message {
            subject: message.subject.clone(),
            headers: message.headers,
            body: message.body,
            expect: message.expect,
        };
        let holds = *self.holds.lock().unwrap();
        if holds.is_some_and(|part| message.subject.as_str().contains(part)) {
            self.held.send_modify(|held| held.push(message));
            return Completion::later(std::future::pending());
        }
        Completion::later(async move {
            slow.later().await;
            let stored = slow.store(message).await;
            Ok(Completion::later(async move {
                slow.later().await;
                stored
            }))
        })
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.memory.subscribe(request)
    }

    fn history(&self) -> Option<&dyn History> {
        Some(self)
    }

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.memory.stream_admin()
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.memory.consumer_admin()
    }

    fn message_admin(&self) -> Option<&dyn MessageAdmin> {
        self.memory.message_admin()
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.memory.coordination()
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.memory.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.memory.close()
    }
}

impl History for Slow {
    fn read(&self, request: HistoryRequest) -> Completion<Result<HistoryStream, Error>> {
        let slow = self.clone();
        Completion::later(async move {
            slow.later().await;
            let Some(history) = slow.memory.history() else {
                unreachable!("the transport has history");
            };
            let read = history.read(request).await;
            slow.later().await;
            read
        })
    }
}
