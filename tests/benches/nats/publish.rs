//! Publishing without a stream, and confirmed.

use std::time::{Duration, Instant};

use event_sdk::{EventBus, Publisher};
use futures_util::StreamExt;
use tokio::sync::Mutex;

use crate::events::{BookingMade, PriceQuoted, booking, quote};
use crate::measure::{Goal, Row};
use crate::raw;
use crate::setting::{IN_FLIGHT, Setting};

const EVENTS: u32 = 20_000;

pub(crate) fn run(setting: &Setting) {
    let events = vec![booking(); EVENTS as usize];
    core(setting, &events);
    confirmed(setting, &events);
}

fn core(setting: &Setting, events: &[BookingMade]) {
    let bus = EventBus::builder()
        .source("bench")
        .prefix("benchcore")
        .transport(setting.nats.core())
        .unwrap();
    let (publisher, last) = (
        bus.publisher::<BookingMade>(),
        bus.publisher::<PriceQuoted>(),
    );
    // A round is over when the server has handed on the last message.
    let mut ends = setting
        .runtime
        .block_on(setting.client.subscribe("benchcore.travel.price.quoted"))
        .unwrap();
    setting.runtime.block_on(setting.client.flush()).unwrap();
    let ends = Mutex::new(&mut ends);
    let ours = || {
        let events = events.to_vec();
        timed(setting, async {
            for event in events {
                publisher.publish(event).await.unwrap();
            }
            last.publish(quote()).await.unwrap();
            ends.lock().await.next().await.unwrap();
        })
    };
    let raw = || {
        let events = events.to_vec();
        timed(setting, async {
            raw::core_publish(setting, "benchcore.travel.booking.made", &events).await;
            raw::core_publish_one(setting, "benchcore.travel.price.quoted").await;
            ends.lock().await.next().await.unwrap();
        })
    };
    let what = "publish without a stream / async-nats";
    let row = Row::compare(what, Goal::RateAtLeast(0.95), EVENTS, ours, raw);
    println!("{row}");
}

fn confirmed(setting: &Setting, events: &[BookingMade]) {
    let (bus, stream) = setting.bus();
    let publisher: Publisher<BookingMade> = bus.publisher();
    let subject = publisher.subject_of(&events[0]).unwrap();
    let ours = || {
        let events = events.to_vec();
        timed(setting, async {
            let all = publisher.publish_all(events).in_flight(IN_FLIGHT);
            all.await.unwrap();
        })
    };
    for (with_ids, goal, how) in [
        (true, Goal::RateAtLeast(1.0), "async-nats with message ids"),
        (false, Goal::None, "async-nats without"),
    ] {
        let raw = || {
            let events = events.to_vec();
            timed(
                setting,
                raw::confirmed(setting, subject.as_str(), &events, with_ids),
            )
        };
        let what = format!("confirmed, {IN_FLIGHT} in flight / {how}");
        let row = Row::compare(what, goal, EVENTS, ours, raw);
        println!("{row}");
    }
    setting.remove(&stream);
}

fn timed(setting: &Setting, work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    setting.runtime.block_on(work);
    start.elapsed()
}
