//! `Operations`: what the commands know of the program that mounts them.

use event_sdk::EventBus;
use event_sdk_topology::Topology;

/// What the commands know of a program: its name, its topology, and where its server is.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(crate) name: &'static str,
    pub(crate) topology: Option<Topology>,
    pub(crate) bus: Option<EventBus>,
}

impl Operations {
    /// The operations of the program `name`, as it is called on a command line.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            topology: None,
            bus: None,
        }
    }

    /// Sets the topology. Default: none; commands that need one say so.
    #[must_use]
    pub const fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Works on this bus instead of connecting as the configuration says. For tests, and for programs
    /// that have a bus already.
    #[must_use]
    pub fn bus(mut self, bus: EventBus) -> Self {
        self.bus = Some(bus);
        self
    }
}
