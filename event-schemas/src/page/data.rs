//! The data that the catalogue page shows, as JSON for its script.

use std::borrow::Cow;
use std::collections::BTreeMap;

use event_sdk::Version;
use event_sdk::event::EventSpec;
use event_sdk::stream::StreamSpec;
use serde::Serialize;
use serde_json::Value;

use crate::catalogue::{Catalogue, Consumer, EventEntry, Service};
use crate::described::{self, ConsumerFacts, StreamFacts};
use crate::lock::{Lock, LockedEvent, LockedVersion, MadeFrom};
use crate::schema::envelope::key_use;
use crate::schema::text;

/// The catalogue and its history.
#[derive(Debug, Serialize)]
pub(super) struct Data<'a> {
    title: &'a str,
    description: &'a str,
    version: Option<&'a str>,
    prefix: &'a str,
    services: Vec<ServiceData<'a>>,
    streams: Vec<StreamData>,
    events: Vec<EventData<'a>>,
}

#[derive(Debug, Serialize)]
struct ServiceData<'a> {
    name: &'a str,
    description: &'a str,
    owner: Option<&'a str>,
    /// Ids of events.
    publishes: Vec<String>,
    consumers: Vec<ConsumerData<'a>>,
}

#[derive(Debug, Serialize)]
struct ConsumerData<'a> {
    #[serde(flatten)]
    facts: ConsumerFacts<'a>,
    description: &'a str,
    /// Ids of events.
    events: Vec<String>,
}

#[derive(Debug, Serialize)]
struct StreamData {
    #[serde(flatten)]
    facts: StreamFacts,
    /// Ids of events.
    events: Vec<String>,
}

#[derive(Debug, Serialize)]
struct EventData<'a> {
    id: String,
    subject: &'a str,
    absolute: bool,
    address: String,
    #[serde(rename = "type")]
    event_type: &'a str,
    stream: Option<&'a str>,
    retired: bool,
    /// The newest first; there is at least one.
    versions: Vec<VersionData<'a>>,
}

#[derive(Debug, Serialize)]
struct VersionData<'a> {
    version: String,
    name: &'a str,
    #[serde(rename = "type")]
    event_type: &'a str,
    key: &'static str,
    description: &'a str,
    schema: Ordered<'a>,
    /// What is read, where that is another thing than what is written.
    reader: Option<Ordered<'a>>,
    pii: Vec<String>,
    #[serde(serialize_with = "data")]
    examples: Vec<Cow<'a, Value>>,
    /// Whether the example is made up from the schema.
    #[serde(rename = "madeUp", skip_serializing_if = "std::ops::Not::not")]
    made_up: bool,
    /// When the version was first committed, as `2026-11-30`.
    since: Option<&'a str>,
}

/// A schema, its keywords in the order in which people read them.
#[derive(Debug)]
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        text::ordered_schema(self.0, serializer)
    }
}

/// An event by its subject and whether it takes no prefix.
type Key<'a> = (&'a str, bool);

impl<'a> Data<'a> {
    pub(super) fn of(
        catalogue: &'a Catalogue,
        history: Option<&'a Lock>,
        dates: &'a BTreeMap<String, String>,
    ) -> Self {
        let mut entries: BTreeMap<Key<'a>, Vec<&'a EventEntry>> = BTreeMap::new();
        for entry in catalogue.events() {
            let spec = entry.spec();
            let key = (spec.subject(), spec.is_absolute());
            entries.entry(key).or_default().push(entry);
        }
        let known: Vec<Vec<&EventEntry>> = entries.values().cloned().collect();
        let mut events: BTreeMap<Key<'a>, EventData<'a>> = BTreeMap::new();
        for (key, entries) in entries {
            let locked = history.and_then(|lock| lock.event(key.0, key.1));
            if let Some(event) = event(catalogue, &entries, locked) {
                events.insert(key, event);
            }
        }
        for locked in history.map_or(&[][..], Lock::events) {
            let key = (locked.subject(), locked.is_absolute());
            if !events.contains_key(&key)
                && let Some(event) = gone(catalogue.bus_prefix(), locked)
            {
                events.insert(key, event);
            }
        }
        for event in events.values_mut() {
            for version in &mut event.versions {
                let file = format!("{}/{}.json", event.id, version.version);
                version.since = dates.get(&file).map(String::as_str);
            }
        }
        let services = catalogue.services().iter();
        let streams = catalogue.streams().iter();
        Self {
            title: catalogue.title(),
            description: catalogue.description(),
            version: catalogue.own_version(),
            prefix: catalogue.bus_prefix(),
            services: services.map(|one| service(one, &known)).collect(),
            streams: streams
                .filter_map(|stream| {
                    Some(StreamData {
                        facts: StreamFacts::of(stream, catalogue.bus_prefix())?,
                        events: events
                            .values()
                            .filter(|event| event.stream == Some(stream.name()))
                            .map(|event| event.id.clone())
                            .collect(),
                    })
                })
                .collect(),
            events: events.into_values().collect(),
        }
    }
}

