//! Presets: the numbers that they set, and what an option of its own does to them.

use std::num::NonZeroU32;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::consumer::{Consumer, Ctx, Failure, Preset, Retry};
use event_sdk::transport::{ConsumerConfig, DeliverPolicy, TransportExt as _};
use jiff::Timestamp;

use crate::journal::{Journal, OrderPlaced, place};

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Handles one event, which fails at each attempt; returns the times of the attempts, whether they
/// were of a replay, and the durable's configuration.
async fn attempts(
    preset: impl FnOnce(Consumer<OrderPlaced>) -> Consumer<OrderPlaced>,
) -> (Vec<f64>, bool, ConsumerConfig) {
    let (bus, journal) = (EventBus::memory(), Journal::new());
    place(&bus, "a", 1).await;
    let notes = journal.clone();
    let consumer = preset(bus.consumer::<OrderPlaced>("billing"));
    let consumer = consumer.on(move |_: OrderPlaced, ctx: Ctx| {
        notes.note(if ctx.is_replay() { "replay" } else { "first" });
        async { Err(Failure::retry("planted")) }
    });
    // Longer than all attempts.
    let report = consumer.run_until(tokio::time::sleep(secs(1_000))).await;
    let report = report.unwrap();
    assert_eq!(report.terminated + report.dead_lettered, 1);
    let info = bus.transport().consumer_info("EVENTS", "billing").await;
    let notes = journal.timed();
    let replay = notes.iter().all(|(what, _)| what == "replay");
    let times = notes.into_iter().map(|(_, at)| at).collect();
    (times, replay, info.unwrap().config)
}

#[tokio::test(start_paused = true)]
async fn at_least_once() {
    let (times, replay, config) =
        attempts(|consumer| consumer.preset(Preset::at_least_once())).await;
    assert_eq!(times, [0.0, 1.0, 6.0, 36.0, 156.0]);
    assert!(!replay);
    assert_eq!(config.ack_wait, secs(30));
    assert_eq!(config.max_ack_pending, NonZeroU32::new(1_000));
    assert_eq!(
        (config.max_deliver, &config.deliver),
        (None, &DeliverPolicy::All)
    );
}

#[tokio::test(start_paused = true)]
async fn low_latency() {
    let (times, _, config) = attempts(|consumer| consumer.preset(Preset::low_latency())).await;
    assert_eq!(times.len(), 5);
    assert!(times[4] <= 1.5, "{times:?}");
    assert_eq!(config.ack_wait, secs(10));
    assert_eq!(config.max_ack_pending, NonZeroU32::new(1_000));
    assert_eq!(config.max_deliver, None);
}

#[tokio::test(start_paused = true)]
async fn an_option_of_its_own_wins_before_and_after() {
    for preset_first in [true, false] {
        let options = |consumer: Consumer<OrderPlaced>| {
            consumer
                .retry(Retry::none())
                .ack_wait(secs(7))
                .max_ack_pending(50)
                .deliver(DeliverPolicy::LastPerSubject)
        };
        let presets = |consumer: Consumer<OrderPlaced>| {
            consumer
                .preset(Preset::low_latency())
                .preset(Preset::replay_from_sequence(1))
        };
        let (times, replay, config) = attempts(|consumer| {
            if preset_first {
                options(presets(consumer))
            } else {
                presets(options(consumer))
            }
        })
        .await;
        assert_eq!((times, replay), (vec![0.0], true));
        assert_eq!(config.ack_wait, secs(7));
        assert_eq!(config.max_ack_pending, NonZeroU32::new(50));
        assert_eq!(config.deliver, DeliverPolicy::LastPerSubject);
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_presets_the_later_one_wins_where_both_set_an_option() {
    let (times, replay, config) = attempts(|consumer| {
        consumer
            .preset(Preset::replay_from_sequence(1))
            .preset(Preset::low_latency())
            .preset(Preset::at_least_once())
    })
    .await;
    assert_eq!(times, [0.0, 1.0, 6.0, 36.0, 156.0]);
    assert!(replay);
    assert_eq!(config.ack_wait, secs(30));
    assert_eq!(config.deliver, DeliverPolicy::ByStartSequence(1));
}

#[tokio::test(start_paused = true)]
async fn a_replay_starts_where_it_is_told() {
    let bus = EventBus::memory();
    place(&bus, "a", 1).await;
    tokio::time::sleep(secs(10)).await;
    let between = bus.clock().now();
    tokio::time::sleep(secs(10)).await;
    for number in 2..=3 {
        place(&bus, "a", number).await;
    }
    for (name, preset, first) in [
        ("time", Preset::replay_from_time(between), 2),
        ("old", Preset::replay_from_time(Timestamp::UNIX_EPOCH), 1),
        ("sequence", Preset::replay_from_sequence(3), 3),
    ] {
        let (journal, notes) = (Journal::new(), Journal::new());
        let (seen, done) = (notes.clone(), journal.clone());
        let consumer = bus.consumer::<OrderPlaced>(name).preset(preset);
        let consumer = consumer.on(move |order: OrderPlaced, ctx: Ctx| {
            assert!(ctx.is_replay());
            seen.note(order.number.to_string());
            if order.number == 3 {
                done.note("last");
            }
            async { Ok(()) }
        });
        consumer.run_until(journal.wait(1)).await.unwrap();
        let expected: Vec<_> = (first..=3).map(|number: u64| number.to_string()).collect();
        assert_eq!(notes.notes(), expected, "{name}");
    }
}
