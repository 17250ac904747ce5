//! `Consumers`: several consumers in one process, added and removed while others run, and ended
//! together.

mod member;
mod report;
mod waiting;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk_core::event::EventSpec;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};
use event_sdk_core::{EventSet, Readable};
use futures_util::future::{Either, join_all, select};
use tokio::sync::watch;

use self::member::{Member, State};
pub use self::report::{ConsumersReport, EndedConsumer};
use super::options::Options;
use super::{Consumer, ConsumerMonitor, ConsumerReport};

/// Several consumers of one process. Each consumer runs in its own task.
///
/// A consumer can be added or removed while the others run. [`run_until`](Self::run_until) ends all
/// of them together. A consumer that fails does not stop the others, unless
/// [`stop_on_failure`](Self::stop_on_failure) is set. Clones share the same consumers.
///
/// ```
/// # use event_sdk::{Event, EventBus, consumer::{Consumers, shutdown_signal}};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Event, Serialize, Deserialize)]
/// # #[event(domain = "orders")]
/// # struct OrderPlaced { id: u64 }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), event_sdk::Error> {
/// # let bus = EventBus::memory();
/// let consumers = Consumers::new();
/// let billing = consumers.add(
///     bus.consumer::<OrderPlaced>("billing")
///         .on(|_: OrderPlaced, _| async { Ok(()) }),
/// )?;
/// consumers.add(
///     bus.consumer::<OrderPlaced>("audit")
///         .on(|_: OrderPlaced, _| async { Ok(()) }),
/// )?;
/// assert_eq!(consumers.count_of::<OrderPlaced>(), 2);
///
/// // Ends one of them, and leaves the other.
/// let report = consumers.remove(billing).await?;
/// assert_eq!(consumers.count(), 1);
///
/// // In a service: `consumers.run_until(shutdown_signal())`.
/// let report = consumers.run_until(async {}).await;
/// assert!(report.of("audit").next().is_some());
/// report.into_result()?;
/// # Ok(())
/// # }
/// ```
///
/// When the last clone is dropped, the consumers end gracefully, and their reports are lost.
#[derive(Clone)]
pub struct Consumers {
    registry: Arc<Mutex<Registry>>,
    /// Changes when a consumer has ended.
    ended: Arc<watch::Sender<()>>,
    drain_within: Duration,
    stop_on_failure: bool,
}

#[derive(Default)]
struct Registry {
    next: u64,
    draining: bool,
    members: BTreeMap<ConsumerId, Member>,
}

/// Identifies a consumer within its [`Consumers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConsumerId(u64);

impl fmt::Display for ConsumerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Consumers {
    /// A registry without consumers.
    #[must_use]
    pub fn new() -> Self {
        Self {
            registry: Arc::default(),
            ended: Arc::new(watch::Sender::new(())),
            drain_within: Options::DRAIN_WITHIN,
            stop_on_failure: false,
        }
    }

    /// Sets how long running handlers may take to end after the signal to end. Default: 25 s. This
    /// time limits the [drain time](Consumer::drain_within) of each consumer that is added after
    /// this call.
    pub fn drain_within(mut self, limit: Duration) -> Self {
        self.drain_within = limit;
        self
    }

    /// Makes [`run_until`](Self::run_until) end as soon as one consumer has failed.
    pub fn stop_on_failure(mut self) -> Self {
        self.stop_on_failure = true;
        self
    }

    /// Adds a consumer, and runs it in its own task. The task binds the subscription. If this is
    /// not possible, the consumer has failed: [`failed`](Self::failed) returns its id, and
    /// [`remove`](Self::remove) its error.
    ///
    /// Several consumers may have the same name. They then share the events.
    ///
    /// # Errors
    ///
    /// [`Closed`](ErrorKind::Closed) once [`run_until`](Self::run_until) has begun to end the
    /// consumers, and [`InvalidOption`](ErrorKind::InvalidOption) outside of a tokio runtime.
    pub fn add<S: EventSet>(&self, consumer: Consumer<S>) -> Result<ConsumerId, Error> {
        let mut registry = self.registry();
        let refused = |kind, reason| {
            let error = Error::new(kind, Operation::Subscribe, reason);
            Err(error.at_consumer(consumer.name().clone()))
        };
        if registry.draining {
            return refused(
                ErrorKind::Closed,
                "the consumers are being ended, and none can be added",
            );
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return refused(
                ErrorKind::InvalidOption,
                "a consumer runs in a task, and there is no tokio runtime here",
            );
        };
        let id = ConsumerId(registry.next);
        registry.next += 1;
        let consumer = consumer.drain_at_most(self.drain_within);
        let member = Member::start(&runtime, consumer, Arc::clone(&self.ended));
        registry.members.insert(id, member);
        Ok(id)
    }

    /// Ends one consumer gracefully, and removes it. The consumer is removed as soon as this method
    /// is called. Its id is not used again.
    ///
    /// Not cancel-safe: after dropping the future, the consumer still ends, and its report is lost.
    ///
    /// # Errors
    ///
    /// [`ConsumerNotFound`](ErrorKind::ConsumerNotFound) if the consumer was removed before,
    /// [`Timeout`](ErrorKind::Timeout) if a handler blocks its thread, so that the consumer cannot
    /// end; otherwise the error of [`Consumer::run_until`] with which the consumer ended.
    pub async fn remove(&self, id: ConsumerId) -> Result<ConsumerReport, Error> {
        let member = self.registry().members.remove(&id);
        match member {
            Some(member) => member.end().await,
            None => Err(Error::new(
                ErrorKind::ConsumerNotFound,
                Operation::Subscribe,
                format!("there is no consumer with the id {id}; it was removed"),
            )),
        }
    }

