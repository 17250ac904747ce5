//! JSON of a stream's configuration; unknown fields of the server are kept.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::upstream::{read_placement, read_upstream, write_placement, write_upstream};
use event_sdk_core::stream::{
    Compression, Deduplication, Discard, Limits, Retention, Storage, StreamConfig,
};
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;

/// The beginning of the subjects under which a stream keeps its schedules.
pub(crate) fn schedule_prefix(stream: &str) -> String {
    format!("schedules.{stream}.")
}

/// All subjects of the schedules of a stream.
pub(super) fn schedule_subjects(stream: &str) -> String {
    schedule_prefix(stream) + ">"
}

/// The configuration of a stream in the JSON of the server, with all that this
/// SDK has no word for, which stays as it is when a stream is changed.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct ConfigJson(Map<String, Value>);

/// How long a server remembers message ids unless it is told otherwise
/// (nats-server, `server/stream.go`, `StreamDefaultDuplicatesWindow`).
const DEFAULT_WINDOW: Duration = Duration::from_secs(120);

impl ConfigJson {
    /// A new stream, whose messages may be read without asking its leader.
    pub(crate) fn new(config: &StreamConfig) -> Self {
        let mut json = Self::named(&config.name);
        json.set("allow_direct", json!(true));
        json.with(config)
    }

    /// The same, where it is as `config` says.
    pub(super) fn with(mut self, config: &StreamConfig) -> Self {
        let before = self.read().ok();
        let listed = self.0.get("sources").cloned().unwrap_or_default();
        let mut subjects: Vec<&str> = config.subjects.iter().map(AsRef::as_ref).collect();
        let schedules = schedule_subjects(&config.name);
        if config.schedules {
            subjects.push(&schedules);
        }
        let limits = &config.limits;
        let mut set = |name: &str, value| {
            self.0.insert(name.to_owned(), value);
        };
        set("subjects", json!(subjects));
        set("max_msgs", limit(limits.messages));
        set("max_msgs_per_subject", limit(limits.messages_per_subject));
        set("max_bytes", limit(limits.bytes));
        set("max_msg_size", limit(limits.message_size));
        set("max_age", nanos(limits.age.unwrap_or_default()));
        set("duplicate_window", nanos(window(config)));
        set("num_replicas", json!(config.replicas));
        set(
            "discard",
            json!(match limits.discard {
                Discard::Old => "old",
                Discard::New => "new",
            }),
        );
        set(
            "retention",
            json!(match config.retention {
                Retention::Limits => "limits",
                Retention::Interest => "interest",
                Retention::WorkQueue => "workqueue",
            }),
        );
        set(
            "storage",
            json!(match config.storage {
                Storage::File => "file",
                Storage::Memory => "memory",
            }),
        );
        set(
            "compression",
            json!(match config.compression {
                Compression::S2 => "s2",
                _ => "none",
            }),
        );
        // What a server has beside our words stays where nothing changes.
        if before.as_ref().is_none_or(|it| it.mirror != config.mirror) {
            let mirror = config.mirror.as_ref();
            set("mirror", mirror.map_or(Value::Null, write_upstream));
        }
        if before
            .as_ref()
            .is_none_or(|it| it.sources != config.sources)
        {
            // A server takes a source that is written in another way for a new one, and copies it again.
            let existing = listed.as_array().into_iter().flatten();
            let existing: Vec<_> = existing
                .filter_map(|json| Some((read_upstream(json).ok()?, json)))
                .collect();
            let same = |source| existing.iter().find(|(has, _)| has == source);
            let written = config.sources.iter().map(|source| match same(source) {
                Some((_, json)) => (*json).clone(),
                None => write_upstream(source),
            });
            let written = written.collect();
            set("sources", written);
        }
        if let Some(placement) = &config.placement
            && before
                .as_ref()
                .is_none_or(|it| it.placement != config.placement)
        {
            set("placement", write_placement(placement));
        }
        for (name, declared) in [
            ("deny_delete", config.deny_delete),
            ("deny_purge", config.deny_purge),
            ("allow_rollup_hdrs", config.allow_rollup),
        ] {
            if let Some(declared) = declared {
                set(name, json!(declared));
            }
        }
        if config.schedules {
            set("allow_msg_schedules", json!(true));
            // So that the maximum age of messages does not apply to schedules.
            set("allow_msg_ttl", json!(true));
            // What a server sets by itself: a schedule replaces the one before.
            set("allow_rollup_hdrs", json!(true));
            set("deny_purge", json!(false));
        }
        self
    }

