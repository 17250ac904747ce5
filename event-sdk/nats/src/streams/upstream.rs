//! JSON of mirrors, sources and placement; what a server has beside them is kept.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use event_sdk_core::stream::{CopyFrom, PlacementConfig, SubjectTransform, UpstreamConfig};
use event_sdk_core::subject::Pattern;
use event_sdk_core::text::Text;

/// Settings of a mirror or source that are read.
pub(super) const OF_UPSTREAM: [&str; 6] = [
    "name",
    "opt_start_seq",
    "opt_start_time",
    "filter_subject",
    "subject_transforms",
    "external",
];

/// Settings of a placement that are read.
pub(super) const OF_PLACEMENT: [&str; 2] = ["cluster", "tags"];

/// As a server reads it.
pub(super) fn write_upstream(config: &UpstreamConfig) -> Value {
    let mut json = Map::new();
    let mut set = |field: &str, value| json.insert(field.to_owned(), value);
    set("name", json!(&*config.stream));
    match config.start {
        CopyFrom::Sequence(sequence) => {
            set("opt_start_seq", json!(sequence));
        }
        CopyFrom::Time(time) => {
            set("opt_start_time", json!(time.to_string()));
        }
        _ => {}
    }
    if let Some(filter) = &config.filter {
        set("filter_subject", json!(filter.as_str()));
    }
    if !config.transforms.is_empty() {
        let transforms = config.transforms.iter();
        let transforms =
            transforms.map(|one| json!({ "src": one.from.as_str(), "dest": &*one.to }));
        set("subject_transforms", transforms.collect());
    }
    if config.api_prefix.is_some() || config.deliver_prefix.is_some() {
        let text = |text: &Option<Text>| text.as_deref().unwrap_or_default().to_owned();
        let external =
            json!({ "api": text(&config.api_prefix), "deliver": text(&config.deliver_prefix) });
        set("external", external);
    }
    Value::Object(json)
}

/// As a server writes it, or what cannot be read.
pub(super) fn read_upstream(json: &Value) -> Result<UpstreamConfig, String> {
    let text = |json: &Value, field: &str| {
        let text = json.get(field).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(Text::copy_of)
    };
    let pattern = |text: Text| Pattern::parse(text).map_err(|why| why.to_string());
    let mut config = UpstreamConfig::new(text(json, "name").ok_or("its original has no name")?);
    if let Some(external) = json.get("external") {
        config.api_prefix = text(external, "api");
        config.deliver_prefix = text(external, "deliver");
    }
    let sequence = json.get("opt_start_seq").and_then(Value::as_u64);
    let time = text(json, "opt_start_time");
    config.start = match (sequence.filter(|sequence| *sequence > 0), time) {
        (Some(sequence), _) => CopyFrom::Sequence(sequence),
        (None, Some(time)) => {
            let time = time.parse::<Timestamp>();
            CopyFrom::Time(time.map_err(|_| "the start of a copy is no time")?)
        }
        (None, None) => CopyFrom::Oldest,
    };
    config.filter = text(json, "filter_subject").map(pattern).transpose()?;
    let transforms = json.get("subject_transforms").and_then(Value::as_array);
    for one in transforms.into_iter().flatten() {
        let from = match text(one, "src") {
            Some(from) => pattern(from)?,
            None => Pattern::everything(),
        };
        let to = match text(one, "dest") {
            Some(to) => in_one_form(&to),
            None => kept(&from),
        };
        let to = to.into();
        config.transforms.push(SubjectTransform { from, to });
    }
    // No two have a subject in common, so that their order is no difference.
    config
        .transforms
        .sort_by(|one, other| one.from.as_str().cmp(other.from.as_str()));
    Ok(config)
}

/// The subjects that these patterns match, unchanged: a server without a destination selects by the
/// source, and transforms nothing (nats-server, `server/subject_transform.go`).
fn kept(from: &Pattern) -> String {
    let mut wildcards = 0;
    let tokens = from.as_str().split('.').map(|token| match token {
        "*" => {
            wildcards += 1;
            wildcard(wildcards)
        }
        token => token.to_owned(),
    });
    let tokens: Vec<_> = tokens.collect();
    tokens.join(".")
}

/// The destination with each token of a wildcard written in one of its forms: a server takes `$1`,
/// `{{Wildcard(1)}}` and `{{ wildcard (1) }}` for the same.
fn in_one_form(to: &str) -> String {
    let number = |token: &str| {
        let inner = if let Some(number) = token.strip_prefix('$') {
            number
        } else {
            let inner = token.strip_prefix("{{")?.strip_suffix("}}")?.trim();
            let inner = inner.strip_prefix(['w', 'W'])?.strip_prefix("ildcard")?;
            inner.trim().strip_prefix('(')?.strip_suffix(')')?.trim()
        };
        inner.parse::<usize>().ok()
    };
    let tokens = to
        .split('.')
        .map(|token| number(token).map_or_else(|| token.to_owned(), wildcard));
    let tokens: Vec<_> = tokens.collect();
    tokens.join(".")
}

fn wildcard(number: usize) -> String {
    format!("{{{{wildcard({number})}}}}")
}

/// As a server reads it.
pub(super) fn write_placement(config: &PlacementConfig) -> Value {
    let mut json = Map::new();
    if let Some(cluster) = &config.cluster {
        json.insert("cluster".to_owned(), json!(&**cluster));
    }
    if !config.tags.is_empty() {
        let tags: Vec<&str> = config.tags.iter().map(Text::as_str).collect();
        json.insert("tags".to_owned(), json!(tags));
    }
    Value::Object(json)
}

/// As a server writes it; `None` if any server will do.
pub(super) fn read_placement(json: Option<&Value>) -> Option<PlacementConfig> {
    let json = json?;
    let mut config = PlacementConfig::default();
    let cluster = json.get("cluster").and_then(Value::as_str);
    config.cluster = cluster
        .filter(|cluster| !cluster.is_empty())
        .map(Text::copy_of);
    let tags = json.get("tags").and_then(Value::as_array);
    let tags = tags.into_iter().flatten().filter_map(Value::as_str);
    config.tags = tags.map(Text::copy_of).collect();
    Some(config).filter(|config| !config.is_anywhere())
}
