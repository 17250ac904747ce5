//! `Operations`: what the commands know of the program that mounts them.

mod known;

use event_sdk::{EventBus, EventSet, Visit};
use event_sdk_topology::Topology;

pub use known::Collect;
pub(crate) use known::{KnownEvent, Sent};

/// What the commands know of a program: its name, its topology, and where its server is.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(crate) name: &'static str,
    pub(crate) topology: Option<Topology>,
    pub(crate) bus: Option<EventBus>,
    pub(crate) events: Vec<KnownEvent>,
}

impl Operations {
    /// The operations of the program `name`, as it is called on a command line.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            topology: None,
            bus: None,
            events: Vec::new(),
        }
    }

    /// Sets the topology. Default: none; commands that need one say so.
    #[must_use]
    pub const fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Adds the events of a set, or one event, so that commands decode them, hide their
    /// [personal data](event_sdk::Pii) and publish them. Default: none; the data of an event that is not
    /// known are not shown, since they may be personal.
    #[must_use]
    pub fn events<S: EventSet + Visit<Collect>>(mut self) -> Self {
        let mut collect = Collect::default();
        S::visit_all(&mut collect);
        self.events.extend(collect.into_events());
        self
    }

    /// The event with this subject, whole and without the prefix.
    pub(crate) fn known(&self, whole: &str, relative: Option<&str>) -> Option<&KnownEvent> {
        let mut events = self.events.iter();
        events.find(|event| event.spec.is_subject(whole, relative))
    }

    /// Works on this bus instead of connecting as the configuration says. For tests, and for programs
    /// that have a bus already.
    #[must_use]
    pub fn bus(mut self, bus: EventBus) -> Self {
        self.bus = Some(bus);
        self
    }
}
