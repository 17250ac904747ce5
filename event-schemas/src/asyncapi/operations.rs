//! AsyncAPI operations: services send the events that they publish, and receive those that they
//! consume.

use std::collections::{BTreeMap, BTreeSet};

use super::channels::{Channels, Link};
use super::keys::Keys;
use super::model::{Bindings, NatsBinding, Operation, Tag};
use crate::catalogue::{Catalogue, Consumer, Service, SetSpec};
use crate::described::ConsumerFacts;

/// The operations of all services.
pub(super) fn of<'a>(
    catalogue: &'a Catalogue,
    channels: &Channels<'_>,
) -> BTreeMap<String, Operation<'a>> {
    let mut operations = Operations::default();
    for service in catalogue.services() {
        operations.send(service, channels);
        for consumer in service.consumers() {
            operations.receive(catalogue, service, consumer, channels);
        }
    }
    operations.made
}

#[derive(Default)]
struct Operations<'a> {
    keys: Keys,
    made: BTreeMap<String, Operation<'a>>,
}

impl<'a> Operations<'a> {
    fn send(&mut self, service: &'a Service, channels: &Channels<'_>) {
        let sets = service.published().iter();
        let members: BTreeMap<_, _> = sets
            .flat_map(SetSpec::members)
            .map(|spec| ((spec.subject(), spec.is_absolute(), spec.version()), *spec))
            .collect();
        let mut links: BTreeMap<&str, Vec<Link<'_>>> = BTreeMap::new();
        for ((subject, absolute, version), _) in members {
            let messages = channels.messages(subject, absolute);
            for link in messages.filter(|link| link.spec.version() == version) {
                links.entry(link.channel).or_default().push(link);
            }
        }
        for (channel, links) in links {
            let title = format!("{} publishes {}", service.name(), titles(&links));
            let key = format!("{}.send.{channel}", service.name());
            if let Some(operation) = operation("send", service, title, &links) {
                self.made.insert(self.keys.give(&key), operation);
            }
        }
    }

    /// A subscription with a wildcard is an operation for each event that it gets. A consumer takes
    /// every version of an event: it converts the older ones.
    fn receive(
        &mut self,
        catalogue: &'a Catalogue,
        service: &'a Service,
        consumer: &'a Consumer,
        channels: &Channels<'_>,
    ) {
        let events: BTreeSet<_> = catalogue
            .events()
            .iter()
            .filter(|entry| consumer.set().takes(entry.spec()))
            .map(|entry| (entry.spec().subject(), entry.spec().is_absolute()))
            .collect();
        let name = consumer.durable().unwrap_or("ephemeral");
        for (subject, absolute) in events {
            let mut links: BTreeMap<&str, Vec<Link<'_>>> = BTreeMap::new();
            for link in channels.messages(subject, absolute) {
                links.entry(link.channel).or_default().push(link);
            }
            for (channel, links) in links {
                let title = format!("{} takes {}", service.name(), titles(&links));
                let key = format!("{}.{name}.receive.{channel}", service.name());
                let Some(operation) = operation("receive", service, title, &links) else {
                    continue;
                };
                let operation = Operation {
                    description: consumer.description(),
                    bindings: consumer.durable().map(|queue| Bindings {
                        nats: NatsBinding {
                            queue,
                            binding_version: "0.1.0",
                        },
                    }),
                    consumer: Some(ConsumerFacts::of(consumer)),
                    ..operation
                };
                self.made.insert(self.keys.give(&key), operation);
            }
        }
    }
}

/// An operation on the channel of these messages, of which there is at least one.
fn operation<'a>(
    action: &'static str,
    service: &'a Service,
    title: String,
    links: &[Link<'_>],
) -> Option<Operation<'a>> {
    Some(Operation {
        action,
        channel: links.first()?.to_channel(),
        title,
        description: "",
        tags: [Tag {
            name: service.name(),
            description: service.description(),
        }],
        messages: links.iter().map(|link| link.to_message()).collect(),
        bindings: None,
        service: service.name(),
        owner: service.owner(),
        consumer: None,
    })
}

fn titles(links: &[Link<'_>]) -> String {
    let newest = links.last();
    newest.map_or(String::new(), |link| link.spec.event_type().to_owned())
}
