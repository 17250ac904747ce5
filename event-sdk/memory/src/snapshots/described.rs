//! The configurations of a stream and of its durables as JSON.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use serde_json::{Value, json};

use event_sdk_core::stream::{
    Compression, Deduplication, Discard, Limits, Retention, Storage, StreamConfig,
};
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{AckPolicy, ConsumerConfig, ConsumerName, DeliverPolicy};

/// The names of the variants.
const DISCARDS: [(&str, Discard); 2] = [("old", Discard::Old), ("new", Discard::New)];
const RETENTIONS: [(&str, Retention); 3] = [
    ("limits", Retention::Limits),
    ("interest", Retention::Interest),
    ("workqueue", Retention::WorkQueue),
];
const STORAGES: [(&str, Storage); 2] = [("file", Storage::File), ("memory", Storage::Memory)];
const COMPRESSIONS: [(&str, Compression); 2] =
    [("none", Compression::None), ("s2", Compression::S2)];
const ACKS: [(&str, AckPolicy); 3] = [
    ("explicit", AckPolicy::Explicit),
    ("all", AckPolicy::All),
    ("none", AckPolicy::None),
];

fn name<T: PartialEq + Copy>(names: &[(&'static str, T)], value: T) -> Option<&'static str> {
    let found = names.iter().find(|(_, named)| *named == value);
    found.map(|(name, _)| *name)
}

fn value<T: Copy>(names: &[(&str, T)], name: &Value) -> Option<T> {
    let name = name.as_str()?;
    let found = names.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value)
}

/// The description of a snapshot.
pub(super) fn write(config: &StreamConfig) -> Vec<u8> {
    let StreamConfig { limits, .. } = config;
    let subjects: Vec<&str> = config.subjects.iter().map(AsRef::as_ref).collect();
    let json = json!({
        "config": {
            "name": &*config.name,
            "subjects": subjects,
            "messages": limits.messages,
            "messages_per_subject": limits.messages_per_subject,
            "bytes": limits.bytes,
            "message_size": limits.message_size,
            "age": limits.age.map(duration),
            "discard": name(&DISCARDS, limits.discard),
            "duplicate_window": duration(config.deduplication.window),
            "duplicate_capacity": config.deduplication.capacity,
            "retention": name(&RETENTIONS, config.retention),
            "storage": name(&STORAGES, config.storage),
            "replicas": config.replicas,
            "compression": name(&COMPRESSIONS, config.compression),
            "schedules": config.schedules,
            "deny_delete": config.deny_delete,
            "deny_purge": config.deny_purge,
            "allow_rollup": config.allow_rollup,
        }
    });
    format!("{json:#}").into_bytes()
}

/// The configuration in a description; the error is a reason.
pub(super) fn read(description: &[u8]) -> Result<StreamConfig, String> {
    let json: Option<Value> = serde_json::from_slice(description).ok();
    json.as_ref()
        .and_then(|json| stream(json.get("config")?))
        .ok_or_else(|| "its configuration cannot be read".to_owned())
}

fn stream(json: &Value) -> Option<StreamConfig> {
    let name = Text::copy_of(json.get("name")?.as_str()?);
    let mut config = StreamConfig::new(name, patterns(json.get("subjects")?)?);
    let limit = |name| match json.get(name)? {
        Value::Null => Some(None),
        limit => Some(Some(NonZeroU64::new(limit.as_u64()?)?)),
    };
    let mut limits = Limits::default();
    limits.messages = limit("messages")?;
    limits.messages_per_subject = limit("messages_per_subject")?;
    limits.bytes = limit("bytes")?;
    limits.message_size = limit("message_size")?;
    limits.age = match json.get("age")? {
        Value::Null => None,
        age => Some(read_duration(age)?),
    };
    limits.discard = value(&DISCARDS, json.get("discard")?)?;
    config.limits = limits;
    config.deduplication = Deduplication {
        window: read_duration(json.get("duplicate_window")?)?,
        capacity: usize::try_from(json.get("duplicate_capacity")?.as_u64()?).ok()?,
    };
    config.retention = value(&RETENTIONS, json.get("retention")?)?;
    config.storage = value(&STORAGES, json.get("storage")?)?;
    config.replicas = u8::try_from(json.get("replicas")?.as_u64()?).ok()?;
    config.compression = value(&COMPRESSIONS, json.get("compression")?)?;
    config.schedules = json.get("schedules")?.as_bool()?;
    // An older version did not write them.
    let flag = |name| match json.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(flag) => flag.as_bool().map(Some),
    };
    config.deny_delete = flag("deny_delete")?;
    config.deny_purge = flag("deny_purge")?;
    config.allow_rollup = flag("allow_rollup")?;
    Some(config)
}

/// A durable.
pub(super) fn consumer(config: &ConsumerConfig) -> Value {
    let filters: Vec<&str> = config.filters.iter().map(AsRef::as_ref).collect();
    let backoff: Vec<_> = config.backoff.iter().copied().map(duration).collect();
    json!({
        "durable": config.name.as_str(),
        "filters": filters,
        "deliver": deliver(config.deliver),
        "ack": name(&ACKS, config.ack),
        "ack_wait": duration(config.ack_wait),
        "max_deliver": config.max_deliver,
        "max_ack_pending": config.max_ack_pending,
        "backoff": backoff,
    })
}

/// The same, read again.
pub(super) fn read_consumer(json: &Value) -> Option<ConsumerConfig> {
    let name = ConsumerName::Durable(Text::copy_of(json.get("durable")?.as_str()?));
    let mut config = ConsumerConfig::new(name, patterns(json.get("filters")?)?);
    let limit = |name| match json.get(name)? {
        Value::Null => Some(None),
        limit => Some(Some(NonZeroU32::new(u32::try_from(limit.as_u64()?).ok()?)?)),
    };
    config.deliver = read_deliver(json.get("deliver")?)?;
    config.ack = value(&ACKS, json.get("ack")?)?;
    config.ack_wait = read_duration(json.get("ack_wait")?)?;
    config.max_deliver = limit("max_deliver")?;
    config.max_ack_pending = limit("max_ack_pending")?;
    let backoff = json.get("backoff")?.as_array()?.iter().map(read_duration);
    config.backoff = backoff.collect::<Option<_>>()?;
    Some(config)
}

fn deliver(policy: DeliverPolicy) -> Value {
    match policy {
        DeliverPolicy::All => json!("all"),
        DeliverPolicy::Last => json!("last"),
        DeliverPolicy::LastPerSubject => json!("last per subject"),
        DeliverPolicy::New => json!("new"),
        DeliverPolicy::ByStartSequence(sequence) => json!({ "sequence": sequence }),
        DeliverPolicy::ByStartTime(time) => json!({ "time": time.to_string() }),
    }
}

fn read_deliver(json: &Value) -> Option<DeliverPolicy> {
    Some(match json.as_str() {
        Some("all") => DeliverPolicy::All,
        Some("last") => DeliverPolicy::Last,
        Some("last per subject") => DeliverPolicy::LastPerSubject,
        Some("new") => DeliverPolicy::New,
        Some(_) => return None,
        None => match (json.get("sequence"), json.get("time")) {
            (Some(sequence), _) => DeliverPolicy::ByStartSequence(sequence.as_u64()?),
            (None, time) => DeliverPolicy::ByStartTime(time?.as_str()?.parse().ok()?),
        },
    })
}

fn patterns(json: &Value) -> Option<Vec<Pattern>> {
    let patterns = json.as_array()?.iter();
    patterns
        .map(|pattern| Pattern::parse(pattern.as_str()?.to_owned()).ok())
        .collect()
}

/// Seconds and nanoseconds.
fn duration(duration: Duration) -> Value {
    json!([duration.as_secs(), duration.subsec_nanos()])
}

fn read_duration(json: &Value) -> Option<Duration> {
    let nanos = u32::try_from(json.get(1)?.as_u64()?).ok()?;
    let whole = Duration::from_secs(json.get(0)?.as_u64()?);
    whole.checked_add(Duration::from_nanos(u64::from(nanos)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read_as_they_were_written() {
        let pattern = |text: &str| Pattern::parse(text.to_owned()).unwrap();
        let mut full = StreamConfig::new("S", vec![pattern("a.>"), pattern("b.*")]);
        assert_eq!(read(&write(&full)), Ok(full.clone()));
        full.limits.messages = NonZeroU64::new(1);
        full.limits.messages_per_subject = NonZeroU64::new(2);
        full.limits.bytes = NonZeroU64::new(3);
        full.limits.message_size = NonZeroU64::new(4);
        full.limits.age = Some(Duration::new(5, 6));
        full.limits.discard = Discard::New;
        full.deduplication.window = Duration::from_millis(7);
        full.deduplication.capacity = 8;
        full.retention = Retention::WorkQueue;
        full.storage = Storage::Memory;
        full.replicas = 3;
        full.compression = Compression::S2;
        full.schedules = true;
        full.deny_delete = Some(true);
        full.deny_purge = Some(false);
        full.allow_rollup = Some(true);
        assert_eq!(read(&write(&full)), Ok(full));

        let name = ConsumerName::Durable("d".into());
        let mut durable = ConsumerConfig::new(name, vec![pattern("a.*")]);
        durable.max_deliver = NonZeroU32::new(1);
        durable.backoff = vec![Duration::from_secs(1), Duration::from_millis(2500)];
        durable.ack = AckPolicy::All;
        for deliver in [
            DeliverPolicy::All,
            DeliverPolicy::Last,
            DeliverPolicy::LastPerSubject,
            DeliverPolicy::New,
            DeliverPolicy::ByStartSequence(9),
            DeliverPolicy::ByStartTime("2026-01-02T03:04:05.000000006Z".parse().unwrap()),
        ] {
            durable.deliver = deliver;
            durable.max_ack_pending = None;
            assert_eq!(read_consumer(&consumer(&durable)), Some(durable.clone()));
        }
    }
}
