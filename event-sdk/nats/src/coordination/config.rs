//! `Bucketed`: the stream of a bucket, with the settings of NATS's key-value store.

use std::fmt::Debug;
use std::time::Duration;

use serde_json::{Value, json};

use super::layout::Layout;
use crate::streams::ConfigJson;
use crate::streams::apply::Declared;
use event_sdk_core::stream::Storage;
use event_sdk_core::text::Text;
use event_sdk_core::transport::{BucketConfig, Difference};

/// How long a server remembers message ids, unless the entries are kept for less time. Within this
/// time a put that is repeated after a lost answer is recognized.
const WINDOW: Duration = Duration::from_secs(120);

/// The stream of a bucket.
pub(super) struct Bucketed {
    config: BucketConfig,
    stream: Text,
    subjects: String,
    /// Whether the server has TTLs of messages.
    has_ttl: bool,
}

impl Bucketed {
    /// The stream of a bucket with a valid configuration.
    pub(super) fn new(config: BucketConfig, has_ttl: bool) -> Self {
        let layout = Layout::valid(&config.name);
        Self {
            stream: layout.stream.clone(),
            subjects: layout.below(""),
            config,
            has_ttl,
        }
    }

    /// The fields that make a stream this bucket, by the names that differences have.
    fn fields(&self) -> Vec<(&'static str, &'static str, Value)> {
        let age = self.config.max_age;
        let window = age.map_or(WINDOW, |age| age.min(WINDOW));
        let storage = match self.config.storage {
            Storage::File => "file",
            Storage::Memory => "memory",
        };
        let mut fields = vec![
            ("subjects", "subjects", json!([self.subjects])),
            ("max age", "max_age", nanos(age.unwrap_or_default())),
            ("duplicate window", "duplicate_window", nanos(window)),
            ("replicas", "num_replicas", json!(self.config.replicas)),
            ("storage", "storage", json!(storage)),
            ("max messages per subject", "max_msgs_per_subject", json!(1)),
            ("discard", "discard", json!("new")),
            ("retention", "retention", json!("limits")),
            ("direct gets", "allow_direct", json!(true)),
            ("rollup", "allow_rollup_hdrs", json!(true)),
            ("deletion denied", "deny_delete", json!(true)),
        ];
        if self.has_ttl {
            fields.push(("message TTL", "allow_msg_ttl", json!(true)));
        }
        fields
    }
}

impl Declared for Bucketed {
    fn name(&self) -> &Text {
        &self.stream
    }

    fn subjects(&self) -> Vec<&str> {
        vec![&self.subjects]
    }

    fn created(&self) -> ConfigJson {
        let mut config = self.changed(ConfigJson::named(&self.stream));
        for unlimited in ["max_msgs", "max_bytes", "max_msg_size", "max_consumers"] {
            config.set(unlimited, json!(-1));
        }
        config
    }

    fn changed(&self, mut existing: ConfigJson) -> ConfigJson {
        for (_, field, value) in self.fields() {
            existing.set(field, value);
        }
        existing
    }

    fn differences(&self, existing: &ConfigJson) -> Result<Vec<Difference>, String> {
        let fields = self.fields().into_iter();
        let differing = fields.filter_map(|(name, field, wanted)| {
            let has = existing.get(field).cloned().unwrap_or(absent(&wanted));
            (has != wanted).then(|| Difference {
                field: name,
                existing: shown(field, &has),
                wanted: shown(field, &wanted),
            })
        });
        Ok(differing.collect())
    }
}

/// What a server means by leaving out a field.
fn absent(like: &Value) -> Value {
    match like {
        Value::Bool(_) => json!(false),
        Value::Number(_) => json!(0),
        _ => Value::Null,
    }
}

/// A duration as the server counts it, in 63 bits.
fn nanos(duration: Duration) -> Value {
    json!(
        i64::try_from(duration.as_nanos())
            .unwrap_or(i64::MAX)
            .unsigned_abs()
    )
}

