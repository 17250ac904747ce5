//! The memory transport, whose coordination and subscriptions can be taken away, and whose
//! acknowledgements can be lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    BucketConfig, Capabilities, Completion, Confirmation, ConsumerAdmin, Coordination,
    CoordinationEntry, Difference, Drained, Error, ErrorKind, Incoming, Operation, PublishRequest,
    PutRequest, Revision, Settle, Settlement, Settler, StreamAdmin, StreamChange, SubscribeRequest,
    Subscription,
};
use event_sdk::{EventBus, Transport};
use futures_util::{FutureExt as _, StreamExt as _};

/// The memory transport with a switch.
#[derive(Debug, Clone)]
pub(crate) struct Away {
    memory: MemoryTransport,
    switched: Arc<AtomicBool>,
    /// What keys contain that may be read and not written.
    denies: Arc<Mutex<Option<&'static str>>>,
    /// Whether the entries may not be listed.
    denies_reads: Arc<AtomicBool>,
    /// Whether nothing can be subscribed to.
    refuses: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    losses: Losses,
    /// After which times the bucket answers reads, and writes.
    answers_after: Arc<Mutex<(Duration, Duration)>>,
}

impl Away {
    /// A bus on it.
    pub(crate) fn bus() -> (EventBus, Self) {
        let memory = MemoryTransport::builder().bucket(BucketConfig::default());
        let away = Self {
            memory: memory.build().unwrap(),
            switched: Arc::default(),
            denies: Arc::default(),
            denies_reads: Arc::default(),
            refuses: Arc::default(),
            asked: Arc::default(),
            losses: Losses::default(),
            answers_after: Arc::default(),
        };
        let bus = EventBus::builder().simulated_process();
        let bus = bus.transport(away.clone()).unwrap();
        (bus, away)
    }

    pub(crate) fn set(&self, is_away: bool) {
        self.switched.store(is_away, Ordering::Relaxed);
    }

    /// From now on, whether the bucket may be read and not written.
    pub(crate) fn deny_writes(&self, denies: bool) {
        self.deny_writes_of(denies.then_some(""));
    }

    /// From now on, keys that contain this may be read and not written.
    pub(crate) fn deny_writes_of(&self, part: Option<&'static str>) {
        *self.denies.lock().unwrap() = part;
    }

    /// From now on, whether entries may not be listed.
    pub(crate) fn deny_reads(&self, denies: bool) {
        self.denies_reads.store(denies, Ordering::Relaxed);
    }

    fn denied(&self, key: &str) -> Option<Error> {
        let denies = *self.denies.lock().unwrap();
        denies.filter(|part| key.contains(part))?;
        Some(Self::denial())
    }

    fn denial() -> Error {
        let reason = "the user may not publish to $KV.EVENT_SDK.>";
        Error::new(ErrorKind::PermissionDenied, Operation::Coordinate, reason)
    }

    /// From now on, whether nothing can be subscribed to.
    pub(crate) fn refuse_subscriptions(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::Relaxed);
    }

    /// From now on, an acknowledgement or a term is taken and lost, as by a server that is killed. Of
    /// those that are to be confirmed, the first `unconfirmed` are lost too, and fail.
    pub(crate) fn lose_acks(&self, unconfirmed: usize) {
        self.losses
            .unconfirmed
            .store(unconfirmed, Ordering::Relaxed);
        self.losses.acks.store(true, Ordering::Relaxed);
    }

    /// So many of the next acknowledgements fail.
    pub(crate) fn fail_acks(&self, number: usize) {
        self.losses.failing.store(number, Ordering::Relaxed);
    }

    /// From now on, an acknowledgement takes a while.
    pub(crate) fn answer_acks_later(&self) {
        self.losses.late.store(true, Ordering::Relaxed);
    }

    /// A bus on the same streams and bucket that nothing is taken from.
    pub(crate) fn other_bus(&self) -> EventBus {
        let bus = EventBus::builder().simulated_process();
        bus.transport(self.memory.clone()).unwrap()
    }

    /// How often the bucket was asked in vain.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    /// From now on, the bucket follows and answers requests after these times.
    pub(crate) fn answer_after(&self, reads: Duration, writes: Duration) {
        *self.answers_after.lock().unwrap() = (reads, writes);
    }

    fn ask<T: Send + 'static>(
        &self,
        time: Duration,
        request: impl FnOnce(&dyn Coordination) -> Completion<Result<T, Error>> + Send + 'static,
    ) -> Completion<Result<T, Error>> {
        let is_away = self.switched.load(Ordering::Relaxed);
        self.asked
            .fetch_add(usize::from(is_away), Ordering::Relaxed);
        let answer = move |away: &Self| {
            if is_away {
                let error = Error::new(ErrorKind::Timeout, Operation::Coordinate, "no answer");
                return Completion::ready(Err(error));
            }
            request(away.bucket())
        };
        if time.is_zero() {
            return answer(self);
        }
        let away = self.clone();
        Completion::later(async move {
            tokio::time::sleep(time).await;
            answer(&away).await
        })
    }

    fn bucket(&self) -> &dyn Coordination {
        self.memory.coordination().unwrap()
    }
}