    /// This configuration.
    pub(crate) fn of(config: Map<String, Value>) -> Self {
        Self(config)
    }

    /// A stream of this name of which nothing else is said.
    pub(crate) fn named(name: &str) -> Self {
        let mut json = Map::new();
        json.insert("name".to_owned(), json!(name));
        Self(json)
    }

    /// A field, as the server writes it.
    pub(crate) fn get(&self, field: &str) -> Option<&Value> {
        self.0.get(field)
    }

    /// Sets a field, as the server reads it.
    pub(crate) fn set(&mut self, field: &str, value: Value) {
        self.0.insert(field.to_owned(), value);
    }

    /// The configuration in our words, or what cannot be said in them.
    pub(crate) fn read(&self) -> Result<StreamConfig, String> {
        let text = |name: &str| self.0.get(name).and_then(Value::as_str);
        let name = Text::copy_of(text("name").ok_or("it has no name")?);
        // A mirror has none of its own.
        let subjects = self.0.get("subjects").and_then(Value::as_array);
        let subjects = subjects.into_iter().flatten().filter_map(Value::as_str);
        // Schedules are no messages to those who consume and read.
        let schedules =
            Some(schedule_subjects(&name)).filter(|_| self.is_set("allow_msg_schedules"));
        let mut has_schedules = false;
        let subjects = subjects
            .filter(|subject| {
                let is_schedules = schedules.as_deref() == Some(*subject);
                has_schedules |= is_schedules;
                !is_schedules
            })
            .map(|subject| Pattern::parse(subject.to_owned()))
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        let mut config = StreamConfig::new(name, subjects);
        config.schedules = has_schedules;
        let mut limits = Limits::default();
        limits.messages = self.limit("max_msgs");
        limits.messages_per_subject = self.limit("max_msgs_per_subject");
        limits.bytes = self.limit("max_bytes");
        limits.message_size = self.limit("max_msg_size");
        limits.age = Some(self.duration("max_age")).filter(|age| !age.is_zero());
        limits.discard = match text("discard") {
            None | Some("old") => Discard::Old,
            Some("new") => Discard::New,
            Some(other) => return Err(format!("discarding {other:?} is not known here")),
        };
        config.limits = limits;
        config.deduplication = Deduplication {
            window: self.duration("duplicate_window"),
            // A server bounds it by time alone.
            capacity: usize::MAX,
        };
        config.retention = match text("retention") {
            None | Some("limits") => Retention::Limits,
            Some("interest") => Retention::Interest,
            Some("workqueue") => Retention::WorkQueue,
            Some(other) => return Err(format!("retention {other:?} is not known here")),
        };
        config.storage = match text("storage") {
            None | Some("file") => Storage::File,
            Some("memory") => Storage::Memory,
            Some(other) => return Err(format!("storage {other:?} is not known here")),
        };
        config.compression = match text("compression") {
            None | Some("" | "none") => Compression::None,
            Some("s2") => Compression::S2,
            Some(other) => return Err(format!("compression {other:?} is not known here")),
        };
        let flag = |name| self.is_set(name).then_some(true);
        config.deny_delete = flag("deny_delete");
        config.deny_purge = flag("deny_purge");
        // A server lets a stream with schedules allow it, whatever it was told.
        config.allow_rollup = flag("allow_rollup_hdrs").filter(|_| !has_schedules);
        let mirror = self.0.get("mirror").filter(|mirror| !mirror.is_null());
        config.mirror = mirror.map(read_upstream).transpose()?;
        let sources = self.0.get("sources").and_then(Value::as_array);
        let sources = sources.into_iter().flatten().map(read_upstream);
        config.sources = sources.collect::<Result<_, _>>()?;
        config.placement = read_placement(self.0.get("placement"));
        let replicas = self.0.get("num_replicas").and_then(Value::as_u64);
        config.replicas = u8::try_from(replicas.unwrap_or(1)).unwrap_or(u8::MAX);
        Ok(config)
    }

    /// Whether messages can be read from any server that has a copy.
    pub(crate) fn allows_direct(&self) -> bool {
        self.is_set("allow_direct")
    }

    fn is_set(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    /// Whether it holds messages under other subjects than its own: those of other
    /// streams, or renamed ones.
    pub(crate) fn holds_others(&self) -> bool {
        let is_set = |value: &Value| match value {
            Value::Null => false,
            Value::Array(several) => !several.is_empty(),
            _ => true,
        };
        let settings = ["mirror", "sources", "subject_transform"];
        let mut settings = settings.iter().filter_map(|name| self.0.get(*name));
        settings.any(is_set)
    }

    pub(crate) fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }

