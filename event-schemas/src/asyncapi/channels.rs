//! AsyncAPI channels: one for each event, with a message for each version.

use std::collections::BTreeMap;

use event_sdk::event::{EventSpec, KeyUse};
use event_sdk::stream::StreamSpec;

use serde_json::Value;

use super::keys::Keys;
use super::model::{Channel, Components, CorrelationId, Example, Message, Parameter, Reference};
use super::schemas;
use crate::catalogue::{Catalogue, EventEntry};
use crate::described::{self, EventFacts};

/// The channels under construction, and what they refer to.
pub(super) struct Channels<'a> {
    made: BTreeMap<String, Channel<'a>>,
    components: Components<'a>,
    places: Vec<Place>,
}

/// Where the message of an event's version is.
struct Place {
    spec: &'static EventSpec,
    channel: String,
    message: String,
}

impl<'a> Channels<'a> {
    pub(super) fn of(catalogue: &'a Catalogue) -> Self {
        let story = CorrelationId {
            description: "The story that the event belongs to",
            location: "$message.payload#/metadata/correlation_id",
        };
        let mut channels = Self {
            made: BTreeMap::new(),
            components: Components {
                messages: BTreeMap::new(),
                schemas: BTreeMap::from([(HEADERS.to_owned(), schemas::headers())]),
                correlation_ids: BTreeMap::from([(STORY, story)]),
            },
            places: Vec::new(),
        };
        let (mut channel_keys, mut message_keys) = (Keys::default(), Keys::default());
        // The names of messages are those of their schemas, beside which the headers stand.
        message_keys.give(HEADERS);
        for entry in catalogue.events() {
            let spec = entry.spec();
            let address = described::address(spec, catalogue.bus_prefix());
            // The events are sorted: versions with the same address follow each other.
            let before = channels.places.last().map(|place| &place.channel);
            let same = before.filter(|key| {
                let channel = channels.made.get(*key);
                channel.is_some_and(|channel| channel.address == address)
            });
            let place = Place {
                spec,
                channel: match same {
                    Some(key) => key.clone(),
                    None => channel_keys.give(spec.subject()),
                },
                message: message_keys.give(&format!("{}.v{}", spec.subject(), spec.version())),
            };
            channels.add(catalogue, entry, address, place);
        }
        channels
    }

    /// The messages of an event, each with its channel.
    pub(super) fn messages(&self, subject: &str, absolute: bool) -> impl Iterator<Item = Link<'_>> {
        let places = self.places.iter().filter(move |place| {
            (place.spec.subject(), place.spec.is_absolute()) == (subject, absolute)
        });
        places.map(|place| Link {
            spec: place.spec,
            channel: &place.channel,
            message: &place.message,
        })
    }

    pub(super) fn into_parts(self) -> (BTreeMap<String, Channel<'a>>, Components<'a>) {
        (self.made, self.components)
    }

    fn add(
        &mut self,
        catalogue: &'a Catalogue,
        entry: &'a EventEntry,
        address: String,
        place: Place,
    ) {
        let spec = entry.spec();
        let channel = self.made.entry(place.channel.clone());
        let channel = channel.or_insert_with(|| Channel {
            address,
            title: spec.event_type(),
            description: "",
            parameters: parameters(spec),
            messages: BTreeMap::new(),
            stream: catalogue.stream_of(spec).map(StreamSpec::name),
        });
        // The newest version comes last and says it best.
        channel.description = spec.description();
        channel.messages.insert(
            place.message.clone(),
            reference(&["components", "messages", &place.message]),
        );
        self.components.schemas.insert(
            place.message.clone(),
            schemas::payload(entry, &place.message),
        );
        self.components.messages.insert(
            place.message.clone(),
            message(catalogue, entry, &place.message),
        );
        self.places.push(place);
    }
}

/// The message of a version, and the channel that it is in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) spec: &'static EventSpec,
    pub(super) channel: &'a str,
    message: &'a str,
}

impl Link<'_> {
    pub(super) fn to_channel(self) -> Reference {
        reference(&["channels", self.channel])
    }

    pub(super) fn to_message(self) -> Reference {
        reference(&["channels", self.channel, "messages", self.message])
    }
}

/// The names of the shared schema of headers and of the one correlation id.
const HEADERS: &str = "headers";
const STORY: &str = "story";

/// The keys need no escape: they have no `/` and no `~`.
fn reference(steps: &[&str]) -> Reference {
    Reference {
        to: format!("#/{}", steps.join("/")),
    }
}

fn parameters(spec: &EventSpec) -> BTreeMap<&'static str, Parameter> {
    let key = Parameter {
        description: "The key of the event. Letters, digits, `_` and `-` stand for themselves, \
            every other byte of its UTF-8 is `=` and two upper-case hexadecimal digits, and the \
            empty key is `=` alone.",
    };
    let in_subject = spec.key_use() == KeyUse::InSubject;
    in_subject.then_some(("key", key)).into_iter().collect()
}

fn message<'a>(catalogue: &'a Catalogue, entry: &'a EventEntry, key: &str) -> Message<'a> {
    let spec = entry.spec();
    let publisher = catalogue.publishers_of(spec).next();
    let source = publisher.map_or("unknown", |service| service.name());
    let made_up: Vec<Value> = match entry.examples() {
        [] => entry.example().into_iter().collect(),
        _ => Vec::new(),
    };
    let summary = (!made_up.is_empty()).then_some("Made up from the schema.");
    let all = entry.examples().iter().chain(&made_up);
    let examples = all.enumerate().map(|(index, data)| {
        let payload = described::envelope(entry, source, index + 1, data);
        let id = payload["event_id"].as_str().unwrap_or_default().to_owned();
        Example {
            name: format!("example-{}", index + 1),
            summary,
            headers: BTreeMap::from([("Nats-Msg-Id", id)]),
            payload,
        }
    });
    Message {
        name: spec.name(),
        title: format!("{} {}", spec.event_type(), spec.version()),
        description: spec.description(),
        content_type: "application/json",
        headers: reference(&["components", "schemas", HEADERS]),
        correlation_id: reference(&["components", "correlationIds", STORY]),
        payload: reference(&["components", "schemas", key]),
        examples: examples.collect(),
        event: EventFacts::of(spec),
        pii: entry.pii().iter().map(ToString::to_string).collect(),
    }
}
