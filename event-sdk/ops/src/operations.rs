//! `Operations`: the description of a program for the commands that it provides.

mod known;

use std::sync::Arc;

use event_sdk::dead_letters::LetterWorkflow;
use event_sdk::{EventBus, EventSet, Visit};
#[cfg(feature = "outbox")]
use event_sdk_store::outbox::OutboxStore;
#[cfg(feature = "outbox")]
use event_sdk_store::recover::Recover;
use event_sdk_topology::Topology;
use event_sdk_topology::permissions::PermissionsBuilder;

pub use known::Collect;
pub(crate) use known::{KnownEvent, Sent};

/// The description of a program for the commands: its name, its topology, its events and stores,
/// and its server.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(crate) name: &'static str,
    pub(crate) topology: Option<Topology>,
    pub(crate) permissions: Option<PermissionsBuilder>,
    pub(crate) bus: Option<EventBus>,
    pub(crate) events: Vec<KnownEvent>,
    pub(crate) letters: Vec<(String, Arc<dyn LetterWorkflow>)>,
    #[cfg(feature = "outbox")]
    pub(crate) outboxes: Vec<(String, Arc<dyn OutboxStore>)>,
    #[cfg(feature = "outbox")]
    pub(crate) recover: Option<RecoverParts>,
}

impl Operations {
    /// The operations of a program. `name` is the name of the program on a command line.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            topology: None,
            permissions: None,
            bus: None,
            events: Vec::new(),
            letters: Vec::new(),
            #[cfg(feature = "outbox")]
            outboxes: Vec::new(),
            #[cfg(feature = "outbox")]
            recover: None,
        }
    }

    /// Sets the topology. Default: none. Commands that need a topology then say that there is none.
    #[must_use]
    pub const fn topology(mut self, topology: Topology) -> Self {
        self.topology = Some(topology);
        self
    }

    /// Sets the users of the server. The command `permissions` prints them with their permissions.
    /// Default: none; the command then says that there are none.
    ///
    /// ```
    /// # use event_sdk_ops::Operations;
    /// # use event_sdk_topology::Topology;
    /// use event_sdk_topology::permissions::{Consumes, Service};
    ///
    /// # fn example(topology: Topology) -> Operations {
    /// let billing = Service::new("billing").consumes(Consumes::durable("billing"));
    /// let users = topology.permissions("shop").service(billing).deployment("deploy");
    /// Operations::new("shop").topology(topology).permissions(users)
    /// # }
    /// ```
    #[must_use]
    pub fn permissions(mut self, users: PermissionsBuilder) -> Self {
        self.permissions = Some(users);
        self
    }

    /// Adds the events of a set, or one event, so that commands decode them, hide their [personal
    /// data](event_sdk::Pii) and publish them. Default: none. The data of unknown events is not
    /// shown, because it may be personal.
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

    /// Uses this bus instead of a connection by the configuration. This is for tests, and for
    /// programs that already have a bus.
    #[must_use]
    pub fn bus(mut self, bus: EventBus) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Adds dead letters that are not in a stream, such as the letters of a table
    /// (`SqlDeadLetters::queue` of `event-sdk-sql`). `name` is their name for `--store`. May be
    /// called several times.
    #[must_use]
    pub fn letters(mut self, name: impl Into<String>, letters: impl LetterWorkflow) -> Self {
        self.letters.push((name.into(), Arc::new(letters)));
        self
    }

    /// Adds an outbox (`Outbox::store` of `event-sdk-sql`). `name` is its name for `--outbox`. May
    /// be called several times.
    #[cfg(feature = "outbox")]
    #[must_use]
    pub fn outbox(mut self, name: impl Into<String>, store: Arc<dyn OutboxStore>) -> Self {
        self.outboxes.push((name.into(), store));
        self
    }

    /// Sets the parts that the command `recover` compares after a restore: the outbox, the inboxes
    /// and the durables of the program. Default: only the durables that `--durable` names.
    ///
    /// ```
    /// # use event_sdk_ops::Operations;
    /// # use event_sdk_store::recover::RecoverableOutbox;
    /// # use std::sync::Arc;
    /// # fn example(outbox: Arc<dyn RecoverableOutbox>) -> Operations {
    /// Operations::new("shop").recover(move |recover| {
    ///     recover.outbox(Arc::clone(&outbox)).durable("ORDERS", "audit")
    /// })
    /// # }
    /// ```
    #[cfg(feature = "outbox")]
    #[must_use]
    pub fn recover(mut self, parts: impl Fn(Recover) -> Recover + Send + Sync + 'static) -> Self {
        self.recover = Some(RecoverParts(Arc::new(parts)));
        self
    }
}

/// What a recovery compares.
#[cfg(feature = "outbox")]
#[derive(Clone)]
pub(crate) struct RecoverParts(pub(crate) Arc<dyn Fn(Recover) -> Recover + Send + Sync>);

#[cfg(feature = "outbox")]
impl std::fmt::Debug for RecoverParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoverParts")
    }
}