    /// Runs until `signal` completes, or until every consumer has ended. With
    /// [`stop_on_failure`](Self::stop_on_failure), it also stops when one consumer has failed. It
    /// then ends all consumers at the same time, and waits for them. Their drain times run at the
    /// same time. After that, no consumer can be added.
    ///
    /// While there are no consumers, it waits for the signal.
    ///
    /// Cancel-safe until the signal completes: the consumers run on. If the future is dropped
    /// later, the consumers still end, and their reports are lost.
    pub async fn run_until(&self, signal: impl Future<Output = ()> + Send) -> ConsumersReport {
        let signal = std::pin::pin!(signal);
        let over = std::pin::pin!(self.over());
        match select(signal, over).await {
            Either::Left(_) => {}
            Either::Right(_) => tracing::warn!(
                target: crate::TRACING_TARGET,
                "the consumers end without the signal, since {}",
                if self.stop_on_failure { "one has failed or all have ended" } else { "all have ended" }
            ),
        }
        let members = {
            let mut registry = self.registry();
            registry.draining = true;
            std::mem::take(&mut registry.members)
        };
        // All at once, before waiting for the first.
        for member in members.values() {
            member.tell_to_end();
        }
        let ends = members.into_iter().map(|(id, member)| async move {
            let name = member.name.clone();
            EndedConsumer::new(id, name, member.end().await)
        });
        ConsumersReport::new(join_all(ends).await)
    }

    /// Waits until a consumer has failed, and returns its id. If a consumer has already failed and
    /// was not removed, it returns at once. [`remove`](Self::remove) then returns the error.
    ///
    /// Cancel-safe.
    pub async fn failed(&self) -> ConsumerId {
        self.when(|registry| {
            let mut members = registry.members.iter();
            members.find_map(|(id, member)| (member.state() == State::Failed).then_some(*id))
        })
        .await
    }

    /// How many consumers run. Consumers that have ended or failed do not count.
    #[must_use]
    pub fn count(&self) -> usize {
        self.running(|members| members.count())
    }

    /// How many of the running consumers have the event `E` in their set.
    #[must_use]
    pub fn count_of<E: Readable>(&self) -> usize {
        let is_event = |spec: &&EventSpec| spec.subject() == E::SPEC.subject();
        self.running(|members| {
            members
                .filter(|(_, member)| member.events.iter().any(is_event))
                .count()
        })
    }

    /// For each event type in the sets of the running consumers (such as `order.placed`), the
    /// number of these consumers.
    #[must_use]
    pub fn count_by_type(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        self.running(|members| {
            for spec in members.flat_map(|(_, member)| member.events) {
                *counts.entry(spec.event_type()).or_default() += 1;
            }
        });
        counts
    }

    /// The consumers that run, with their names, in the order in which they were added.
    #[must_use]
    pub fn ids(&self) -> Vec<(ConsumerId, Text)> {
        self.running(|members| {
            members
                .map(|(id, member)| (*id, member.name.clone()))
                .collect()
        })
    }

    /// The monitors of all consumers in the order in which they were added, including consumers
    /// that have ended. They are for health checks of a service.
    #[must_use]
    pub fn monitors(&self) -> Vec<ConsumerMonitor> {
        let registry = self.registry();
        registry.members.values().map(Member::monitor).collect()
    }

    /// Whether there are consumers, and all of them [receive](super::Readiness). Use it for a
    /// readiness probe of the process. It becomes false before the first consumer begins to drain.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let registry = self.registry();
        let mut members = registry.members.values();
        !registry.draining
            && !registry.members.is_empty()
            && members.all(|member| member.readiness.is_ready())
    }

    /// Completes when nothing is left to run, or one has failed and that counts.
    async fn over(&self) {
        self.when(|registry| {
            let mut states = registry.members.values().map(Member::state);
            let over = if self.stop_on_failure && states.clone().any(|at| at == State::Failed) {
                true
            } else {
                !registry.members.is_empty() && states.all(|at| at != State::Running)
            };
            over.then_some(())
        })
        .await;
    }

    /// Waits until `found` finds something, looking again whenever a consumer has ended.
    async fn when<T>(&self, found: impl Fn(&Registry) -> Option<T>) -> T {
        let mut ended = self.ended.subscribe();
        loop {
            if let Some(value) = found(&self.registry()) {
                return value;
            }
            if ended.changed().await.is_err() {
                // Not reached: this value has the sender.
                std::future::pending::<()>().await;
            }
        }
    }

    fn running<T>(
        &self,
        look: impl FnOnce(&mut dyn Iterator<Item = (&ConsumerId, &Member)>) -> T,
    ) -> T {
        let registry = self.registry();
        let members = registry.members.iter();
        look(&mut members.filter(|(_, member)| member.state() == State::Running))
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Consumers {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Consumers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumers")
            .field("running", &self.ids())
            .finish_non_exhaustive()
    }
}
