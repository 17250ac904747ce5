//! The memory transport, whose coordination can be taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    BucketConfig, Capabilities, Completion, Confirmation, ConsumerAdmin, Coordination,
    CoordinationEntry, Drained, Error, ErrorKind, Operation, PublishRequest, PutRequest, Revision,
    StreamAdmin, StreamChange, SubscribeRequest, Subscription,
};
use event_sdk::{EventBus, Transport};

/// The memory transport with a switch.
#[derive(Debug, Clone)]
pub(crate) struct Away {
    memory: MemoryTransport,
    switched: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
}

impl Away {
    /// A bus on it.
    pub(crate) fn bus() -> (EventBus, Self) {
        let memory = MemoryTransport::builder().bucket(BucketConfig::default());
        let away = Self {
            memory: memory.build().unwrap(),
            switched: Arc::default(),
            asked: Arc::default(),
        };
        let bus = EventBus::builder().simulated_process();
        let bus = bus.transport(away.clone()).unwrap();
        (bus, away)
    }

    pub(crate) fn set(&self, is_away: bool) {
        self.switched.store(is_away, Ordering::Relaxed);
    }

    /// How often the bucket was asked in vain.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn there<T>(&self) -> Option<Completion<Result<T, Error>>> {
        if !self.switched.load(Ordering::Relaxed) {
            return None;
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        let error = Error::new(ErrorKind::Timeout, Operation::Coordinate, "no answer");
        Some(Completion::ready(Err(error)))
    }

    fn bucket(&self) -> &dyn Coordination {
        self.memory.coordination().unwrap()
    }
}

impl Coordination for Away {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        self.bucket().apply(config)
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        self.there()
            .unwrap_or_else(|| self.bucket().get(bucket, key))
    }

    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        self.there().unwrap_or_else(|| self.bucket().put(request))
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        self.there()
            .unwrap_or_else(|| self.bucket().delete(bucket, key, expected))
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        self.bucket().list(bucket, prefix)
    }
}

impl Transport for Away {
    fn name(&self) -> &'static str {
        "away"
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

    fn stream_admin(&self) -> Option<&dyn StreamAdmin> {
        self.memory.stream_admin()
    }

    fn consumer_admin(&self) -> Option<&dyn ConsumerAdmin> {
        self.memory.consumer_admin()
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        Some(self)
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.memory.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.memory.close()
    }
}
