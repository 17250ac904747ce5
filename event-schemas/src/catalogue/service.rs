//! `Service`: the events that one service publishes and consumes.

use event_sdk::event::EventSpec;
use event_sdk::{EventSet, Visit};

use super::collect::{Collect, Definition};
use super::{CatalogueFault, Consumer, EventName, SetSpec};

/// A service: the sets that it publishes, and its consumers.
#[derive(Debug, Clone)]
pub struct Service {
    name: String,
    description: String,
    owner: Option<String>,
    published: Vec<SetSpec>,
    /// What it is said to publish and cannot.
    unpublishable: Vec<&'static EventSpec>,
    consumers: Vec<Consumer>,
    definitions: Vec<Definition>,
}

impl Service {
    /// Creates a service that does not publish or consume anything yet.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            owner: None,
            published: Vec::new(),
            unpublishable: Vec::new(),
            consumers: Vec::new(),
            definitions: Vec::new(),
        }
    }

    /// Sets the description of what the service does, in Markdown.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Sets the owner of the service, such as a team, in Markdown:
    /// `[Payments](https://example.com/teams/payments)`.
    pub fn owned_by(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// Adds the events of the set `S` to those that the service publishes.
    pub fn publishes<S: EventSet + Visit<Collect>>(mut self) -> Self {
        let mut collect = Collect::default();
        S::visit_all(&mut collect);
        let definitions = collect.into_definitions();
        let received = definitions.iter().filter(|one| !one.is_published);
        self.unpublishable.extend(received.map(|one| one.spec));
        self.definitions.extend(definitions);
        self.published.push(SetSpec::of::<S>());
        self
    }

    /// Adds a consumer of the service.
    pub fn consumes(mut self, mut consumer: Consumer) -> Self {
        self.definitions.append(&mut consumer.take_definitions());
        self.consumers.push(consumer);
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the service does, in Markdown; empty if [`describe`](Self::describe) was not called.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The owner of this service, in Markdown; `None` if [`owned_by`](Self::owned_by) was not called.
    pub fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }

    /// The sets that the service publishes.
    pub fn published(&self) -> &[SetSpec] {
        &self.published
    }

    /// The consumers of the service.
    pub fn consumers(&self) -> &[Consumer] {
        &self.consumers
    }

    /// Puts each event that it is said to publish, and cannot, to `faults`.
    pub(super) fn find_faults(&self, faults: &mut Vec<CatalogueFault>) {
        let specs = self.unpublishable.iter();
        faults.extend(specs.map(|spec| CatalogueFault::NotPublishable {
            event: EventName::of(spec),
            service: self.name.clone(),
            ty: spec.name(),
        }));
    }

    pub(super) fn take_definitions(&mut self) -> Vec<Definition> {
        std::mem::take(&mut self.definitions)
    }
}
