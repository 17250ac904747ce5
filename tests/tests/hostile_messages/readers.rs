//! `Reader`: a task that reads and settles, keeps a log of what came, and measures the CPU time of
//! each poll.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use event_sdk::transport::NoticeKind;
use event_sdk::{EventBus, Incoming, Subscriber};
use event_sdk_tests::orders::{AllOrderEvents, CustomerMoved};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::kinds::Comes;

/// What came under a sequence; the ids of good events are numbers below a million.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Came {
    Good(usize),
    Odd(Comes),
}

#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) came: Vec<(u64, Came)>,
    /// Errors and notices that belong to no message.
    pub(crate) other: Vec<String>,
    /// The slowest poll or decoding, and the sequence that had come before it.
    pub(crate) slowest: (Duration, u64),
}

/// What a reader must get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    /// All, once.
    Messages,
    /// What is stored and can be read.
    History,
    /// The good ones, once and without a sequence; of the others, what can be delivered.
    Core,
    /// The events of another subject, once.
    Unrelated,
}

pub(crate) struct Reader {
    pub(crate) name: &'static str,
    pub(crate) of: Of,
    log: Arc<Mutex<Log>>,
    changed: watch::Receiver<()>,
    task: JoinHandle<()>,
}

impl Reader {
    /// Begins to read; settles if that is wanted.
    pub(crate) fn new(
        name: &'static str,
        subscriber: Subscriber<AllOrderEvents>,
        settles: bool,
    ) -> Self {
        Self::start(name, Of::Messages, |log, changed| {
            read(subscriber, settles, log, changed)
        })
    }

    /// Reads what is published, without a stream.
    pub(crate) fn core(name: &'static str, subscriber: Subscriber<AllOrderEvents>) -> Self {
        Self::start(name, Of::Core, |log, changed| {
            read(subscriber, false, log, changed)
        })
    }

    /// Reads the events of another subject, which are all good.
    pub(crate) fn unrelated(name: &'static str, subscriber: Subscriber<CustomerMoved>) -> Self {
        Self::start(name, Of::Unrelated, |log, changed| {
            unrelated(subscriber, log, changed)
        })
    }

    /// Reads what is stored.
    pub(crate) fn history(name: &'static str, bus: EventBus) -> Self {
        Self::start(name, Of::History, |log, changed| history(bus, log, changed))
    }

    fn start<F>(
        name: &'static str,
        of: Of,
        run: impl FnOnce(Arc<Mutex<Log>>, watch::Sender<()>) -> F,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let log = Arc::<Mutex<Log>>::default();
        let (sender, changed) = watch::channel(());
        let task = tokio::spawn(run(Arc::clone(&log), sender));
        Self {
            name,
            of,
            log,
            changed,
            task,
        }
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        lock(&self.log)
    }

    /// Waits until `done` holds of the log, or reading has ended.
    pub(crate) async fn until(&mut self, done: impl Fn(&Log) -> bool) {
        while !done(&self.log()) && self.changed.changed().await.is_ok() {}
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let log = self.log();
        let last: Vec<_> = log.came.iter().rev().take(4).collect();
        write!(
            f,
            "{}: {} messages, the last {last:?}",
            self.name,
            log.came.len()
        )?;
        write!(f, ", beside them {:?}", log.other)
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs it, and keeps the CPU time if it is the longest so far.
fn measured<T>(log: &Mutex<Log>, run: impl FnOnce() -> T) -> T {
    let before = cpu_time();
    let result = run();
    let took = cpu_time().saturating_sub(before);
    let mut log = lock(log);
    if took > log.slowest.0 {
        let last = log.came.last().map_or(0, |(sequence, _)| *sequence);
        log.slowest = (took, last);
    }
    result
}

/// The same for each poll of a future.
async fn polled<F: Future>(log: &Mutex<Log>, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|cx| measured(log, || future.as_mut().poll(cx))).await
}

/// The CPU time of this thread.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanos = u32::try_from(time.tv_nsec).unwrap_or_default();
    Duration::new(seconds, nanos)
}

async fn read(
    mut subscriber: Subscriber<AllOrderEvents>,
    settles: bool,
    log: Arc<Mutex<Log>>,
    changed: watch::Sender<()>,
) {
    while let Some(incoming) = polled(&log, subscriber.next_incoming()).await {
        match incoming {
            Ok(Incoming::Delivery(delivery)) => {
                let sequence = delivery.sequence().unwrap_or_default();
                let (came, settled) = match measured(&log, || delivery.decode()) {
                    Ok(event) if settles => (decoded(&event), delivery.ack().await),
                    Err(error) if settles => {
                        let refused = Comes::Refused(error.kind());
                        (Came::Odd(refused), delivery.term(&error).await)
                    }
                    Ok(event) => (decoded(&event), Ok(())),
                    Err(error) => (Came::Odd(Comes::Refused(error.kind())), Ok(())),
                };
                let mut log = lock(&log);
                log.came.push((sequence, came));
                if let Err(error) = settled {
                    log.other.push(error.to_string());
                }
            }
            Ok(Incoming::Notice(notice)) => {
                let mut log = lock(&log);
                match notice.kind() {
                    NoticeKind::Unreadable {
                        sequence: Some(sequence),
                        ..
                    } => log.came.push((*sequence, Came::Odd(Comes::Unreadable))),
                    _ => log.other.push(notice.to_string()),
                }
            }
            Err(error) => lock(&log).other.push(error.to_string()),
        }
        changed.send_replace(());
    }
}

fn decoded(event: &AllOrderEvents) -> Came {
    match event {
        AllOrderEvents::Placed(placed) if placed.id < 1_000_000 => {
            Came::Good(usize::try_from(placed.id).unwrap_or_default())
        }
        _ => Came::Odd(Comes::Decodes),
    }
}

async fn unrelated(
    mut subscriber: Subscriber<CustomerMoved>,
    log: Arc<Mutex<Log>>,
    changed: watch::Sender<()>,
) {
    while let Some(delivery) = polled(&log, subscriber.next()).await {
        match delivery {
            Ok(delivery) => {
                let id = delivery
                    .decode()
                    .ok()
                    .and_then(|event| event.customer.parse().ok());
                let acked = delivery.ack().await;
                let mut log = lock(&log);
                match id {
                    Some(id) => log.came.push((0, Came::Good(id))),
                    None => log
                        .other
                        .push("an unrelated event cannot be read".to_owned()),
                }
                if let Err(error) = acked {
                    log.other.push(error.to_string());
                }
            }
            Err(error) => lock(&log).other.push(error.to_string()),
        }
        changed.send_replace(());
    }
}

async fn history(bus: EventBus, log: Arc<Mutex<Log>>, changed: watch::Sender<()>) {
    let mut history = match bus.history::<AllOrderEvents>().await {
        Ok(history) => history,
        Err(error) => return lock(&log).other.push(error.to_string()),
    };
    while let Some(stored) = polled(&log, history.next()).await {
        match stored {
            Ok(stored) => {
                let came = match measured(&log, || stored.decode()) {
                    Ok(event) => decoded(&event),
                    Err(error) => Came::Odd(Comes::Refused(error.kind())),
                };
                lock(&log).came.push((stored.sequence(), came));
            }
            Err(error) => lock(&log).other.push(error.to_string()),
        }
        changed.send_replace(());
    }
}
