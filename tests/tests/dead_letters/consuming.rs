//! A consumer's letters from end to end: 1,000 events are given up, redriven by a command that is
//! killed 100 times, and handled once each; other consumers of the stream see nothing.

use std::collections::BTreeMap;
use std::future::{IntoFuture as _, poll_fn};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use event_sdk::consumer::{ConsumerReport, Failure};
use event_sdk::dead_letters::{
    DeadLetterClass, DeadLetterStream, DeadLetters, LetterFilter, Page, RedriveOutcome,
};
use event_sdk::{Error, EventBus, Pii};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::export::OrderEvents;
use crate::rig::{OrderPlaced, PLANTED, buses, within};
use crate::stepwise::Stepwise;

/// What the consumer `billing` does, and has done.
#[derive(Clone, Default)]
struct Billing {
    repaired: Arc<AtomicBool>,
    handled: Arc<Mutex<BTreeMap<u64, usize>>>,
    /// What was handled before it was redriven.
    early: Arc<AtomicUsize>,
    takes: Duration,
}

impl Billing {
    /// Runs it until it is told to end.
    fn start(&self, bus: &EventBus, mut end: watch::Receiver<bool>) -> Running {
        let billing = self.clone();
        let consumer = bus
            .consumer::<OrderEvents>("billing")
            .ack_wait(Duration::from_secs(2))
            .dead_letters(DeadLetters::stream("DLQ"))
            .concurrency(16)
            .on(move |order: OrderPlaced, ctx| {
                let billing = billing.clone();
                async move {
                    if !billing.repaired.load(Ordering::Relaxed) {
                        // Its text has personal data.
                        return Err(Failure::reject(order.customer.expose().clone()));
                    }
                    let redriven = ctx.redriven().map(|it| it.redrive);
                    if redriven != Some(1) || ctx.message().relative_subject().is_none() {
                        billing.early.fetch_add(1, Ordering::Relaxed);
                    }
                    *billing.handled.lock().unwrap().entry(order.id).or_default() += 1;
                    tokio::time::sleep(billing.takes).await;
                    Ok(())
                }
            });
        tokio::spawn(consumer.run_until(async move {
            let _ = end.wait_for(|end| *end).await;
        }))
    }

    fn count(&self) -> usize {
        self.handled.lock().unwrap().len()
    }
}

type Running = JoinHandle<Result<ConsumerReport, Error>>;

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    within(what, poll).await;
}

/// Publishes events, and waits until all are letters.
async fn give_up(bus: &EventBus, events: u64) {
    let orders = (1..=events).map(|id| OrderPlaced {
        id,
        customer: Pii::new(PLANTED.to_owned()),
    });
    let publisher = bus.publisher::<OrderPlaced>();
    within("publishing", publisher.publish_all(orders))
        .await
        .unwrap();
    let (queue, open) = (bus.dead_letters("DLQ"), LetterFilter::open());
    until("the letters", async || {
        queue.count(&open).await.unwrap() == events
    })
    .await;
}

/// Redrives everything, killed this often. Returns how often it was killed.
async fn redrive_killed(bus: &EventBus, kills: usize, random: &mut fastrand::Rng) -> usize {
    let stepwise = Stepwise(Arc::clone(bus.transport()));
    let queue = EventBus::builder().transport(stepwise).unwrap();
    let queue = queue.dead_letters("DLQ");
    let mut killed = 0;
    loop {
        let mut redrive = queue.redrive(LetterFilter::open()).into_future();
        let mut left = if killed < kills {
            random.usize(1..200)
        } else {
            usize::MAX
        };
        let ended = poll_fn(|cx| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            redrive.as_mut().poll(cx).map(Some)
        });
        match within("a redrive", ended).await {
            Some(report) => {
                report.unwrap();
                return killed;
            }
            None => killed += 1,
        }
    }
}