/// The id of an event in addresses, as the folder of the lock has it.
fn id(subject: &str, absolute: bool) -> String {
    format!("{}{subject}", if absolute { "@" } else { "" })
}

fn id_of(spec: &EventSpec) -> String {
    id(spec.subject(), spec.is_absolute())
}

/// An event of the catalogue, with those of its versions that only the lock has.
fn event<'a>(
    catalogue: &'a Catalogue,
    entries: &[&'a EventEntry],
    locked: Option<&'a LockedEvent>,
) -> Option<EventData<'a>> {
    let spec = entries.last()?.spec();
    let mut versions: BTreeMap<Version, VersionData<'a>> = BTreeMap::new();
    for entry in entries {
        versions.insert(entry.spec().version(), current(entry));
    }
    for locked in locked.map_or(&[][..], LockedEvent::versions) {
        versions
            .entry(locked.version())
            .or_insert_with(|| old(locked));
    }
    Some(EventData {
        id: id_of(spec),
        subject: spec.subject(),
        absolute: spec.is_absolute(),
        address: described::address(spec, catalogue.bus_prefix()),
        event_type: spec.event_type(),
        stream: catalogue.stream_of(spec).map(StreamSpec::name),
        retired: false,
        versions: versions.into_values().rev().collect(),
    })
}

/// An event that only the lock has.
fn gone<'a>(prefix: &str, locked: &'a LockedEvent) -> Option<EventData<'a>> {
    let newest = locked.newest()?;
    let prefix = if locked.is_absolute() {
        String::new()
    } else {
        format!("{prefix}.")
    };
    let key = match newest.key_use() {
        event_sdk::event::KeyUse::InSubject => ".{key}",
        _ => "",
    };
    Some(EventData {
        id: id(locked.subject(), locked.is_absolute()),
        subject: locked.subject(),
        absolute: locked.is_absolute(),
        address: format!("{prefix}{}{key}", locked.subject()),
        event_type: newest.event_type(),
        stream: newest.stream(),
        retired: true,
        versions: locked.versions().iter().rev().map(old).collect(),
    })
}

fn current(entry: &EventEntry) -> VersionData<'_> {
    let spec = entry.spec();
    let mut examples: Vec<_> = entry.examples().iter().map(Cow::Borrowed).collect();
    let made_up = examples.is_empty();
    if made_up {
        examples.extend(entry.example().map(Cow::Owned));
    }
    VersionData {
        version: spec.version().to_string(),
        name: spec.name(),
        event_type: spec.event_type(),
        key: key_use(spec.key_use()),
        description: spec.description(),
        schema: Ordered(entry.writer()),
        reader: Some(entry.reader())
            .filter(|reader| *reader != entry.writer())
            .map(Ordered),
        pii: entry.pii().iter().map(ToString::to_string).collect(),
        examples,
        made_up,
        since: None,
    }
}

fn old(locked: &LockedVersion) -> VersionData<'_> {
    let description = locked.envelope().get("description").and_then(Value::as_str);
    let golden = locked.golden();
    VersionData {
        version: locked.version().to_string(),
        name: locked.name(),
        event_type: locked.event_type(),
        key: key_use(locked.key_use()),
        description: description.unwrap_or_default(),
        schema: Ordered(locked.writer()),
        reader: Some(locked.reader())
            .filter(|reader| *reader != locked.writer())
            .map(Ordered),
        pii: locked.pii().to_vec(),
        examples: vec![Cow::Borrowed(golden.data())],
        made_up: golden.made_from() != MadeFrom::Example,
        since: None,
    }
}

fn service<'a>(service: &'a Service, events: &[Vec<&EventEntry>]) -> ServiceData<'a> {
    let ids = |takes: &dyn Fn(&EventSpec) -> bool| {
        let mut ids = Vec::new();
        for entries in events {
            if entries.iter().any(|entry| takes(entry.spec())) {
                ids.extend(entries.last().map(|entry| id_of(entry.spec())));
            }
        }
        ids
    };
    let consumer = |consumer: &'a Consumer| ConsumerData {
        facts: ConsumerFacts::of(consumer),
        description: consumer.description(),
        events: ids(&|spec| consumer.set().takes(spec)),
    };
    ServiceData {
        name: service.name(),
        description: service.description(),
        owner: service.owner(),
        publishes: ids(&|spec| service.published().iter().any(|set| set.has(spec))),
        consumers: service.consumers().iter().map(consumer).collect(),
    }
}

fn data<S: serde::Serializer>(
    examples: &[Cow<'_, Value>],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let examples: Vec<Value> = examples.iter().map(|one| one.as_ref().clone()).collect();
    text::ordered_data(&examples.into(), serializer)
}