    fn limit(&self, name: &str) -> Option<NonZeroU64> {
        // -1, or nothing, is no limit.
        self.0.get(name)?.as_u64().and_then(NonZeroU64::new)
    }

    fn duration(&self, name: &str) -> Duration {
        let nanos = self.0.get(name).and_then(Value::as_u64);
        Duration::from_nanos(nanos.unwrap_or(0))
    }
}

/// The deduplication window that a stream with this configuration has: nothing
/// is remembered longer than it is kept. What a server does with its default
/// window we do with ours; another window it refuses. A copy is left to the server, which gives a
/// mirror none.
pub(super) fn window(config: &StreamConfig) -> Duration {
    if config.has_window_of_copies() {
        return Duration::ZERO;
    }
    let window = config.deduplication.window;
    match config.limits.age {
        Some(age) if window == DEFAULT_WINDOW && age < window => age,
        _ => window,
    }
}

fn limit(limit: Option<NonZeroU64>) -> Value {
    match limit.map(|limit| i64::try_from(limit.get())) {
        None => json!(-1),
        // More than the server can count is no limit either.
        Some(limit) => json!(limit.unwrap_or(-1)),
    }
}

pub(super) fn nanos(duration: Duration) -> Value {
    json!(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use event_sdk_core::stream::{Placement, StreamSpec, Upstream};

    fn config(say: impl FnOnce(StreamSpec) -> StreamSpec) -> StreamConfig {
        let stream = StreamSpec::new("ORDERS").subject("orders.>");
        say(stream).config("events").unwrap()
    }

    /// As it comes back from a server that bounds message ids by time alone.
    fn back(config: &StreamConfig) -> StreamConfig {
        let mut config = config.clone();
        config.deduplication.capacity = usize::MAX;
        config
    }

    #[test]
    fn a_configuration_is_read_as_it_was_written() {
        let plain = config(|stream| stream);
        let full = config(|stream| {
            stream
                .absolute("other.*")
                .max_messages(1)
                .max_messages_per_subject(2)
                .max_bytes(3)
                .max_message_size(4)
                .max_age(Duration::from_hours(1))
                .duplicate_window(Duration::from_secs(5))
                .when_full(Discard::New)
                .retention(Retention::WorkQueue)
                .storage(Storage::Memory)
                .replicas(3)
                .compression(Compression::S2)
        });
        let schedules = config(|stream| stream.absolute("other.*").schedules());
        let denying = config(|stream| stream.deny_delete(true).deny_purge(true));
        let rolling = config(|stream| stream.allow_rollup(true));
        for config in [plain, full, schedules, denying, rolling] {
            assert_eq!(ConfigJson::new(&config).read(), Ok(back(&config)));
        }
    }

    #[test]
    fn what_a_server_has_within_a_mirror_stays() {
        let existing = r#"{"name":"C","mirror":{"name":"ORDERS","external":{"api":"$JS.eu.API",
            "deliver":""},"consumer":{"name":"c"}},"placement":{"tags":["ssd"]}}"#;
        let existing: ConfigJson = serde_json::from_str(existing).unwrap();
        let mirror = StreamSpec::new("C").mirror(Upstream::of("ORDERS").domain("eu"));
        let config = mirror.clone().max_messages(7).config("events").unwrap();
        assert_eq!(existing.read().unwrap().mirror, config.mirror);
        let changed = existing.clone().with(&config);
        assert_eq!(changed.as_json()["mirror"]["consumer"]["name"], "c");
        assert_eq!(changed.as_json()["placement"]["tags"], json!(["ssd"]));
        assert_eq!(changed.as_json()["duplicate_window"], 0);
        let anywhere = mirror.placement(Placement::ANYWHERE);
        let changed = existing.with(&anywhere.config("events").unwrap());
        assert_eq!(changed.as_json()["placement"], json!({}));
        assert_eq!(changed.read().unwrap().placement, None);
    }

    #[test]
    fn a_source_that_stays_is_written_as_it_was() {
        let existing = r#"{"name":"ALL","sources":[
            {"name":"A","subject_transforms":[{"src":"events.b.*","dest":"b.{{Wildcard(1)}}"},
                {"src":"events.a.>","dest":""}],"consumer":{"name":"c"}},
            {"name":"B"}]}"#;
        let existing: ConfigJson = serde_json::from_str(existing).unwrap();
        let mut config = existing.read().unwrap();
        assert_eq!(
            config.sources[0].to_string(),
            "A events.a.> as events.a.> events.b.* as b.{{wildcard(1)}}"
        );
        config.sources[1] = event_sdk_core::stream::UpstreamConfig::new("C");
        let changed = existing.clone().with(&config);
        let sources = &changed.as_json()["sources"];
        assert_eq!(sources[0], existing.as_json()["sources"][0]);
        assert_eq!(sources[1], json!({"name": "C"}));
    }

    #[test]
    fn a_stream_with_schedules_stores_their_subjects_and_keeps_them() {
        let json = ConfigJson::new(&config(StreamSpec::schedules));
        for (field, value) in [
            ("subjects", json!(["events.orders.>", "schedules.ORDERS.>"])),
            ("allow_msg_schedules", json!(true)),
            ("allow_msg_ttl", json!(true)),
            ("allow_rollup_hdrs", json!(true)),
            ("deny_purge", json!(false)),
        ] {
            assert_eq!(json.get(field), Some(&value), "{field}");
        }
        // What another client has made without the subjects gets them when it is applied.
        let theirs = r#"{"name":"ORDERS","subjects":["schedules.ORDERS.>"]}"#;
        let mut theirs: ConfigJson = serde_json::from_str(theirs).unwrap();
        assert_eq!(theirs.read().unwrap().subjects.len(), 1);
        theirs.set("allow_msg_schedules", json!(true));
        let read = theirs.read().unwrap();
        assert!(read.schedules && read.subjects.is_empty());
    }

    #[test]
    fn what_we_have_no_word_for_stays() {
        let existing = r#"{"name":"ORDERS","subjects":["a"],"allow_direct":false,
            "description":"by hand","metadata":{"team":"shop"},"compression":"s2"}"#;
        let existing: ConfigJson = serde_json::from_str(existing).unwrap();
        let changed = existing.with(&config(|stream| stream.max_messages(7)));
        let json = changed.as_json();
        assert_eq!(json["description"], "by hand");
        assert_eq!(json["metadata"]["team"], "shop");
        assert_eq!(json["allow_direct"], false);
        assert_eq!(json["subjects"], json!(["events.orders.>"]));
        assert_eq!(json["max_msgs"], 7);
        assert_eq!(json["compression"], "none");
        assert!(!changed.allows_direct());
    }

    #[test]
    fn a_flag_stays_unless_it_is_declared() {
        let theirs = r#"{"name":"ORDERS","subjects":["events.orders.>"],"deny_delete":true,
            "deny_purge":false,"allow_rollup_hdrs":true}"#;
        let theirs: ConfigJson = serde_json::from_str(theirs).unwrap();
        let read = theirs.read().unwrap();
        let flags = (read.deny_delete, read.deny_purge, read.allow_rollup);
        assert_eq!(flags, (Some(true), None, Some(true)));
        assert_eq!(theirs.foreign(), []);
        let kept = theirs.clone().with(&config(|stream| stream));
        let json = kept.as_json();
        for (field, value) in [
            ("deny_delete", true),
            ("deny_purge", false),
            ("allow_rollup_hdrs", true),
        ] {
            assert_eq!(json[field], value, "{field}");
        }
        let declared = config(|stream| stream.deny_purge(true).allow_rollup(false));
        let changed = theirs.with(&declared);
        let json = changed.as_json();
        assert_eq!(json["deny_delete"], true);
        assert_eq!(json["deny_purge"], true);
        assert_eq!(json["allow_rollup_hdrs"], false);
    }

    #[test]
    fn nothing_is_remembered_longer_than_it_is_kept() {
        let minute = Duration::from_mins(1);
        assert_eq!(window(&config(|stream| stream)), DEFAULT_WINDOW);
        assert_eq!(window(&config(|stream| stream.max_age(minute))), minute);
        let asked = StreamSpec::new("ORDERS").subject("orders.>");
        let asked = asked.max_age(minute).duplicate_window(3 * minute);
        let refused = asked.config("events").unwrap_err().to_string();
        assert!(
            refused.contains("window 180s is longer than its maximum age 60s"),
            "{refused}"
        );
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (json, why) in [
            (r#"{"subjects":["a"]}"#, "no name"),
            (r#"{"name":"S","retention":"new"}"#, "retention \"new\""),
            (r#"{"name":"S","subjects":["a b"]}"#, "a b"),
        ] {
            let config: ConfigJson = serde_json::from_str(json).unwrap();
            let error = config.read().unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
