//! The ready-made topology, retention tiers and profiles.

use std::num::NonZeroU64;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::stream::{Discard, Storage, StreamSpec};
use event_sdk_topology::{Profile, RetentionTier, deltran};

use crate::support::{Place, everywhere};

everywhere! { deltrans_streams_are_made }

const DAYS: [(&str, u64); 8] = [
    ("TRANSACTIONS", 7),
    ("COMPLIANCE", 30),
    ("SETTLEMENT", 90),
    ("CLEARING", 30),
    ("NOTIFICATIONS", 7),
    ("REPORTING", 90),
    ("RISK", 30),
    ("AUDIT", 180),
];

fn days(number: u64) -> Duration {
    Duration::from_secs(number * 24 * 3600)
}

async fn deltrans_streams_are_made(place: &Place) {
    assert_made(&place.bus).await;
}

/// Applies the topology, and looks at the streams and consumers by themselves.
async fn assert_made(bus: &EventBus) {
    let applied = deltran::TOPOLOGY.apply(bus).await.unwrap();
    assert_eq!(applied.streams.len(), DAYS.len());
    for (name, age) in DAYS {
        let state = bus.stream_state(name).await.unwrap();
        let limits = state.config.limits;
        assert_eq!(limits.age, Some(days(age)), "{name}");
        assert_eq!(limits.discard, Discard::Old, "{name}");
        assert_eq!(limits.message_size, NonZeroU64::new(1024 * 1024), "{name}");
        let subject = format!("events.{}.>", name.to_lowercase());
        assert_eq!(state.config.subjects[0].as_str(), subject);
        // Three tokens and four: `events.clearing.*` would match only the shorter.
        for text in ["events.x.created", "events.x.window.opened"] {
            let text = text.replace("events.x", &format!("events.{}", name.to_lowercase()));
            let literal = event_sdk::Pattern::parse(text).unwrap();
            assert!(state.config.subjects[0].covers(&literal), "{literal}");
        }
    }
    let consumers = bus.transport().consumer_admin().unwrap();
    for (stream, durable, deliveries, wait) in [
        ("NOTIFICATIONS", "notification-engine-consumer", 3, 30),
        ("REPORTING", "reporting-engine-consumer", 3, 300),
        ("COMPLIANCE", "compliance-tracker", 0, 30),
    ] {
        let config = consumers.info(stream, durable).await.unwrap().config;
        let most = config.max_deliver.map_or(0, std::num::NonZeroU32::get);
        assert_eq!(
            (most, config.ack_wait.as_secs()),
            (deliveries, wait),
            "{durable}"
        );
    }
}

#[test]
fn tiers_have_names() {
    for (name, number) in [
        ("short", 7),
        ("medium", 30),
        ("long", 90),
        ("extended", 180),
    ] {
        let tier: RetentionTier = name.parse().unwrap();
        assert_eq!(tier.max_age(), days(number));
        assert_eq!(tier.to_string(), format!("{name} ({number} days)"));
    }
    let unknown = "Short".parse::<RetentionTier>().unwrap_err().to_string();
    assert!(
        unknown.contains("short, medium, long or extended"),
        "{unknown}"
    );
}

#[test]
fn profiles_have_the_limits_of_their_environment() {
    let gigabyte = 1_000_000_000;
    for (profile, messages, hours, bytes, storage) in [
        (Profile::Development, 10_000, 1, 0, Storage::Memory),
        (Profile::Staging, 100_000, 24, gigabyte, Storage::File),
        (
            Profile::Production,
            1_000_000,
            7 * 24,
            10 * gigabyte,
            Storage::File,
        ),
    ] {
        let spec = profile.limits(StreamSpec::constant("EVENTS", &[">"]));
        let config = spec.config("events").unwrap();
        assert_eq!(config.limits.messages, NonZeroU64::new(messages));
        assert_eq!(config.limits.age, Some(Duration::from_secs(hours * 3600)));
        assert_eq!(config.limits.bytes, NonZeroU64::new(bytes));
        assert_eq!(config.storage, storage);
    }
}
