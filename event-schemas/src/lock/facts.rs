//! The catalogue's entries in `index.json`: services, streams, consumers, versions.

use std::time::Duration;

use event_sdk::event::EventSpec;

use super::index::{ConsumerFacts, ServiceFacts, SetFacts, StreamFacts, VersionFacts};
use crate::schema::envelope::key_use;
use crate::{Catalogue, Consumer, EventEntry, Service, SetSpec};

/// The services.
pub(super) fn services(catalogue: &Catalogue) -> Vec<ServiceFacts> {
    catalogue.services().iter().map(service).collect()
}

/// The streams, with whole subjects.
pub(super) fn streams(catalogue: &Catalogue) -> Vec<StreamFacts> {
    let streams = catalogue.streams().iter();
    streams
        .filter_map(|stream| {
            let config = stream.config(catalogue.bus_prefix()).ok()?;
            Some(StreamFacts {
                name: stream.name().to_owned(),
                subjects: config.subjects.iter().map(ToString::to_string).collect(),
            })
        })
        .collect()
}

/// A version, with the hashes of its files.
pub(super) fn version(
    catalogue: &Catalogue,
    entry: &EventEntry,
    schema: String,
    golden: String,
) -> VersionFacts {
    let spec = entry.spec();
    let stream = catalogue.stream_of(spec);
    VersionFacts {
        version: spec.version().to_string(),
        name: spec.name().to_owned(),
        event_type: spec.event_type().to_owned(),
        key: key_use(spec.key_use()).to_owned(),
        stream: stream.map(|stream| stream.name().to_owned()),
        publishers: names(catalogue.publishers_of(spec)),
        consumers: names(catalogue.consumers_of(spec).map(|(service, _)| service)),
        pii: entry.pii().iter().map(ToString::to_string).collect(),
        schema,
        golden,
    }
}

fn names<'a>(services: impl Iterator<Item = &'a Service>) -> Vec<String> {
    let mut names: Vec<String> = services.map(|service| service.name().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

fn service(service: &Service) -> ServiceFacts {
    ServiceFacts {
        name: service.name().to_owned(),
        description: service.description().to_owned(),
        publishes: service.published().iter().map(set).collect(),
        consumers: service.consumers().iter().map(consumer).collect(),
    }
}

fn consumer(consumer: &Consumer) -> ConsumerFacts {
    ConsumerFacts {
        durable: consumer.durable().map(str::to_owned),
        description: consumer.description().to_owned(),
        set: set(consumer.set()),
        stream: consumer.stream_name().map(str::to_owned),
        max_deliver: consumer.max_deliver_times(),
        ack_wait_ms: consumer.ack_wait_time().map(millis),
        backoff_ms: consumer
            .backoff_steps()
            .iter()
            .copied()
            .map(millis)
            .collect(),
        dead_letter: consumer.dead_letter_place().map(str::to_owned),
    }
}

fn set(set: &SetSpec) -> SetFacts {
    SetFacts {
        pattern: set.pattern().map(str::to_owned),
        takes_other: set.takes_other(),
        events: set.members().iter().map(|spec| subject(spec)).collect(),
    }
}

/// The subject, with an `@` in front if it takes no prefix.
fn subject(spec: &EventSpec) -> String {
    let at = if spec.is_absolute() { "@" } else { "" };
    format!("{at}{}", spec.subject())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
