//! `Points`: counts the points of a run at which its process may crash, and crashes it at one.

use std::fmt;
use std::future::pending;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use event_sdk::transport::{
    Completion, Confirmation, Deliveries, Error, Incoming, PublishRequest, Received, Settle,
    Settlement, Settler, SubscribeRequest, Subscription, Transport,
};
use futures_core::Stream;
use tokio::sync::Notify;

use crate::intercept::Intercept;

/// The points of one run, over all of its processes.
#[derive(Debug, Default)]
pub(super) struct Points {
    crash_at: Option<u32>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    passed: u32,
    trace: Vec<String>,
}

impl Points {
    pub(super) fn new(crash_at: Option<u32>) -> Self {
        Self {
            crash_at,
            state: Mutex::default(),
        }
    }

    /// Notes what is no point, such as a restart.
    pub(super) fn note(&self, text: impl Into<String>) {
        self.lock().trace.push(text.into());
    }

    /// What happened, in order.
    pub(super) fn trace(&self) -> Vec<String> {
        self.lock().trace.clone()
    }

    /// How many points were passed.
    pub(super) fn passed(&self) -> u32 {
        self.lock().passed
    }

    /// That the point of the crash was not reached, as text.
    pub(super) fn unreached(&self) -> Option<String> {
        let (wanted, passed) = (self.crash_at?, self.passed());
        (passed < wanted).then(|| {
            format!(
                "the run has {passed} points and no point {wanted}: the scenario is another one, or \
                 its runs differ, since the service uses real time, random numbers, threads of its \
                 own or the order of a hash map"
            )
        })
    }

    /// Counts a point; whether the process crashes here.
    fn pass(&self, text: &str) -> bool {
        let mut state = self.lock();
        state.passed += 1;
        let crashes = self.crash_at == Some(state.passed);
        let number = state.passed;
        let mark = if crashes { "  <- crash" } else { "" };
        state.trace.push(format!("{number}. {text}{mark}"));
        crashes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The calls of one process. After its crash, none completes and none has an effect.
#[derive(Debug, Clone)]
pub(super) struct Process {
    points: Arc<Points>,
    crash: Arc<Crash>,
}

#[derive(Debug, Default)]
struct Crash {
    done: AtomicBool,
    told: Notify,
}

impl Process {
    pub(super) fn new(points: &Arc<Points>) -> Self {
        Self {
            points: Arc::clone(points),
            crash: Arc::default(),
        }
    }

    /// Waits for the crash.
    pub(super) async fn crashed(&self) {
        self.crash.told.notified().await;
    }

    fn is_dead(&self) -> bool {
        self.crash.done.load(Ordering::Acquire)
    }

    /// Whether the process goes on after this point.
    fn passes(&self, text: &str) -> bool {
        if self.is_dead() {
            return false;
        }
        if self.points.pass(text) {
            self.crash.done.store(true, Ordering::Release);
            self.crash.told.notify_one();
            return false;
        }
        true
    }

    /// A call with the points before and after it.
    fn around<T: Send + 'static>(
        &self,
        call: impl fmt::Display,
        make: impl FnOnce() -> Completion<T>,
    ) -> Completion<T> {
        if !self.passes(&format!("before {call}")) {
            return never();
        }
        let after = format!("after {call}");
        match make().try_into_ready() {
            Ok(_) if !self.passes(&after) => never(),
            Ok(answer) => Completion::ready(answer),
            Err(completion) => {
                let process = self.clone();
                Completion::later(async move {
                    let answer = completion.await;
                    if !process.passes(&after) {
                        pending::<()>().await;
                    }
                    answer
                })
            }
        }
    }
}

impl Intercept for Process {
    fn publish(
        &self,
        inner: &dyn Transport,
        message: PublishRequest<'_>,
    ) -> Completion<Result<Confirmation, Error>> {
        let call = format!("publish {}", message.subject);
        if !self.passes(&format!("before {call}")) {
            return never();
        }
        let process = self.clone();
        let confirmed = move |result: Result<Confirmation, Error>| {
            let after = format!("after {call}");
            result.map(|confirmation| match confirmation.try_into_ready() {
                Ok(_) if !process.passes(&after) => never(),
                Ok(stored) => Completion::ready(stored),
                Err(confirmation) => Completion::later(async move {
                    let stored = confirmation.await;
                    if !process.passes(&after) {
                        pending::<()>().await;
                    }
                    stored
                }),
            })
        };
        match inner.publish(message).try_into_ready() {
            Ok(result) => Completion::ready(confirmed(result)),
            Err(accepting) => Completion::later(async move { confirmed(accepting.await) }),
        }
    }

