//! Settings of a stream that `StreamConfig` does not have, by their names on the server.

use serde_json::{Map, Value};

use super::config::ConfigJson;
use super::upstream::{OF_PLACEMENT, OF_UPSTREAM};
use event_sdk_core::transport::ForeignSetting;

/// The settings that are read, and their types.
const READ: [(&str, Type); 21] = [
    ("name", Type::Text),
    ("subjects", Type::Texts),
    ("retention", Type::Text),
    ("max_msgs", Type::Number),
    ("max_msgs_per_subject", Type::Number),
    ("max_bytes", Type::Number),
    ("max_msg_size", Type::Number),
    ("max_age", Type::Number),
    ("duplicate_window", Type::Number),
    ("num_replicas", Type::Number),
    ("discard", Type::Text),
    ("storage", Type::Text),
    ("compression", Type::Text),
    ("allow_msg_schedules", Type::Bool),
    ("allow_direct", Type::Bool),
    ("deny_delete", Type::Bool),
    ("deny_purge", Type::Bool),
    ("allow_rollup_hdrs", Type::Bool),
    ("mirror", Type::Object),
    ("sources", Type::Objects),
    ("placement", Type::Object),
];

/// What a stream with schedules has beside them.
const WITH_SCHEDULES: [&str; 1] = ["allow_msg_ttl"];

#[derive(Debug, Clone, Copy)]
enum Type {
    Text,
    Texts,
    Number,
    Bool,
    Object,
    Objects,
}

impl Type {
    fn is(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Texts => match value {
                // A mirror has none.
                Value::Null => true,
                Value::Array(texts) => texts.iter().all(Value::is_string),
                _ => false,
            },
            Self::Number => value.is_i64() || value.is_u64(),
            Self::Bool => value.is_boolean(),
            Self::Object => value.is_object() || value.is_null(),
            Self::Objects => match value {
                Value::Null => true,
                Value::Array(objects) => objects.iter().all(Value::is_object),
                _ => false,
            },
        }
    }
}

/// The first setting that has another type than a server gives it, and its value.
pub(crate) fn mistyped(config: &Map<String, Value>) -> Option<(&'static str, &Value)> {
    let mut found = READ.iter().filter_map(|(field, kind)| {
        let value = config.get(*field)?;
        (!kind.is(value)).then_some((*field, value))
    });
    found.next()
}

impl ConfigJson {
    /// The settings that `StreamConfig` does not have, but for those with the server's default.
    pub(crate) fn foreign(&self) -> Vec<ForeignSetting> {
        let schedules = self.read().is_ok_and(|config| config.schedules);
        let is_mirror = self.get("mirror").filter(|mirror| !mirror.is_null());
        let own = self
            .as_json()
            .iter()
            .filter(|(field, value)| match &***field {
                // A stream that the SDK makes allows it.
                "allow_direct" => **value == Value::Bool(false),
                // A server takes it over from the original in its account.
                "mirror_direct" => is_mirror.is_none() && !is_default(field, value),
                "allow_msg_schedules" => !schedules && !is_default(field, value),
                field if schedules && WITH_SCHEDULES.contains(&field) => false,
                field => !READ.iter().any(|(read, _)| *read == field) && !is_default(field, value),
            });
        let own = own.map(|(field, value)| ForeignSetting::new(field.clone(), value.to_string()));
        own.chain(self.foreign_within()).collect()
    }

    /// The settings within a mirror, sources and a placement that are not read.
    fn foreign_within(&self) -> impl Iterator<Item = ForeignSetting> + '_ {
        let lists: [(&str, &[&str]); 3] = [
            ("mirror", &OF_UPSTREAM),
            ("sources", &OF_UPSTREAM),
            ("placement", &OF_PLACEMENT),
        ];
        lists.into_iter().flat_map(move |(setting, known)| {
            let objects = match self.get(setting) {
                Some(Value::Array(several)) => &several[..],
                Some(one) => std::slice::from_ref(one),
                None => &[],
            };
            let fields = objects.iter().filter_map(Value::as_object).flatten();
            let unknown = fields
                .filter(|(field, value)| !known.contains(&&***field) && !is_default(field, value));
            unknown.map(move |(field, value)| {
                ForeignSetting::new(format!("{setting}.{field}"), value.to_string())
            })
        })
    }
}

/// Whether the value is the one that a server takes where the setting is left out.
pub(crate) fn is_default(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(set) => !set,
        Value::String(text) => matches!(&**text, "" | "none" | "default"),
        Value::Number(number) => matches!(number.as_i64(), Some(0 | -1)),
        Value::Array(list) => list.is_empty(),
        // The server writes there which version a stream needs.
        Value::Object(map) if field == "metadata" => {
            map.keys().all(|key| key.starts_with("_nats."))
        }
        Value::Object(map) => map.values().all(|value| is_default("", value)),
    }
}
