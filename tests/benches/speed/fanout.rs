//! Publishing beside many unrelated subscriptions, against few.

use std::time::{Duration, Instant};

use event_sdk::transport::ConsumerName;
use event_sdk::transport::{ConsumerConfig, SubscribeRequest, Subscription};
use event_sdk::{EventBus, Pattern, Publisher};
use futures_util::{FutureExt, StreamExt};

use crate::events::{BookingMade, booking};
use crate::measure::{Goal, Row};

const EVENTS: u32 = 5_000;

pub(crate) fn run() -> Vec<Row> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let round = |publisher: &Publisher<BookingMade>| {
        let event = booking();
        let start = Instant::now();
        runtime.block_on(async {
            for _ in 0..EVENTS {
                publisher.publish(event.clone()).await.unwrap();
            }
        });
        start.elapsed()
    };
    let (few, _few) = runtime.block_on(waiting(10));
    let (many, _many) = runtime.block_on(waiting(10_000));
    let ours = || -> Duration { round(&many) };
    let baseline = || -> Duration { round(&few) };
    vec![Row::compare(
        "publish beside 10,000 other subscriptions / beside 10",
        Goal::TimeAtMost(2.0),
        EVENTS,
        ours,
        baseline,
    )]
}

/// A bus with so many subscriptions, each polled once and waiting, to subjects
/// that nobody publishes.
async fn waiting(subscriptions: usize) -> (Publisher<BookingMade>, Vec<Subscription>) {
    let bus = EventBus::memory();
    let mut all = Vec::with_capacity(subscriptions);
    for index in 0..subscriptions {
        let filter = Pattern::parse(format!("events.travel.booking.other{index}")).unwrap();
        let mut request = SubscribeRequest::new(
            "EVENTS",
            ConsumerConfig::new(ConsumerName::Ephemeral, vec![filter]),
        );
        request.prefetch = 1.into();
        let mut subscription = bus.transport().subscribe(request).await.unwrap();
        assert!(subscription.next().now_or_never().is_none());
        all.push(subscription);
    }
    (bus.publisher(), all)
}
