//! The memory transport, whose writes and reads of history take a millisecond before they are done, and
//! another one before they are answered: a process can be killed between all of them.

use std::time::Duration;

use event_sdk::Transport;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Capabilities, Completion, Confirmation, ConsumerAdmin, Coordination, Drained, Error, History,
    HistoryRequest, HistoryStream, MessageAdmin, PublishRequest, StreamAdmin, SubscribeRequest,
    Subscription,
};
use tokio::sync::watch;

/// The memory transport, slowly.
#[derive(Debug, Clone)]
pub(crate) struct Slow {
    memory: MemoryTransport,
    /// How many of these milliseconds have passed.
    steps: watch::Sender<u64>,
}

impl Slow {
    pub(crate) fn new(memory: MemoryTransport) -> Self {
        let steps = watch::Sender::new(0);
        Self { memory, steps }
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
        let subject = message.subject.clone();
        let (headers, body, expect) = (message.headers, message.body, message.expect);
        Completion::later(async move {
            slow.later().await;
            let mut request = PublishRequest::new(&subject, body);
            request.headers = headers;
            request.expect = expect;
            let stored = slow.memory.publish(request).await?.await;
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