/// A value as it is shown in a difference, like those of other transports.
fn shown(field: &str, value: &Value) -> String {
    fn debug(value: &impl Debug) -> String {
        format!("{value:?}")
    }
    match (field, value) {
        ("max_age", Value::Number(nanos)) => {
            let age = nanos.as_u64().filter(|nanos| *nanos > 0);
            age.map_or_else(
                || "no limit".to_owned(),
                |nanos| debug(&Duration::from_nanos(nanos)),
            )
        }
        ("duplicate_window", Value::Number(nanos)) => {
            debug(&Duration::from_nanos(nanos.as_u64().unwrap_or(0)))
        }
        ("storage", Value::String(storage)) => match storage.as_str() {
            "file" => debug(&Storage::File),
            "memory" => debug(&Storage::Memory),
            other => other.to_owned(),
        },
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_sdk_core::transport::StreamChange;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn bucket(config: BucketConfig) -> Bucketed {
        Bucketed::new(config, true)
    }

    #[test]
    fn the_layout_is_that_of_other_clients() {
        let created = bucket(BucketConfig::new("B").max_age(DAY).replicas(3)).created();
        for (field, value) in [
            ("name", json!("KV_B")),
            ("subjects", json!(["$KV.B.>"])),
            ("max_msgs_per_subject", json!(1)),
            ("discard", json!("new")),
            ("allow_rollup_hdrs", json!(true)),
            ("deny_delete", json!(true)),
            ("allow_direct", json!(true)),
            ("allow_msg_ttl", json!(true)),
            ("num_replicas", json!(3)),
            ("max_age", json!(86_400_000_000_000_u64)),
            ("duplicate_window", json!(120_000_000_000_u64)),
        ] {
            assert_eq!(created.get(field), Some(&value), "{field}");
        }
        let old = Bucketed::new(BucketConfig::new("B"), false).created();
        assert_eq!(old.get("allow_msg_ttl"), None);
    }

    #[test]
    fn ids_are_not_remembered_longer_than_entries() {
        let second = Duration::from_secs(1);
        let created = bucket(BucketConfig::new("B").max_age(second)).created();
        assert_eq!(created.get("duplicate_window"), Some(&nanos(second)));
        let forever = bucket(BucketConfig::new("B").unlimited_age()).created();
        assert_eq!(forever.get("duplicate_window"), Some(&nanos(WINDOW)));
        assert_eq!(forever.get("max_age"), Some(&json!(0)));
    }

    #[test]
    fn an_age_beyond_what_a_server_counts_is_the_longest() {
        let created = bucket(BucketConfig::new("B").max_age(Duration::MAX)).created();
        assert_eq!(created.get("max_age"), Some(&json!(i64::MAX)));
    }

    #[test]
    fn what_differs_is_told_in_the_words_of_the_declaration() {
        let wanted = bucket(
            BucketConfig::new("B")
                .unlimited_age()
                .storage(Storage::Memory),
        );
        let existing = bucket(BucketConfig::new("B").max_age(DAY)).created();
        let differences = wanted.differences(&existing).unwrap();
        assert_eq!(
            StreamChange::Updated { differences }.to_string(),
            "updated: max age from 86400s to no limit; storage from File to Memory"
        );
        assert_eq!(wanted.differences(&wanted.created()), Ok(Vec::new()));
    }

    #[test]
    fn limits_that_somebody_has_set_stay() {
        let mut existing = bucket(BucketConfig::new("B")).created();
        existing.set("max_bytes", json!(7));
        existing.set("description", json!("by hand"));
        // A server that does not know the field leaves it out.
        existing.set("allow_msg_ttl", Value::Null);
        let wanted = bucket(BucketConfig::new("B").max_age(DAY));
        let changed = wanted.changed(existing);
        assert_eq!(changed.get("max_bytes"), Some(&json!(7)));
        assert_eq!(changed.get("description"), Some(&json!("by hand")));
        assert_eq!(changed.get("allow_msg_ttl"), Some(&json!(true)));
    }
}
