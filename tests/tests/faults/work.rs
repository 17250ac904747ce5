//! Services of the fault tests: publish until stored, receive and ack.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use event_sdk::{Delivery, Error, EventBus, Prepared, Publisher, Subscriber};
use tokio::sync::watch;

use crate::events::Counted;
use crate::ledger::Ledger;
use crate::rig::COUNTED;

/// Nothing stalls for longer than this once the server is back.
pub(crate) const STALL: Duration = Duration::from_secs(25);

/// How long anything may take, a fault and a loaded machine included.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Waits for something that is owed.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    let answered = tokio::time::timeout(PATIENCE, future).await;
    answered.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// Asks until the answer is there.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Repeats something that may take longer than [`TIMEOUT`](crate::rig::TIMEOUT), until it succeeds.
pub(crate) async fn patiently<T>(what: &str, mut ask: impl AsyncFnMut() -> Result<T, Error>) -> T {
    within(what, async {
        loop {
            match ask().await {
                Ok(done) => return done,
                Err(error) => assert!(error.is_transient(), "{what}: {error}"),
            }
        }
    })
    .await
}

/// What goes on while there are faults: events with numbers of their own.
pub(crate) struct Traffic {
    next: AtomicU64,
    over: watch::Sender<bool>,
}

/// How often a publisher has an event, and how often a batch of them.
const PACE: Duration = Duration::from_millis(2);
const PACE_OF_BATCHES: Duration = Duration::from_millis(20);

impl Traffic {
    pub(crate) fn new() -> Self {
        Self {
            next: AtomicU64::new(0),
            over: watch::Sender::new(false),
        }
    }

    /// So many numbers that nobody else has.
    pub(crate) fn numbers(&self, many: u64) -> Range<u64> {
        let begin = self.next.fetch_add(many, Ordering::Relaxed);
        begin..begin + many
    }

    /// There were enough faults.
    pub(crate) fn end(&self) {
        self.over.send_replace(true);
    }

