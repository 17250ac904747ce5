//! Inbox: effects in batches and alone, against bare inserts without records.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::consumer::Failure;
use event_sdk::transport::DeliverPolicy;
use event_sdk_sql::{EffectOf, EffectTx, Inbox};
use tokio::sync::Notify;

use crate::database::{BenchDatabase, Home};
use crate::measure::{Goal, Row};
use crate::setting::{OrderPlaced, Setting, placed};

const EVENTS: u32 = 20_000;
/// The events of a batch, and the inserts of a bare transaction.
const BATCH: u32 = 500;
const ALONE: u32 = 2_000;

pub(crate) async fn run<DB: BenchDatabase>(setting: &Setting, home: &Home<DB>) {
    let measured = (setting.rounds, setting.events(EVENTS));
    let ours = || effects(home, measured.1, BATCH as usize);
    let bare = || bare(home, measured.1, BATCH);
    let what = format!(
        "{}: effects in batches of {BATCH} / bare inserts",
        DB::TITLE
    );
    println!(
        "{}",
        Row::compare(what, Goal::None, measured, ours, bare).await
    );
    let measured = (setting.rounds, setting.events(ALONE));
    let ours = || effects(home, measured.1, 1);
    let bare = || self::bare(home, measured.1, 1);
    let what = format!("{}: effects one by one / bare inserts", DB::TITLE);
    println!(
        "{}",
        Row::compare(what, Goal::None, measured, ours, bare).await
    );
}

/// Counts effects, and tells when all are begun.
struct Billing {
    begun: AtomicU32,
    all: u32,
    done: Notify,
}

struct Shared(Arc<Billing>);

impl<DB: BenchDatabase> EffectOf<OrderPlaced, DB> for Shared {
    async fn apply(&self, placed: OrderPlaced, tx: &mut EffectTx<DB>) -> Result<(), Failure> {
        let order = i64::try_from(placed.order).unwrap();
        DB::effect(tx, order, placed.customer).await?;
        if self.0.begun.fetch_add(1, Ordering::Relaxed) + 1 == self.0.all {
            self.0.done.notify_one();
        }
        Ok(())
    }
}

async fn effects<DB: BenchDatabase>(home: &Home<DB>, events: u32, batch: usize) -> Duration {
    DB::clear(&home.pool).await;
    let bus = EventBus::builder().source("bench").memory().unwrap();
    for order in 0..u64::from(events) {
        bus.publisher().publish(placed(order)).await.unwrap();
    }
    let billing = Arc::new(Billing {
        begun: AtomicU32::new(0),
        all: events,
        done: Notify::new(),
    });
    let inbox = Inbox::<DB>::new(home.pool.clone());
    let shared = Shared(Arc::clone(&billing));
    let consumer = bus
        .consumer::<OrderPlaced>("bench")
        .deliver(DeliverPolicy::All)
        .prefetch(batch.max(8) * 2)
        .concurrency(1);
    let consumer = if batch > 1 {
        let within = Duration::from_millis(5);
        consumer.batches_handled_by(batch, within, inbox.batches(shared))
    } else {
        consumer.handled_by(inbox.effects(shared))
    };
    let begun = Instant::now();
    // Its end waits for the last commit.
    let report = consumer.run_until(billing.done.notified()).await.unwrap();
    let took = begun.elapsed();
    assert_eq!(report.handled, u64::from(events), "{report}");
    took
}

async fn bare<DB: BenchDatabase>(home: &Home<DB>, events: u32, batch: u32) -> Duration {
    DB::clear(&home.pool).await;
    let begun = Instant::now();
    let mut from = 0;
    while from < events {
        let to = events.min(from + batch);
        DB::bare_effects(&home.pool, u64::from(from)..u64::from(to)).await;
        from = to;
    }
    begun.elapsed()
}
