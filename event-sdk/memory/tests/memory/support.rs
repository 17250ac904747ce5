//! Test support: a transport with a stepped clock, and short forms of its calls.
//!
//! Everything in the memory transport is answered at once, so no test needs a
//! runtime or waits for anything: polling once decides.

use std::future::Future;
use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use bytes::Bytes;
use event_sdk::stream::{StreamConfig, StreamSpec};
use event_sdk::time::{Clock, Sleep};
use event_sdk::transport::TransportExt as _;
use event_sdk::transport::memory::{MemoryTransport, MemoryTransportBuilder};
use event_sdk::transport::{
    Body, BoundConsumer, Completion, ConsumerChange, ConsumerConfig, ConsumerName, Error,
    Exhausted, Expectations, Gap, Incoming, LostCount, MessageId, PublishRequest, Received,
    Settlement, Stored, StreamState, SubscribeRequest, Subscription, Transport,
};
use event_sdk::{Pattern, Subject};
use futures_util::FutureExt;
use jiff::{SignedDuration, Timestamp};

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub(crate) struct HandClock(Arc<Mutex<Hands>>);

#[derive(Debug, Default)]
struct Hands {
    now: Duration,
    /// How far the time of day was set forward.
    ahead: SignedDuration,
    sleepers: Vec<(Duration, Waker)>,
    sleeps: usize,
}

struct HandSleep {
    deadline: Duration,
    hands: Arc<Mutex<Hands>>,
}

impl HandClock {
    pub(crate) fn step(&self, by: Duration) {
        let mut hands = self.0.lock().unwrap();
        hands.now += by;
        let now = hands.now;
        let (woken, asleep) = std::mem::take(&mut hands.sleepers)
            .into_iter()
            .partition(|(deadline, _)| *deadline <= now);
        hands.sleepers = asleep;
        drop(hands);
        let woken: Vec<(Duration, Waker)> = woken;
        for (_, waker) in woken {
            waker.wake();
        }
    }

    /// Sets the time of day so far ahead of where it would be.
    pub(crate) fn set_ahead(&self, by: SignedDuration) {
        self.0.lock().unwrap().ahead = by;
    }

    /// How many sleeps were begun.
    pub(crate) fn sleeps(&self) -> usize {
        self.0.lock().unwrap().sleeps
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        let hands = self.0.lock().unwrap();
        at(hands.now) + hands.ahead
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn sleep_until(&self, deadline: Duration) -> Sleep {
        self.0.lock().unwrap().sleeps += 1;
        Box::pin(HandSleep {
            deadline,
            hands: self.0.clone(),
        })
    }
}

impl Future for HandSleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut hands = self.hands.lock().unwrap();
        if self.deadline <= hands.now {
            return Poll::Ready(());
        }
        hands.sleepers.push((self.deadline, cx.waker().clone()));
        Poll::Pending
    }
}

/// The time of a test that has run for so long.
pub(crate) fn at(run: Duration) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap() + run
}

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A transport and its clock.
pub(crate) struct Rig {
    pub(crate) clock: Arc<HandClock>,
    pub(crate) transport: MemoryTransport,
}

impl Rig {
    /// With the streams that `declare` adds.
    pub(crate) fn new(
        declare: impl FnOnce(MemoryTransportBuilder) -> MemoryTransportBuilder,
    ) -> Self {
        let clock = Arc::new(HandClock::default());
        let builder = MemoryTransport::builder().clock(clock.clone());
        Self {
            transport: declare(builder).build().unwrap(),
            clock,
        }
    }

    /// With one stream `S` over everything, made by `declare`.
    pub(crate) fn of(declare: impl FnOnce(StreamSpec) -> StreamSpec) -> Self {
        let config = config(&declare(StreamSpec::new("S").absolute(">")));
        Self::new(|builder| builder.stream(config))
    }

    /// With one stream `S` over everything, without limits.
    pub(crate) fn plain() -> Self {
        Self::of(|stream| stream)
    }

    pub(crate) fn step(&self, by: Duration) {
        self.clock.step(by);
    }

