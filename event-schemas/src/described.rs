//! Streams, consumers and events of a catalogue in the form that AsyncAPI and the page share.

mod example;

pub(crate) use example::envelope;

use std::time::Duration;

use event_sdk::event::{EventSpec, KeyUse};
use event_sdk::stream::{Compression, Discard, Retention, Storage, StreamSpec};
use serde::Serialize;

use crate::catalogue::Consumer;
use crate::schema::envelope::key_use;

/// The subject under which an event is published: with the prefix, and with `{key}` as its last
/// token if the key is in it.
pub(crate) fn address(spec: &EventSpec, prefix: &str) -> String {
    let mut address = String::new();
    if !spec.is_absolute() {
        address.push_str(prefix);
        address.push('.');
    }
    address.push_str(spec.subject());
    if spec.key_use() == KeyUse::InSubject {
        address.push_str(".{key}");
    }
    address
}

/// An event, without its schema.
#[derive(Debug, Serialize)]
pub(crate) struct EventFacts {
    pub(crate) name: &'static str,
    pub(crate) subject: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) absolute: bool,
    #[serde(rename = "type")]
    pub(crate) event_type: &'static str,
    pub(crate) version: String,
    /// `none`, `order` or `subject`.
    pub(crate) key: &'static str,
}

impl EventFacts {
    pub(crate) fn of(spec: &EventSpec) -> Self {
        Self {
            name: spec.name(),
            subject: spec.subject(),
            absolute: spec.is_absolute(),
            event_type: spec.event_type(),
            version: spec.version().to_string(),
            key: key_use(spec.key_use()),
        }
    }
}

/// A consumer, without the events that it takes. Times are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ConsumerFacts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) durable: Option<&'a str>,
    /// The pattern of the set, if it takes all that matches it and not only its members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) wildcard: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stream: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_deliver: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ack_wait_ms: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) backoff_ms: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) dead_letter: Option<&'a str>,
}

impl<'a> ConsumerFacts<'a> {
    pub(crate) fn of(consumer: &'a Consumer) -> Self {
        let set = consumer.set();
        let steps = consumer.backoff_steps().iter();
        Self {
            durable: consumer.durable(),
            wildcard: set.pattern().filter(|_| set.takes_other()),
            stream: consumer.stream_name(),
            max_deliver: consumer.max_deliver_times(),
            ack_wait_ms: consumer.ack_wait_time().map(milliseconds),
            backoff_ms: steps.copied().map(milliseconds).collect(),
            dead_letter: consumer.dead_letter_place(),
        }
    }
}

/// A stream: what it stores and what it keeps. Times are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StreamFacts {
    pub(crate) name: String,
    /// With the prefix.
    pub(crate) subjects: Vec<String>,
    /// `limits`, `interest` or `workqueue`, as JetStream calls them.
    pub(crate) retention: &'static str,
    pub(crate) storage: &'static str,
    pub(crate) replicas: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_age_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_messages: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_messages_per_subject: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_message_size: Option<u64>,
    /// `old` or `new`: what goes when there is no room.
    pub(crate) discard: &'static str,
    pub(crate) duplicate_window_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) compression: Option<&'static str>,
}

impl StreamFacts {
    /// `None` for a stream that cannot be, which the catalogue's faults name.
    pub(crate) fn of(stream: &StreamSpec, prefix: &str) -> Option<Self> {
        let config = stream.config(prefix).ok()?;
        let limits = config.limits;
        Some(Self {
            name: config.name.to_string(),
            subjects: config.subjects.iter().map(ToString::to_string).collect(),
            retention: match config.retention {
                Retention::Limits => "limits",
                Retention::Interest => "interest",
                Retention::WorkQueue => "workqueue",
            },
            storage: match config.storage {
                Storage::File => "file",
                Storage::Memory => "memory",
            },
            replicas: config.replicas,
            max_age_ms: limits.age.map(milliseconds),
            max_messages: limits.messages.map(Into::into),
            max_messages_per_subject: limits.messages_per_subject.map(Into::into),
            max_bytes: limits.bytes.map(Into::into),
            max_message_size: limits.message_size.map(Into::into),
            discard: match limits.discard {
                Discard::Old => "old",
                Discard::New => "new",
            },
            duplicate_window_ms: milliseconds(config.deduplication.window),
            compression: match config.compression {
                Compression::S2 => Some("s2"),
                _ => None,
            },
        })
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
