//! `Catalogue`: services, streams and events of a system, collected from Rust types.

mod collect;
mod consumer;
mod entry;
mod fault;
mod service;
mod set_spec;

pub use collect::Collect;
pub use consumer::Consumer;
pub use entry::EventEntry;
pub use fault::{CatalogueFault, EventName};
pub use service::Service;
pub use set_spec::SetSpec;

use std::collections::BTreeSet;

use event_sdk::event::EventSpec;
use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventSet, Pattern, Visit};
use schemars::JsonSchema;

use collect::Definition;
use set_spec::same_event;

/// Describes the events of one or several services: their schemas, the streams that store them, and
/// the services that publish and consume them.
///
/// The schemas are generated from the Rust types that you add; nothing is registered globally.
/// Every event has to derive [`JsonSchema`].
#[derive(Debug, Clone)]
pub struct Catalogue {
    title: String,
    description: String,
    version: Option<String>,
    prefix: String,
    services: Vec<Service>,
    streams: Vec<StreamSpec>,
    events: Vec<EventEntry>,
    /// The types that are only received, each with its receivers, in the order in which they came.
    views: Vec<EventEntry>,
}

impl Catalogue {
    /// Creates a catalogue without events, for a bus with the prefix `events`.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            description: String::new(),
            version: None,
            prefix: "events".to_owned(),
            services: Vec::new(),
            streams: Vec::new(),
            events: Vec::new(),
            views: Vec::new(),
        }
    }

    /// Sets the description of the events, in Markdown.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the version of the catalogue as a whole. Documents generated from the catalogue show
    /// it.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the prefix of the bus. Default: `events`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Adds a service with the events that it publishes and consumes.
    pub fn service(mut self, mut service: Service) -> Self {
        for definition in service.take_definitions() {
            self.define(&definition, Some(service.name()));
        }
        self.services.push(service);
        self
    }

    /// Adds the events of the set `S` without naming a service that publishes them.
    pub fn events_of<S: EventSet + Visit<Collect>>(mut self) -> Self {
        let mut collect = Collect::default();
        S::visit_all(&mut collect);
        for definition in collect.into_definitions() {
            self.define(&definition, None);
        }
        self
    }

    /// Adds a stream. The subjects of the stream determine which events it stores.
    pub fn stream(mut self, stream: StreamSpec) -> Self {
        self.streams.push(stream);
        self
    }

    /// Adds a real value as an example of its event. Also adds the event, if the catalogue lacks
    /// it.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a list of examples reads as values, as publishing does"
    )]
    pub fn example<E: Event + JsonSchema>(mut self, value: E) -> Self {
        self.publish(&Definition::of::<E>()).add_example(&value);
        self
    }

    /// The title of the catalogue.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The description of the events, in Markdown; empty if [`describe`](Self::describe) was not
    /// called.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The version of the catalogue as a whole.
    pub fn own_version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The prefix of the bus.
    pub fn bus_prefix(&self) -> &str {
        &self.prefix
    }

    /// The services, in the order in which they were added.
    pub fn services(&self) -> &[Service] {
        &self.services
    }

    /// The streams, in the order in which they were added.
    pub fn streams(&self) -> &[StreamSpec] {
        &self.streams
    }

    /// The events, sorted by subject and version.
    ///
    /// The published type defines an event. A type that is only received (`#[derive(Readable)]`) is
    /// an entry only if the catalogue has no published type with the same subject; `generate`
    /// writes no files for such an entry.
    pub fn events(&self) -> &[EventEntry] {
        &self.events
    }

    /// The entry of the event in the version of `spec`.
    pub fn event(&self, spec: &EventSpec) -> Option<&EventEntry> {
        let at = self.place(spec).ok()?;
        self.events.get(at)
    }

    /// The entry of the newest version of the event with this subject.
    pub fn newest(&self, subject: &str, absolute: bool) -> Option<&EventEntry> {
        let place = |entry: &EventEntry| {
            let spec = entry.spec();
            (spec.subject(), spec.is_absolute()) <= (subject, absolute)
        };
        let after = self.events.partition_point(place);
        let entry = self.events.get(after.checked_sub(1)?)?;
        let found = (entry.spec().subject(), entry.spec().is_absolute());
        (found == (subject, absolute)).then_some(entry)
    }

    /// The stream of the catalogue that stores the event; `None` if no stream does.
    pub fn stream_of(&self, spec: &EventSpec) -> Option<&StreamSpec> {
        let subjects = self.subjects(spec)?;
        self.streams.iter().find(|stream| {
            let config = stream.config(&self.prefix);
            config.is_ok_and(|config| config.subjects.iter().any(|one| one.covers(&subjects)))
        })
    }

    /// The services that publish the event.
    pub fn publishers_of<'a>(
        &'a self,
        spec: &'a EventSpec,
    ) -> impl Iterator<Item = &'a Service> + 'a {
        self.services.iter().filter(move |service| {
            let mut sets = service.published().iter();
            sets.any(|set| set.has(spec))
        })
    }

    /// The consumers that receive the event, each with its service.
    pub fn consumers_of<'a>(
        &'a self,
        spec: &'a EventSpec,
    ) -> impl Iterator<Item = (&'a Service, &'a Consumer)> + 'a {
        self.services
            .iter()
            .flat_map(|service| {
                let consumers = service.consumers().iter();
                consumers.map(move |consumer| (service, consumer))
            })
            .filter(move |(_, consumer)| consumer.set().takes(spec))
    }

    /// All faults of the catalogue. A catalogue with faults generates no schema, document or page.
    pub fn faults(&self) -> Vec<CatalogueFault> {
        let mut faults = Vec::new();
        self.find_doubles(&mut faults);
        for service in &self.services {
            service.find_faults(&mut faults);
        }
        let mut configs = Vec::new();
        for stream in &self.streams {
            match stream.config(&self.prefix) {
                Ok(config) => configs.push(config),
                Err(why) => faults.push(why.into()),
            }
        }
        let types: Vec<_> = self.published().chain(&self.views).collect();
        let own = crate::parallel::map(&types, |entry| {
            let mut own = Vec::new();
            entry.find_faults(&mut own);
            own
        });
        faults.extend(own.into_iter().flatten());
        for entry in &self.events {
            let Some(subjects) = self.subjects(entry.spec()) else {
                continue;
            };
            let mut stores = configs
                .iter()
                .filter(|config| config.subjects.iter().any(|one| one.overlaps(&subjects)));
            if let (Some(one), Some(other)) = (stores.next(), stores.next()) {
                faults.push(CatalogueFault::StoredTwice {
                    event: EventName::of(entry.spec()),
                    one: one.name.to_string(),
                    other: other.name.to_string(),
                });
            }
        }
        faults
    }

    fn find_doubles(&self, faults: &mut Vec<CatalogueFault>) {
        let mut check = |what: &str, names: &mut dyn Iterator<Item = &str>| {
            let mut seen = BTreeSet::new();
            for name in names {
                if !seen.insert(name.to_owned()) {
                    faults.push(CatalogueFault::TwoOfAName {
                        what: what.to_owned(),
                        name: name.to_owned(),
                    });
                }
            }
        };
        check("services", &mut self.services.iter().map(Service::name));
        check("streams", &mut self.streams.iter().map(StreamSpec::name));
        for service in &self.services {
            let what = format!("consumers of the service {:?}", service.name());
            let consumers = service.consumers().iter();
            check(&what, &mut consumers.filter_map(Consumer::durable));
        }
    }

    /// The whole subjects of an event, with the prefix.
    fn subjects(&self, spec: &EventSpec) -> Option<Pattern> {
        let subjects = Pattern::parse(spec.filter()).ok()?;
        if spec.is_absolute() {
            Some(subjects)
        } else {
            subjects.under(&self.prefix).ok()
        }
    }

    /// Adds a type: as what the event is if it is published, else as a view of it.
    fn define(&mut self, definition: &Definition, service: Option<&str>) {
        if definition.is_published {
            self.publish(definition);
        } else {
            self.receive(definition, service);
        }
    }

    /// The entry of a type that is published, which is added if it is not there.
    fn publish(&mut self, definition: &Definition) -> &mut EventEntry {
        // What receivers read was all that was known of the event.
        self.events
            .retain(|entry| entry.is_published() || !same_event(entry.spec(), definition.spec));
        let at = match self.place(definition.spec) {
            Ok(at) => at,
            Err(at) => {
                self.events.insert(at, EventEntry::new(definition));
                at
            }
        };
        let entry = &mut self.events[at];
        entry.meet(definition);
        entry
    }

    /// Adds a type that is only received, by this service.
    fn receive(&mut self, definition: &Definition, service: Option<&str>) {
        let known = self.views.iter().position(|view| view.is_of(definition));
        let at = known.unwrap_or_else(|| {
            self.views.push(EventEntry::new(definition));
            self.views.len() - 1
        });
        if let Some(service) = service {
            self.views[at].add_receiver(service);
        }
        let is_published = self
            .published()
            .any(|entry| same_event(entry.spec(), definition.spec));
        if !is_published && let Err(place) = self.place(definition.spec) {
            self.events.insert(place, self.views[at].clone());
        }
    }

    /// The events of which the catalogue has the type that is published, sorted.
    pub(crate) fn published(&self) -> impl Iterator<Item = &EventEntry> {
        self.events.iter().filter(|entry| entry.is_published())
    }

    /// The types that are only received, whoever publishes their events.
    pub(crate) fn views(&self) -> &[EventEntry] {
        &self.views
    }

    fn place(&self, spec: &EventSpec) -> Result<usize, usize> {
        let place = |spec: &EventSpec| (spec.subject(), spec.is_absolute(), spec.version());
        self.events
            .binary_search_by(|entry| place(entry.spec()).cmp(&place(spec)))
    }
}
