//! Layers: tower's own and one that was written as tower's guide does it, around one attempt.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use event_sdk::consumer::{Attempt, AttemptError, Consumer, Ctx, EventBatch, Failure, Retry};
use event_sdk::{ErrorKind, EventBus};
use tokio::sync::watch;
use tower::limit::ConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::timeout::TimeoutLayer;
use tower::{BoxError, Layer, Service, ServiceBuilder};

use crate::journal::{Journal, OrderPlaced, left, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

type Answer = Pin<Box<dyn Future<Output = Result<(), BoxError>> + Send>>;

/// What a layer of these tests does around the service inside it.
#[derive(Clone)]
enum Does {
    /// Notes the begin and the end, with this name.
    Notes(&'static str),
    /// Answers by itself.
    Acks,
    Rejects,
    /// Panics at its first call.
    PanicsOnce(Arc<AtomicUsize>),
    /// Is ready only while the value is true.
    WaitsFor(watch::Receiver<bool>),
    /// Is ready from the third time on, and fails before.
    FailsTwice(Arc<AtomicUsize>),
    /// Puts the error into one of its own.
    Wraps,
}

#[derive(Clone)]
struct Around(Does, Journal);

#[derive(Clone)]
struct AroundService<S> {
    inner: S,
    does: Does,
    journal: Journal,
    waits: Option<Arc<tokio::sync::Mutex<Answer>>>,
}

impl<S> Layer<S> for Around {
    type Service = AroundService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AroundService {
            inner,
            does: self.0.clone(),
            journal: self.1.clone(),
            waits: None,
        }
    }
}

impl<S> Service<Attempt> for AroundService<S>
where
    S: Service<Attempt, Response = (), Error = BoxError> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = ();
    type Error = BoxError;
    type Future = Answer;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        match &self.does {
            Does::WaitsFor(open) => {
                let mut open = open.clone();
                let waits = self.waits.get_or_insert_with(|| {
                    let waits: Answer = Box::pin(async move {
                        let _ = open.wait_for(|open| *open).await;
                        Ok(())
                    });
                    Arc::new(tokio::sync::Mutex::new(waits))
                });
                let Ok(mut waits) = waits.try_lock() else {
                    return Poll::Pending;
                };
                if waits.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                drop(waits);
                self.waits = None;
            }
            Does::FailsTwice(times) if times.fetch_add(1, Ordering::Relaxed) < 2 => {
                return Poll::Ready(Err("not yet".into()));
            }
            _ => {}
        }
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, attempt: Attempt) -> Answer {
        // The service that was polled is the ready one, as tower's documentation says.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        match &self.does {
            Does::Acks => return Box::pin(async { Ok(()) }),
            Does::Rejects => {
                let failure = Failure::reject("refused by a layer");
                return Box::pin(async { Err(AttemptError::from(failure).into()) });
            }
            Does::PanicsOnce(times) if times.fetch_add(1, Ordering::Relaxed) == 0 => {
                panic!("planted")
            }
            _ => {}
        }
        let (does, journal) = (self.does.clone(), self.journal.clone());
        Box::pin(async move {
            let number = attempt.ctx().attempt();
            if let Does::Notes(name) = does {
                journal.note(format!("{name} begins {number}"));
            }
            let answer = inner.call(attempt).await;
            if let Does::Notes(name) = does {
                journal.note(format!("{name} ends {}", answer.is_ok()));
            }
            match does {
                Does::Wraps => answer.map_err(|error| Box::new(Wrapped(error)) as BoxError),
                _ => answer,
            }
        })
    }
}

/// The error of a layer, whose source is that of the service inside it.
#[derive(Debug)]
struct Wrapped(BoxError);

impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}

impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.0)
    }
}

fn consumer(bus: &EventBus, journal: &Journal) -> Consumer<OrderPlaced> {
    let notes = journal.clone();
    bus.consumer::<OrderPlaced>("billing")
        .on(move |order: OrderPlaced, ctx: Ctx| {
            notes.note(format!(
                "handler {} attempt {}",
                order.number,
                ctx.attempt()
            ));
            async { Ok(()) }
        })
}