    fn subscribe(
        &self,
        inner: &dyn Transport,
        request: SubscribeRequest,
    ) -> Completion<Result<Subscription, Error>> {
        let name = request.config.name.as_str();
        let consumer = name.unwrap_or("an ephemeral consumer").to_owned();
        let stream = request.stream.clone();
        let process = self.clone();
        let call = format!("subscribe {consumer} to {stream}");
        self.around(call, || {
            let with_points = move |subscription: Subscription| {
                subscription.map_deliveries(|inner| Crashing {
                    inner,
                    process,
                    consumer,
                })
            };
            match inner.subscribe(request).try_into_ready() {
                Ok(subscribed) => Completion::ready(subscribed.map(with_points)),
                Err(subscribing) => {
                    Completion::later(async move { Ok(with_points(subscribing.await?)) })
                }
            }
        })
    }

    fn call<T: Send + 'static>(
        &self,
        name: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        self.around(name, make)
    }
}

/// The deliveries of a process, with a point before each.
struct Crashing {
    inner: Deliveries,
    process: Process,
    consumer: String,
}

impl Stream for Crashing {
    type Item = Result<Incoming, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.process.is_dead() {
            return Poll::Pending;
        }
        match this.inner.as_mut().poll_next(cx) {
            Poll::Ready(Some(Ok(Incoming::Message(mut received)))) => {
                let message = described(&received, &this.consumer);
                if !this
                    .process
                    .passes(&format!("before the delivery of {message}"))
                {
                    return Poll::Pending;
                }
                received.settler = received.settler.take().map(|inner| {
                    let token = received.info.sequence.unwrap_or_default();
                    let settle = CrashingSettle {
                        inner,
                        process: this.process.clone(),
                        message,
                    };
                    Settler::new(Arc::new(settle), token)
                });
                Poll::Ready(Some(Ok(Incoming::Message(received))))
            }
            item => item,
        }
    }
}

fn described(received: &Received, consumer: &str) -> String {
    let info = &received.info;
    let stream = info.stream.as_deref().unwrap_or("-");
    let sequence = info.sequence.unwrap_or_default();
    let subject = &received.subject;
    format!(
        "{subject} ({stream} {sequence}, {consumer}, delivery {})",
        info.attempt
    )
}

/// Settles one delivery, with the points before and after.
struct CrashingSettle {
    inner: Settler,
    process: Process,
    message: String,
}

impl Settle for CrashingSettle {
    fn settle(&self, _: u64, settlement: Settlement) -> Completion<Result<(), Error>> {
        let kind = match settlement {
            Settlement::Ack => "ack",
            Settlement::AckConfirmed => "confirmed ack",
            Settlement::Nak(_) => "nak",
            Settlement::Term(_) => "term",
            Settlement::TermConfirmed(_) => "confirmed term",
            Settlement::InProgress => "in progress",
        };
        let call = format!("{kind} of {}", self.message);
        self.process.around(call, || self.inner.settle(settlement))
    }
}

/// A process that has crashed sees no call complete.
fn never<T: Send + 'static>() -> Completion<T> {
    Completion::later(pending())
}
