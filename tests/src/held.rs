//! `Held`: a transport whose answers a test releases one by one.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use event_sdk::Transport;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{
    Advisories, Capabilities, Completion, Confirmation, ConsumerAdmin, Coordination, Drained,
    Error, ErrorKind, History, MessageAdmin, Operation, PublishRequest, Scheduler, Snapshots,
    StreamAdmin, SubscribeRequest, Subscription,
};
use tokio::sync::Semaphore;

/// The memory transport, whose publishes wait for permits.
#[derive(Debug, Clone)]
pub struct Held {
    memory: MemoryTransport,
    /// How many messages may be handed over.
    pub handing_over: Arc<Semaphore>,
    /// How many confirmations may be given.
    pub confirming: Arc<Semaphore>,
    /// How many of those that are withheld.
    pub withheld: Arc<Semaphore>,
    withholding: Arc<AtomicUsize>,
    /// How many milliseconds a confirmation takes from when it is first asked.
    takes: Arc<AtomicU64>,
    refuses: Arc<AtomicBool>,
    waiting: Arc<AtomicUsize>,
    most_waiting: Arc<AtomicUsize>,
    order: Arc<Mutex<Vec<String>>>,
    confirmed: Arc<Mutex<Option<Hook>>>,
}

/// Something to be done at each confirmation.
struct Hook(Box<dyn Fn() + Send + Sync>);

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hook")
    }
}

impl Held {
    /// Nothing may pass yet.
    ///
    /// # Panics
    ///
    /// When the memory transport cannot be made.
    #[must_use]
    pub fn new() -> Self {
        Self {
            memory: MemoryTransport::builder()
                .build()
                .expect("the default is right"),
            handing_over: Arc::new(Semaphore::new(0)),
            confirming: Arc::new(Semaphore::new(0)),
            withheld: Arc::new(Semaphore::new(0)),
            withholding: Arc::default(),
            takes: Arc::default(),
            refuses: Arc::default(),
            waiting: Arc::default(),
            most_waiting: Arc::default(),
            order: Arc::default(),
            confirmed: Arc::default(),
        }
    }

    /// Withholds the confirmations of the next `messages` that are handed over.
    pub fn withhold(&self, messages: usize) {
        self.withholding.store(messages, Ordering::SeqCst);
    }

    /// Lets each confirmation begin when it is first asked, and take so long from then on,
    /// by tokio's clock.
    pub fn answer_after(&self, millis: u64) {
        self.takes.store(millis, Ordering::SeqCst);
    }

    /// Makes each confirmation an error from now on.
    pub fn refuse(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }

    /// How many confirmations were awaited at once, at the most.
    #[must_use]
    pub fn most_waiting(&self) -> usize {
        self.most_waiting.load(Ordering::SeqCst)
    }

    /// Does this at each confirmation.
    pub fn on_confirmed(&self, hook: impl Fn() + Send + Sync + 'static) {
        *self
            .confirmed
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Hook(Box::new(hook)));
    }

    /// The subjects in the order in which they were handed over.
    #[must_use]
    pub fn order(&self) -> Vec<String> {
        self.order
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Default for Held {
    fn default() -> Self {
        Self::new()
    }
}

impl Transport for Held {
    fn name(&self) -> &'static str {
        "held"
    }

    fn capabilities(&self) -> Capabilities {
        self.memory.capabilities()
    }

    fn publish(&self, message: PublishRequest<'_>) -> Completion<Result<Confirmation, Error>> {
        let this = self.clone();
        let subject = message.subject.clone();
        let PublishRequest {
            headers,
            body,
            message_id,
            expect,
            roll_up,
            ..
        } = message;
        Completion::later(async move {
            let passed = this.handing_over.acquire().await;
            passed.expect("the semaphore is never closed").forget();
            this.order
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(subject.to_string());
            let waiting = this.waiting.fetch_add(1, Ordering::SeqCst) + 1;
            this.most_waiting.fetch_max(waiting, Ordering::SeqCst);
            let message = {
                let mut request = PublishRequest::new(&subject, body);
                request.headers = headers;
                request.message_id = message_id;
                request.expect = expect;
                request.roll_up = roll_up;
                request
            };
            let confirmation = this.memory.publish(message).await?;
            let one_less = |left: usize| left.checked_sub(1);
            let order = Ordering::SeqCst;
            let withheld = this.withholding.fetch_update(order, order, one_less);
            Ok(Completion::later(async move {
                let permits = match withheld {
                    Ok(_) => &this.withheld,
                    Err(_) => &this.confirming,
                };
                let passed = permits.acquire().await;
                passed.expect("the semaphore is never closed").forget();
                let takes = this.takes.load(Ordering::SeqCst);
                if takes > 0 {
                    tokio::time::sleep(Duration::from_millis(takes)).await;
                }
                this.waiting.fetch_sub(1, Ordering::SeqCst);
                if this.refuses.load(Ordering::SeqCst) {
                    let (kind, publish) = (ErrorKind::Other, Operation::Publish);
                    return Err(Error::new(kind, publish, "it was told to refuse"));
                }
                if let Some(Hook(hook)) = &*this
                    .confirmed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                {
                    hook();
                }
                confirmation.await
            }))
        })
    }

    fn subscribe(&self, request: SubscribeRequest) -> Completion<Result<Subscription, Error>> {
        self.memory.subscribe(request)
    }

    fn history(&self) -> Option<&dyn History> {
        self.memory.history()
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

    fn connections(&self) -> u64 {
        self.memory.connections()
    }

    fn is_connected(&self) -> bool {
        self.memory.is_connected()
    }

    fn advisories(&self) -> Option<&dyn Advisories> {
        self.memory.advisories()
    }

    fn coordination(&self) -> Option<&dyn Coordination> {
        self.memory.coordination()
    }

    fn scheduler(&self) -> Option<&dyn Scheduler> {
        self.memory.scheduler()
    }

    fn snapshots(&self) -> Option<&dyn Snapshots> {
        self.memory.snapshots()
    }

    fn drain(&self, within: Duration) -> Completion<Result<Drained, Error>> {
        self.memory.drain(within)
    }

    fn close(&self) -> Completion<Result<(), Error>> {
        self.memory.close()
    }
}