#[tokio::test(start_paused = true)]
async fn layers_compose_in_the_order_of_tower() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let around = |name| Around(Does::Notes(name), journal.clone());
    let consumer = consumer(&bus, &journal).layer(around("outer")).layer(
        ServiceBuilder::new()
            .layer(around("middle"))
            .layer(around("inner")),
    );
    let report = consumer.run_until(journal.wait(7)).await.unwrap();
    assert_eq!(report.handled, 1);
    assert_eq!(
        journal.notes(),
        [
            "outer begins 1",
            "middle begins 1",
            "inner begins 1",
            "handler 1 attempt 1",
            "inner ends true",
            "middle ends true",
            "outer ends true",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn elapsed_is_a_retry() {
    for concurrency in [1, 2] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let notes = journal.clone();
        let consumer = bus
            .consumer::<OrderPlaced>("billing")
            .concurrency(concurrency)
            .retry(Retry::steps([secs(1)]).max_attempts(2))
            .layer(TimeoutLayer::new(secs(5)))
            .on(move |_: OrderPlaced, ctx: Ctx| {
                notes.note(format!("attempt {}", ctx.attempt()));
                async move {
                    let time = if ctx.attempt() == 1 { 10 } else { 0 };
                    tokio::time::sleep(secs(time)).await;
                    Ok(())
                }
            });
        let report = consumer.run_until(journal.wait(2)).await.unwrap();
        let timed = journal.timed();
        assert_eq!(timed[1], ("attempt 2".to_owned(), 6.0));
        assert_eq!((report.handled, report.failed_attempts), (1, 1));
        assert_eq!(report.outages, 0);
    }
}

/// A consumer of ten events that counts how many handlers run at once.
async fn most_at_once(
    layered: impl FnOnce(Consumer<OrderPlaced>) -> Consumer<OrderPlaced>,
) -> (usize, event_sdk::consumer::ConsumerReport) {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=10 {
        place(&bus, "a", number).await;
    }
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (notes, seen) = (journal.clone(), Arc::clone(&most));
    let consumer = bus.consumer::<OrderPlaced>("billing").concurrency(8);
    let consumer = layered(consumer).on(move |_: OrderPlaced, ctx: Ctx| {
        let (notes, running, seen) = (notes.clone(), Arc::clone(&running), Arc::clone(&seen));
        async move {
            assert_eq!(ctx.attempt(), 1);
            seen.fetch_max(
                running.fetch_add(1, Ordering::Relaxed) + 1,
                Ordering::Relaxed,
            );
            tokio::time::sleep(secs(1)).await;
            running.fetch_sub(1, Ordering::Relaxed);
            notes.note("done");
            Ok(())
        }
    });
    let report = consumer.run_until(journal.wait(10)).await.unwrap();
    assert_eq!(left(&bus, "billing").await, (0, 0));
    assert_eq!((report.handled, report.failed_attempts), (10, 0));
    (most.load(Ordering::Relaxed), report)
}

#[tokio::test(start_paused = true)]
async fn a_limit_holds_events_back() {
    let (most, _) = most_at_once(|consumer| consumer).await;
    assert_eq!(most, 8);
    let (most, report) =
        most_at_once(|consumer| consumer.layer(ConcurrencyLimitLayer::new(2))).await;
    assert_eq!((most, report.outages), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn overloaded_is_an_outage_and_no_attempt() {
    let (most, report) = most_at_once(|consumer| {
        consumer
            .layer(LoadShedLayer::new())
            .layer(ConcurrencyLimitLayer::new(2))
    })
    .await;
    assert_eq!(most, 2);
    assert!(report.outages > 0, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn services_that_are_not_clone_stand_behind_a_buffer() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=4 {
        place(&bus, "a", number).await;
    }
    let limited = ServiceBuilder::new().buffer(8).rate_limit(1, secs(10));
    let consumer = consumer(&bus, &journal).layer(limited);
    let report = consumer.run_until(journal.wait(4)).await.unwrap();
    assert_eq!(report.handled, 4);
    let times: Vec<_> = journal.timed().into_iter().map(|(_, at)| at).collect();
    assert_eq!(times, [0.0, 10.0, 20.0, 30.0]);
}

#[tokio::test(start_paused = true)]
async fn failures_of_the_handler_pass_unchanged() {
    for wraps in [false, true] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        for number in 1..=3 {
            place(&bus, "a", number).await;
        }
        bus.raw()
            .publish("orders.order.placed.a", "{}")
            .await
            .unwrap();
        let notes = journal.clone();
        let mut consumer = bus
            .consumer::<OrderPlaced>("billing")
            .layer(TimeoutLayer::new(secs(5)));
        if wraps {
            consumer = consumer.layer(Around(Does::Wraps, journal.clone()));
        }
        let consumer =
            consumer
                .layer(LoadShedLayer::new())
                .on(move |order: OrderPlaced, ctx: Ctx| {
                    notes.note(format!("{} attempt {}", order.number, ctx.attempt()));
                    async move {
                        match (order.number, ctx.attempt()) {
                            (1, _) => Err(Failure::reject("never")),
                            (2, 1) => Err(Failure::retry("later")),
                            _ => Ok(()),
                        }
                    }
                });
        let report = consumer.run_until(journal.wait(4)).await.unwrap();
        let notes = ["1 attempt 1", "2 attempt 1", "3 attempt 1", "2 attempt 2"];
        assert_eq!(journal.notes(), notes);
        // The reject, and the body that is no envelope.
        assert_eq!(report.terminated + report.dead_lettered, 2);
        assert_eq!(report.handled, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_layer_may_decide_alone() {
    for (does, handled) in [(Does::Acks, 1), (Does::Rejects, 0)] {
        let (bus, journal) = (EventBus::memory(), Journal::new());
        place(&bus, "a", 1).await;
        let around = Around(Does::Notes("layer"), journal.clone());
        let decides = Around(does, journal.clone());
        let consumer = consumer(&bus, &journal).layer(around).layer(decides);
        let report = consumer.run_until(journal.wait(2)).await.unwrap();
        assert_eq!(report.handled, handled);
        assert_eq!(report.terminated + report.dead_lettered, 1 - handled);
        assert_eq!(journal.notes().len(), 2, "the handler did not run");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_waits_for_the_layers_without_an_attempt() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let open = watch::Sender::new(false);
    let waits = Around(Does::WaitsFor(open.subscribe()), journal.clone());
    let consumer = consumer(&bus, &journal)
        .ack_wait(secs(30))
        .handler_timeout(secs(1))
        .layer(waits);
    let running = tokio::spawn(consumer.run_until({
        let journal = journal.clone();
        async move { journal.wait(1).await }
    }));
    // Longer than the time limit and the ack wait.
    tokio::time::sleep(secs(100)).await;
    assert_eq!(journal.notes().len(), 0);
    open.send_replace(true);
    let report = running.await.unwrap().unwrap();
    assert_eq!(journal.timed(), [("handler 1 attempt 1".to_owned(), 100.0)]);
    assert_eq!((report.handled, report.failed_attempts), (1, 0));
    assert_eq!(left(&bus, "billing").await, (0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_waits_for_the_layers_is_given_back_at_the_end() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let open = watch::Sender::new(false);
    let waits = Around(Does::WaitsFor(open.subscribe()), journal.clone());
    let consumer = consumer(&bus, &journal).layer(waits);
    let report = consumer.run_until(tokio::time::sleep(secs(5))).await;
    let report = report.unwrap();
    assert_eq!((report.handled, report.given_back), (0, 1));
    // Another instance gets it at once, as its first attempt.
    let again = self::consumer(&bus, &journal).run_until(journal.wait(1));
    assert_eq!(again.await.unwrap().handled, 1);
    assert_eq!(journal.timed(), [("handler 1 attempt 1".to_owned(), 5.0)]);
}

#[tokio::test(start_paused = true)]
async fn layers_that_fail_to_be_ready_are_an_outage() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let fails = Around(Does::FailsTwice(Arc::default()), journal.clone());
    let consumer = consumer(&bus, &journal).layer(fails);
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes(), ["handler 1 attempt 1"]);
    assert_eq!((report.handled, report.outages), (1, 2));
    assert_eq!(report.failed_attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn a_layer_that_panics_is_a_failed_attempt() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let panics = Around(Does::PanicsOnce(Arc::default()), journal.clone());
    let consumer = consumer(&bus, &journal).layer(panics);
    let report = consumer.run_until(journal.wait(1)).await.unwrap();
    assert_eq!(journal.notes(), ["handler 1 attempt 2"]);
    assert_eq!((report.handled, report.failed_attempts), (1, 1));
}

#[tokio::test]
async fn a_blocking_handler_keeps_its_key_when_a_layer_gives_it_up() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    for number in 1..=2 {
        place(&bus, "a", number).await;
    }
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    let blocked = std::sync::Mutex::new(blocked);
    let notes = journal.clone();
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .ordered_by_key()
        .concurrency(2)
        .retry(Retry::none())
        .layer(Around(Does::Notes("layer"), journal.clone()))
        .layer(TimeoutLayer::new(Duration::from_millis(1)))
        .on_blocking(move |order: OrderPlaced, _| {
            notes.note(format!("handler {}", order.number));
            if order.number == 1 {
                let _ = blocked.lock().unwrap().recv();
                notes.note("returned");
            }
            Ok(())
        });
    let signal = journal.clone();
    let running = tokio::spawn(consumer.run_until(async move { signal.wait(6).await }));
    journal.wait(3).await;
    drop(release);
    running.await.unwrap().unwrap();
    let mut notes = journal.notes();
    // The layer may give up before a thread has started the handler.
    notes[1..3].sort();
    assert_eq!(
        notes[..5],
        [
            "layer begins 1",
            "handler 1",
            "layer ends false",
            "returned",
            "layer begins 1",
        ]
    );
}

#[tokio::test]
async fn layers_around_batches_are_refused() {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    let consumer = bus
        .consumer::<OrderPlaced>("billing")
        .layer(Around(Does::Acks, journal))
        .on_batches(10, secs(1), |_: EventBatch<OrderPlaced>| async { Ok(()) });
    let error = consumer.run().await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("on_batches"), "{error}");
}
