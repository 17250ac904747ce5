//! Losses that a relay reports and does not repair, because too much would have to be compared or
//! searched. The numbers are those of the docs.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::StreamConfig;
use event_sdk::transport::memory::MemoryTransport;
use event_sdk::transport::{Completion, Error, StreamState};
use event_sdk_sql::{LossOutcome, Outbox, StreamLoss};
use event_sdk_testing::intercept::{Intercept, Intercepted};

use crate::database::{Db, PUBLISHED_ROWS};
use crate::rig::{Rig, Running, placed, stored, wait_until};

/// The stream of these tests never had the rows.
const STREAM_ENDS: u64 = 600_000;

#[tokio::test]
async fn more_than_200_000_lost_rows_are_reported_and_left() {
    let rig = Rig::new().await;
    publish_before(&rig, 200_001, 0).await;
    let loss = loss(&rig, rig.bus.clone()).await;
    assert_eq!(loss.outcome, LossOutcome::LeftTooMany);
    assert_eq!((loss.confirmed, loss.last), (200_001, 0));
    // No more are compared.
    assert!((200_000..=200_001).contains(&loss.rows), "{loss}");
}

#[tokio::test]
async fn rows_for_which_more_than_500_000_messages_would_be_searched_are_reported_and_left() {
    let rig = Rig::new().await;
    publish_before(&rig, 1, STREAM_ENDS).await;
    let memory = MemoryTransport::builder()
        .clock(Arc::new(rig.clock.clone()))
        .stream(StreamConfig::new(
            "ALL",
            vec![event_sdk::subject!("events.>")],
        ))
        .build()
        .expect("a memory transport");
    let bus = EventBus::builder()
        .clock(Arc::new(rig.clock.clone()))
        .simulated_process()
        .transport(Intercepted::new(memory, Longer))
        .expect("a bus");
    let loss = loss(&rig, bus).await;
    assert_eq!(loss.outcome, LossOutcome::LeftUnsearched);
    assert_eq!(
        (loss.confirmed, loss.last, loss.rows),
        (STREAM_ENDS + 1, STREAM_ENDS, 1)
    );
}

/// Stores rows that were published five minutes ago: longer than the duplicate window, and within the
/// time in which losses are repaired. Their sequences follow this one.
async fn publish_before(rig: &Rig, rows: i64, after: u64) {
    let now = rig.bus.clock().now();
    let at = now - Duration::from_mins(5);
    sqlx::query(PUBLISHED_ROWS)
        .bind(rows)
        .bind(at.as_microsecond())
        .bind(i64::try_from(after).expect("a sequence"))
        .execute(&rig.pool)
        .await
        .expect("rows");
}

/// The loss that a relay reports at its start, and nothing else: none of the rows is sent again, and new
/// ones are published.
async fn loss(rig: &Rig, bus: EventBus) -> StreamLoss {
    let outbox = Outbox::<Db>::new(rig.pool.clone(), bus.clone());
    rig.enqueue([placed("a", 1)]).await;
    // Large pages, so that a comparison of 200,000 rows takes seconds.
    let relay = Running::new(outbox.relay().batch(10_000));
    wait_until("the new row is published", async || {
        stored(&bus).await.get("a") == Some(&vec![1])
    })
    .await;
    let report = relay.stop().await;
    assert_eq!((report.sent_again, report.restored), (0, 0));
    let [loss] = &*report.stream_losses else {
        panic!("one loss, not {:?}", report.stream_losses);
    };
    assert!(!loss.outcome.is_repaired());
    assert!(loss.to_string().contains("`recover`"), "{loss}");
    loss.clone()
}

/// Says that each stream is longer than it is. What it does not have was deleted.
#[derive(Debug)]
struct Longer;

impl Intercept for Longer {
    fn call<T: Send + 'static>(
        &self,
        _: &'static str,
        make: impl FnOnce() -> Completion<Result<T, Error>>,
    ) -> Completion<Result<T, Error>> {
        let answer = make();
        Completion::later(async move {
            let mut answer = answer.await?;
            if let Some(state) = (&mut answer as &mut dyn Any).downcast_mut::<StreamState>() {
                state.last_sequence = STREAM_ENDS;
            }
            Ok(answer)
        })
    }
}
