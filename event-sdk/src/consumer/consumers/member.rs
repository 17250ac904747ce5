//! `Member`: one consumer of a registry, its task, its state and its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use event_sdk_core::EventSet;
use event_sdk_core::event::EventSpec;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{Error, ErrorKind, Operation};
use futures_util::future::{Either, select};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::bus::EventBus;
use crate::consumer::activity::Activity;
use crate::consumer::{Consumer, ConsumerMonitor, ConsumerReport, Readiness};

/// One consumer, which runs in a task.
pub(super) struct Member {
    pub(super) name: Text,
    pub(super) events: &'static [&'static EventSpec],
    pub(super) readiness: Readiness,
    state: Arc<AtomicU8>,
    /// Dropping it tells the consumer to end, too.
    stop: watch::Sender<bool>,
    pub(super) bus: EventBus,
    pub(super) activity: Arc<Activity>,
    drain_within: Duration,
    task: JoinHandle<Result<ConsumerReport, Error>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Running,
    /// It has ended by itself, or was told to.
    Ended,
    Failed,
}

/// How long a task may take beyond the drain time, in which its consumer waits for its last
/// settlements.
const BEYOND: Duration = Duration::from_secs(2);

impl Member {
    pub(super) fn monitor(&self) -> ConsumerMonitor {
        ConsumerMonitor {
            name: self.name.clone(),
            bus: self.bus.clone(),
            readiness: self.readiness.clone(),
            activity: Arc::clone(&self.activity),
        }
    }

    /// Runs the consumer, and says through `ended` when it has ended.
    pub(super) fn start<S: EventSet>(
        runtime: &Handle,
        consumer: Consumer<S>,
        ended: Arc<watch::Sender<()>>,
    ) -> Self {
        let name = consumer.name().clone();
        let readiness = consumer.readiness();
        let bus = consumer.bus().clone();
        let activity = Arc::clone(consumer.activity());
        let drain_within = consumer.drain_time();
        let stop = watch::Sender::new(false);
        let mut stopped = stop.subscribe();
        let end = OnEnd {
            state: Arc::new(AtomicU8::new(State::Running as u8)),
            ended,
        };
        let state = Arc::clone(&end.state);
        let task = runtime.spawn(async move {
            let end = end;
            let stopped = async move {
                // Without a sender the registry is gone.
                let _ = stopped.wait_for(|stop| *stop).await;
            };
            let outcome = run(consumer, stopped).await;
            end.set(if outcome.is_ok() {
                State::Ended
            } else {
                State::Failed
            });
            outcome
        });
        Self {
            name,
            events: S::MEMBERS,
            readiness,
            state,
            stop,
            bus,
            activity,
            drain_within,
            task,
        }
    }

    pub(super) fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            at if at == State::Running as u8 => State::Running,
            at if at == State::Ended as u8 => State::Ended,
            _ => State::Failed,
        }
    }

    pub(super) fn tell_to_end(&self) {
        self.stop.send_replace(true);
    }

    /// Tells it to end, and waits for that.
    pub(super) async fn end(mut self) -> Result<ConsumerReport, Error> {
        self.tell_to_end();
        let limit = self.drain_within.saturating_add(BEYOND);
        let clock = self.bus.clock();
        let late = clock.sleep_until(clock.monotonic().saturating_add(limit));
        let fault = |kind, reason: &str| {
            let error = Error::new(kind, Operation::Close, reason);
            Err(error.at_consumer(self.name.clone()).with_unknown_outcome())
        };
        match select(&mut self.task, late).await {
            Either::Left((Ok(outcome), _)) => outcome,
            Either::Left((Err(error), _)) if error.is_panic() => {
                fault(ErrorKind::Other, "the task of the consumer panicked")
            }
            Either::Left((Err(_), _)) => fault(ErrorKind::Closed, "the runtime ended"),
            Either::Right(_) => {
                self.task.abort();
                fault(
                    ErrorKind::Timeout,
                    "the consumer did not end within its drain time; a handler blocks its thread",
                )
            }
        }
    }
}

async fn run<S: EventSet>(
    consumer: Consumer<S>,
    stopped: impl Future<Output = ()> + Send,
) -> Result<ConsumerReport, Error> {
    let name = consumer.name().clone();
    let stopped = std::pin::pin!(stopped);
    let start = std::pin::pin!(consumer.start());
    let outcome = match select(start, stopped).await {
        Either::Left((Ok(engine), stopped)) => engine.run(stopped).await,
        Either::Left((Err(error), _)) => Err(error),
        // Nothing was received.
        Either::Right(_) => Ok(ConsumerReport::default()),
    };
    outcome.map_err(|error| {
        let error = match error.consumer() {
            Some(_) => error,
            None => error.at_consumer(name.clone()),
        };
        tracing::error!(
            target: crate::TRACING_TARGET,
            consumer = %name,
            "the consumer failed: {error}"
        );
        error
    })
}

/// Tells the registry that the task has ended, also when it panicked.
struct OnEnd {
    state: Arc<AtomicU8>,
    ended: Arc<watch::Sender<()>>,
}

impl OnEnd {
    fn set(&self, state: State) {
        self.state.store(state as u8, Ordering::Release);
    }
}

impl Drop for OnEnd {
    fn drop(&mut self) {
        let (running, failed) = (State::Running as u8, State::Failed as u8);
        let (success, failure) = (Ordering::AcqRel, Ordering::Acquire);
        let _ = (self.state).compare_exchange(running, failed, success, failure);
        self.ended.send_replace(());
    }
}