#[tokio::test]
async fn a_thousand_letters_are_redriven_once_each() {
    let (_server, buses) = buses().await;
    for (bus, events) in buses.into_iter().zip([1000, 1000]) {
        let mut random = fastrand::Rng::with_seed(11);
        let (end, ended) = watch::channel(false);
        let audit = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&audit);
        let other = bus.consumer::<OrderEvents>("audit").each(move |_, _| {
            seen.fetch_add(1, Ordering::Relaxed);
            async { Ok(()) }
        });
        let mut other_end = ended.clone();
        let other = tokio::spawn(other.run_until(async move {
            let _ = other_end.wait_for(|end| *end).await;
        }));
        let billing = Billing::default();
        let running = billing.start(&bus, ended);
        give_up(&bus, events).await;
        let queue = bus.dead_letters("DLQ");
        let open = LetterFilter::open();
        let list = within("a list", queue.list(&open, Page::new(0, 10)))
            .await
            .unwrap();
        assert!(!format!("{list:?}").contains(PLANTED), "{list:?}");
        for letter in &list {
            assert_eq!(letter.class, DeadLetterClass::Rejected);
            assert_eq!(letter.event_type.as_deref(), Some("order.placed"));
            assert_eq!(letter.origin.stream.as_str(), "ORDERS");
        }
        let groups = within("groups", queue.groups(&open)).await.unwrap();
        assert_eq!((groups.len(), groups[0].count), (1, events));
        assert!(!format!("{groups:?}").contains(PLANTED), "{groups:?}");

        billing.repaired.store(true, Ordering::Relaxed);
        let dry = within("a dry run", queue.redrive(open.clone()).dry_run()).await;
        assert_eq!(dry.unwrap().selected.len() as u64, events);
        assert_eq!(billing.count(), 0);
        let killed = redrive_killed(&bus, 100, &mut random).await;
        assert!(killed > 20, "{killed}");
        let all = usize::try_from(events).unwrap();
        until("the handlers", async || billing.count() == all).await;
        until("the acknowledgements", async || {
            let outcomes = queue.outcomes(&LetterFilter::all()).await.unwrap();
            outcomes.values().all(|it| *it == RedriveOutcome::Handled) && outcomes.len() == all
        })
        .await;
        let repeated = billing
            .handled
            .lock()
            .unwrap()
            .values()
            .filter(|it| **it > 1)
            .count();
        assert_eq!(repeated, 0);
        assert_eq!(billing.early.load(Ordering::Relaxed), 0);
        assert_eq!(audit.load(Ordering::Relaxed) as u64, events);
        assert_eq!(within("a count", queue.count(&open)).await.unwrap(), 0);
        end.send_replace(true);
        within("the consumer", running).await.unwrap().unwrap();
        within("the other consumer", other).await.unwrap().unwrap();
    }
}

/// With the consumer killed, too, what was in flight is repeated; nothing is lost.
#[tokio::test]
async fn nothing_is_lost_if_the_consumer_is_killed_too() {
    let (_server, buses) = buses().await;
    for bus in buses {
        let events = 200;
        let mut random = fastrand::Rng::with_seed(13);
        let (_end, ended) = watch::channel(false);
        let billing = Billing {
            takes: Duration::from_millis(20),
            ..Billing::default()
        };
        // The consumer takes the settings of the durables that exist.
        let place = DeadLetterStream::new("DLQ");
        let raw = bus.raw().absolute();
        let again = raw.subscribe(place.retry_filter("billing").unwrap());
        let again = again.stream("DLQ_RETRY").durable("billing");
        let again = again.ack_wait(Duration::from_millis(500));
        drop(within("the durable", again).await.unwrap());
        let mut running = billing.start(&bus, ended.clone());
        give_up(&bus, events).await;
        billing.repaired.store(true, Ordering::Relaxed);
        let kills = 6;
        let killing = async {
            for kill in 1..=kills {
                until("some handlers", async || billing.count() >= kill * 20).await;
                running.abort();
                running = billing.start(&bus, ended.clone());
            }
        };
        tokio::join!(redrive_killed(&bus, 20, &mut random), killing);
        let all = usize::try_from(events).unwrap();
        until("the handlers", async || billing.count() == all).await;
        running.abort();
        let times: usize = billing.handled.lock().unwrap().values().sum();
        let repeats = times - all;
        println!("{kills} kills, {repeats} of {events} events repeated");
        // What 16 handlers and their acknowledgements have in flight.
        assert!(repeats <= kills * 2 * 16, "{repeats}");
    }
}