    /// Waits until there were enough faults.
    pub(crate) async fn ended(&self) {
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    /// Publishes one event after the other, each until it is stored.
    pub(crate) async fn publish(&self, bus: &EventBus, ledger: &Ledger) {
        let publisher = bus.publisher::<Counted>();
        let mut pace = tokio::time::interval(PACE);
        while !*self.over.borrow() {
            pace.tick().await;
            for number in self.numbers(1) {
                let prepared = publisher.prepare(Counted::new(number));
                publish_until_stored(&publisher, ledger, prepared).await;
            }
        }
    }

    /// Publishes batch after batch, each until all of it is stored.
    pub(crate) async fn publish_batches(&self, bus: &EventBus, ledger: &Ledger, size: u64) {
        let mut pace = tokio::time::interval(PACE_OF_BATCHES);
        while !*self.over.borrow() {
            pace.tick().await;
            publish_all(bus, ledger, self.numbers(size)).await;
        }
    }
}

/// Publishes the event until it is stored: what has failed is published again as
/// what it is, the same event.
pub(crate) async fn publish_until_stored(
    publisher: &Publisher<Counted>,
    ledger: &Ledger,
    mut prepared: Prepared<Counted>,
) {
    let number = prepared.event().number;
    let id = prepared.id();
    loop {
        match publish_once(publisher, ledger, prepared).await {
            Ok(()) => return,
            Err((error, again)) => {
                assert!(error.is_transient(), "{error:?}");
                assert_eq!((again.id(), again.event().number), (id, number));
                prepared = again;
            }
        }
    }
}

/// Publishes the event; the error has it.
pub(crate) async fn publish_once(
    publisher: &Publisher<Counted>,
    ledger: &Ledger,
    prepared: Prepared<Counted>,
) -> Result<(), (Error, Prepared<Counted>)> {
    let number = prepared.event().number;
    ledger.published(number);
    match within("an answer to a publish", async {
        publisher.publish(prepared).await
    })
    .await
    {
        Ok(stored) => {
            ledger.confirmed(number, &stored);
            Ok(())
        }
        Err(failed) => {
            ledger.not_confirmed(number, COUNTED, failed.error());
            let again = failed.prepared().clone();
            Err((failed.into_error(), again))
        }
    }
}

/// Publishes all of them at once, and those that failed again, until all are stored.
pub(crate) async fn publish_all(bus: &EventBus, ledger: &Ledger, numbers: Range<u64>) {
    let publisher = bus.publisher::<Counted>();
    let mut left: Vec<_> = numbers
        .map(|number| publisher.prepare(Counted::new(number)))
        .collect();
    while !left.is_empty() {
        for prepared in &left {
            ledger.published(prepared.event().number);
        }
        let numbers: Vec<_> = left.iter().map(|one| one.event().number).collect();
        let results = match within("a batch", async { publisher.publish_all(left).await }).await {
            Ok(stored) => stored.into_iter().map(Ok).collect(),
            Err(failed) => failed.into_results(),
        };
        assert_eq!(results.len(), numbers.len());
        left = Vec::new();
        for (number, result) in numbers.into_iter().zip(results) {
            match result {
                Ok(stored) => ledger.confirmed(number, &stored),
                Err(failed) => {
                    assert!(failed.is_transient(), "{failed:?}");
                    ledger.not_confirmed(number, COUNTED, failed.error());
                    left.push(failed.into_prepared());
                }
            }
        }
    }
}

/// The next delivery, noted.
pub(crate) async fn next(
    subscriber: &mut Subscriber<Counted>,
    ledger: &Ledger,
) -> Option<Result<Delivery<Counted>, Error>> {
    let item = within("a delivery", subscriber.next()).await?;
    match &item {
        Ok(delivery) => ledger.received(number(delivery)),
        Err(error) => ledger.failed(error),
    }
    Some(item)
}

/// The next delivery, noted, where nothing else may come.
pub(crate) async fn next_delivery(
    subscriber: &mut Subscriber<Counted>,
    ledger: &Ledger,
) -> Delivery<Counted> {
    match next(subscriber, ledger).await {
        Some(Ok(delivery)) => delivery,
        Some(Err(error)) => panic!("an error came instead of a delivery: {error:?}"),
        None => panic!("the end came instead of a delivery"),
    }
}

/// The error that ends a subscription, noted.
pub(crate) async fn end(subscriber: &mut Subscriber<Counted>, ledger: &Ledger) -> Error {
    let error = match next(subscriber, ledger).await {
        Some(Err(error)) => error,
        other => panic!("{other:?} came instead of an error"),
    };
    let after = within("the end", subscriber.next()).await;
    assert!(after.is_none(), "{after:?} came after {error}");
    error
}

/// Receives and acknowledges until `done`. No error may come: it would be the end.
pub(crate) async fn receive_until(
    subscriber: &mut Subscriber<Counted>,
    ledger: &Ledger,
    done: impl Future<Output = ()>,
) {
    let mut done = std::pin::pin!(done);
    loop {
        let item = tokio::select! {
            biased;
            item = next(subscriber, ledger) => item,
            () = &mut done => return,
        };
        match item {
            Some(Ok(delivery)) => within("an ack", delivery.ack()).await.expect("it is sent"),
            Some(Err(error)) => panic!("the subscription has failed: {error:?}"),
            None => panic!("the subscription has ended"),
        }
    }
}

/// Acknowledges, and waits until the server knows. Where it does not, the error
/// is noted, and the event comes again.
pub(crate) async fn acknowledge(delivery: &Delivery<Counted>, ledger: &Ledger) {
    let confirming = within("the confirmation of an ack", delivery.ack_confirmed());
    if let Err(error) = confirming.await {
        assert!(error.is_transient(), "{error:?}");
        ledger.failed(&error);
    }
}

/// Reads the whole stream as what was received.
pub(crate) async fn read_stored(bus: &EventBus, ledger: &Ledger) {
    let history = within("the history", async { bus.history::<Counted>().await });
    let mut history = history.await.expect("the stream can be read");
    while let Some(recorded) = within("a stored event", history.next()).await {
        let recorded = recorded.expect("it can be read");
        ledger.received(recorded.decode().expect("it is ours").number);
    }
}

/// The number of a delivery.
pub(crate) fn number(delivery: &Delivery<Counted>) -> u64 {
    delivery.decode().expect("it is ours").number
}