impl Coordination for Away {
    fn apply(&self, config: &BucketConfig) -> Completion<Result<StreamChange, Error>> {
        self.bucket().apply(config)
    }

    fn compare(&self, config: &BucketConfig) -> Completion<Result<Vec<Difference>, Error>> {
        self.bucket().compare(config)
    }

    fn get(&self, bucket: &str, key: &str) -> Completion<Result<Option<CoordinationEntry>, Error>> {
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let time = self.answers_after.lock().unwrap().0;
        self.ask(time, move |coordination| coordination.get(&bucket, &key))
    }

    fn put(&self, request: PutRequest) -> Completion<Result<u64, Error>> {
        if let Some(error) = self.denied(&request.key) {
            return Completion::ready(Err(error));
        }
        let time = self.answers_after.lock().unwrap().1;
        self.ask(time, move |coordination| coordination.put(request))
    }

    fn delete(&self, bucket: &str, key: &str, expected: Revision) -> Completion<Result<(), Error>> {
        if let Some(error) = self.denied(key) {
            return Completion::ready(Err(error));
        }
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        let time = self.answers_after.lock().unwrap().1;
        self.ask(time, move |coordination| {
            coordination.delete(&bucket, &key, expected)
        })
    }

    fn list(
        &self,
        bucket: &str,
        prefix: &str,
    ) -> Completion<Result<Vec<CoordinationEntry>, Error>> {
        if self.denies_reads.load(Ordering::Relaxed) {
            return Completion::ready(Err(Self::denial()));
        }
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
        if self.refuses.load(Ordering::Relaxed) {
            let error = Error::new(ErrorKind::Timeout, Operation::Subscribe, "no answer");
            return Completion::ready(Err(error));
        }
        let (subscribed, losses) = (self.memory.subscribe(request), self.losses.clone());
        Completion::later(subscribed.map(|subscription| Ok(losses.apply_to(subscription?))))
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

/// Which acknowledgements are lost.
#[derive(Debug, Clone, Default)]
struct Losses {
    acks: Arc<AtomicBool>,
    /// How many that are to be confirmed.
    unconfirmed: Arc<AtomicUsize>,
    /// How many others fail.
    failing: Arc<AtomicUsize>,
    /// Whether they take a while.
    late: Arc<AtomicBool>,
}

impl Losses {
    fn apply_to(self, subscription: Subscription) -> Subscription {
        let losing = move |mut item| {
            if let Ok(Incoming::Message(message)) = &mut item {
                let settler = message.settler.take().map(|settler| Losing {
                    settler,
                    losses: self.clone(),
                });
                message.settler = settler.map(|losing| Settler::new(Arc::new(losing), 0));
            }
            item
        };
        subscription.map_deliveries(|deliveries| deliveries.map(losing))
    }
}

/// Settles one delivery, or loses its acknowledgement.
struct Losing {
    settler: Settler,
    losses: Losses,
}

impl Settle for Losing {
    fn settle(&self, _: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        let these = &self.losses;
        let loses = these.acks.load(Ordering::Relaxed);
        let failed = || {
            let error = Error::new(ErrorKind::Timeout, Operation::Settle, "no answer");
            Completion::ready(Err(error))
        };
        match settlement {
            Settlement::Ack if one_less(&these.failing) => return failed(),
            Settlement::Ack | Settlement::Term(_) if loses => return Completion::ready(Ok(())),
            Settlement::AckConfirmed | Settlement::TermConfirmed(_)
                if loses && one_less(&these.unconfirmed) =>
            {
                return failed();
            }
            Settlement::Ack if these.late.load(Ordering::Relaxed) => {
                let settled = self.settler.settle(settlement);
                return Completion::later(async move {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    settled.await
                });
            }
            _ => {}
        }
        self.settler.settle(settlement)
    }
}

/// Takes one of them, if there is one.
fn one_less(left: &AtomicUsize) -> bool {
    let take = |left: usize| left.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take)
        .is_ok()
}