    pub(crate) fn publish(&self, subject: &str) -> u64 {
        self.try_publish(subject, |_| {}).unwrap().sequence.unwrap()
    }

    pub(crate) fn publish_many(&self, subject: &str, count: u64) {
        for _ in 0..count {
            self.publish(subject);
        }
    }

    pub(crate) fn publish_id(&self, subject: &str, id: &str) -> Stored {
        let id = MessageId::Text(id.to_owned().into());
        self.try_publish(subject, |message| message.message_id = Some(id))
            .unwrap()
    }

    pub(crate) fn publish_expecting(
        &self,
        subject: &str,
        expect: Expectations,
    ) -> Result<Stored, Error> {
        self.try_publish(subject, |message| message.expect = expect)
    }

    pub(crate) fn try_publish(
        &self,
        subject: &str,
        change: impl FnOnce(&mut PublishRequest<'_>),
    ) -> Result<Stored, Error> {
        let subject = Subject::parse(subject.to_owned()).unwrap();
        let mut message = PublishRequest::new(&subject, Body::Encoded(Bytes::from_static(b"{}")));
        change(&mut message);
        now(now(self.transport.publish(message))?)
    }

    pub(crate) fn subscribe(&self, config: ConsumerConfig) -> Subscriber {
        self.try_subscribe(request("S", config)).unwrap()
    }

    pub(crate) fn try_subscribe(&self, request: SubscribeRequest) -> Result<Subscriber, Error> {
        now(self.transport.subscribe(request)).map(Subscriber::new)
    }

    pub(crate) fn state(&self) -> StreamState {
        now(self.transport.stream_state("S")).unwrap()
    }

    pub(crate) fn close(&self) {
        now(self.transport.close()).unwrap();
    }

    pub(crate) fn apply_consumer(&self, config: &ConsumerConfig) -> Result<ConsumerChange, Error> {
        now(self.transport.apply_consumer("S", config))
    }

    pub(crate) fn delete(&self, consumer: &str) -> Result<(), Error> {
        now(self.transport.delete_consumer("S", consumer))
    }
}

/// What an answer is that is known.
pub(crate) fn now<T>(answer: Completion<T>) -> T {
    answer
        .try_into_ready()
        .expect("a memory transport answers at once")
}

pub(crate) fn config(stream: &StreamSpec) -> StreamConfig {
    stream.config("events").unwrap()
}

pub(crate) fn pattern(text: &str) -> Pattern {
    Pattern::parse(text.to_owned()).unwrap()
}

pub(crate) fn durable(name: &str) -> ConsumerConfig {
    named(ConsumerName::Durable(name.to_owned().into()))
}

pub(crate) fn group(name: &str) -> ConsumerConfig {
    named(ConsumerName::Group(name.to_owned().into()))
}

pub(crate) fn ephemeral() -> ConsumerConfig {
    named(ConsumerName::Ephemeral)
}

fn named(name: ConsumerName) -> ConsumerConfig {
    ConsumerConfig::new(name, vec![Pattern::everything()])
}

pub(crate) fn request(stream: &str, config: ConsumerConfig) -> SubscribeRequest {
    let mut request = SubscribeRequest::new(stream.to_owned(), config);
    request.prefetch = 64.into();
    request
}

pub(crate) fn some(number: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(number)
}

/// A subscription, and how often its task was woken.
pub(crate) struct Subscriber {
    subscription: Subscription,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Subscriber {
    /// The consumer that it has.
    pub(crate) fn bound(&self) -> &BoundConsumer {
        &self.subscription.bound
    }

    fn new(subscription: Subscription) -> Self {
        Self {
            subscription,
            woken: Arc::default(),
        }
    }

    /// Polls as a task does that runs again while it wakes itself.
    pub(crate) fn poll(&mut self) -> Poll<Option<Result<Incoming, Error>>> {
        loop {
            let polled = self.poll_once();
            if polled.is_ready() || self.woken.0.load(Ordering::Relaxed) == 0 {
                return polled;
            }
        }
    }

    /// Polls as a task does that runs once.
    pub(crate) fn poll_once(&mut self) -> Poll<Option<Result<Incoming, Error>>> {
        self.take_woken();
        let waker = Waker::from(self.woken.clone());
        let subscription = self.subscription.deliveries.as_mut();
        subscription.poll_next(&mut Context::from_waker(&waker))
    }

    /// Whether it was woken since it was polled.
    pub(crate) fn take_woken(&self) -> bool {
        self.take_wakes() > 0
    }

    /// How often it was woken since it was polled.
    pub(crate) fn take_wakes(&self) -> usize {
        self.woken.0.swap(0, Ordering::Relaxed)
    }

    /// What comes next, if there is something.
    pub(crate) fn try_next(&mut self) -> Option<Incoming> {
        match self.poll() {
            Poll::Ready(item) => Some(item.expect("the subscription goes on").unwrap()),
            Poll::Pending => None,
        }
    }

    /// The next message.
    pub(crate) fn message(&mut self) -> Received {
        match self.try_next() {
            Some(Incoming::Message(message)) => message,
            other => panic!("a message is due, not {other:?}"),
        }
    }

    /// The sequence and the attempt of the next message.
    pub(crate) fn seq(&mut self) -> (u64, u32) {
        let info = self.message().info;
        (info.sequence.unwrap(), info.attempt)
    }

    /// The sequences of all messages that there are now, acknowledged.
    pub(crate) fn drain(&mut self) -> Vec<u64> {
        let mut sequences = Vec::new();
        while let Some(item) = self.try_next() {
            let Incoming::Message(message) = item else {
                panic!("only messages are due, not {item:?}")
            };
            sequences.push(message.info.sequence.unwrap());
            if message.settler.is_some() {
                message.settle(Settlement::Ack);
            }
        }
        sequences
    }

    pub(crate) fn gap(&mut self) -> Gap {
        match self.try_next() {
            Some(Incoming::Notice(notice)) if notice.gap().is_some() => notice.gap().unwrap(),
            other => panic!("a gap is due, not {other:?}"),
        }
    }

    pub(crate) fn exhausted(&mut self) -> Exhausted {
        match self.try_next() {
            Some(Incoming::Notice(notice)) if notice.exhausted().is_some() => {
                notice.exhausted().unwrap().clone()
            }
            other => panic!("an exhausted message is due, not {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn nothing(&mut self) {
        if let Some(item) = self.try_next() {
            panic!("nothing is due, not {item:?}");
        }
    }

    /// It has ended, without an error.
    #[track_caller]
    pub(crate) fn end(&mut self) {
        let end = self.poll();
        assert!(matches!(end, Poll::Ready(None)), "{end:?} is no end");
    }

    /// The error with which it fails.
    #[track_caller]
    pub(crate) fn failure(&mut self) -> Error {
        let Poll::Ready(Some(Err(error))) = self.poll() else {
            panic!("an error is due")
        };
        assert!(
            matches!(self.poll(), Poll::Ready(None)),
            "nothing follows it"
        );
        error
    }
}

/// Settling in a word.
pub(crate) trait SettleNow {
    fn try_settle(&self, settlement: Settlement) -> Result<(), Error>;

    #[track_caller]
    fn settle(&self, settlement: Settlement) {
        self.try_settle(settlement).unwrap();
    }

    #[track_caller]
    fn ack(&self) {
        self.settle(Settlement::Ack);
    }

    #[track_caller]
    fn nak(&self, delay: Duration) {
        self.settle(Settlement::Nak(delay));
    }
}

impl SettleNow for Received {
    fn try_settle(&self, settlement: Settlement) -> Result<(), Error> {
        let settler = self.settler.as_ref().expect("there is something to settle");
        settler.settle(settlement).now_or_never().unwrap()
    }
}

pub(crate) fn exactly(from: u64, to: u64, lost: u64) -> Gap {
    Gap {
        from,
        to,
        lost: LostCount::Exactly(lost),
    }
}
