//! The topology: eight streams with their retention, and the users; and the bus over them.

use std::time::Duration;

use event_sdk::config::{Config, ConfigLoader, TransportChoice};
use event_sdk::dead_letters::DeadLetterStream;
use event_sdk::stream::StreamSpec;
use event_sdk::transport::nats::Nats;
use event_sdk::{BusBuilder, EventBus};
use event_sdk_topology::permissions::{self, PermissionsBuilder};
use event_sdk_topology::{DeadLetterSpec, DurableSpec, Topology, covers};

use crate::events::Everything;
use crate::services::{
    Service, audit, clearing, compliance, notifications, reporting, risk, settlement, transactions,
};

/// For how long the streams recognize an event that is published again, and the relays publish again what
/// a stream may have lost. It is longer than any run: in this process the streams begin anew whenever the
/// process is killed. With a server that keeps its files, the two minutes of JetStream are enough.
pub(crate) const DUPLICATE_WINDOW: Duration = Duration::from_hours(1);

/// Names the retry stream through which dead letters are redriven.
pub(crate) const DEAD_LETTERS: &str = "DLQ";

/// The prefix of the events: that which a bus has by default.
const PREFIX: &str = "events";

/// A stream: what it stores, and for how many days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Domain {
    pub(crate) stream: &'static str,
    subjects: &'static [&'static str],
    pub(crate) days: u32,
}

const fn domain(stream: &'static str, subjects: &'static [&'static str], days: u32) -> Domain {
    Domain {
        stream,
        subjects,
        days,
    }
}

pub(crate) const TRANSACTIONS: Domain = domain("TRANSACTIONS", &["transactions.>"], 7);
pub(crate) const COMPLIANCE: Domain = domain("COMPLIANCE", &["compliance.>"], 30);
pub(crate) const RISK: Domain = domain("RISK", &["risk.>"], 30);
pub(crate) const CLEARING: Domain = domain("CLEARING", &["clearing.>"], 30);
pub(crate) const SETTLEMENT: Domain = domain("SETTLEMENT", &["settlement.>"], 90);
pub(crate) const NOTIFICATIONS: Domain = domain("NOTIFICATIONS", &["notifications.>"], 7);
pub(crate) const REPORTING: Domain = domain("REPORTING", &["reporting.>"], 90);
pub(crate) const AUDIT: Domain = domain("AUDIT", &["audit.>"], 180);

/// All streams.
pub(crate) const DOMAINS: [Domain; 8] = [
    TRANSACTIONS,
    COMPLIANCE,
    RISK,
    CLEARING,
    SETTLEMENT,
    NOTIFICATIONS,
    REPORTING,
    AUDIT,
];

impl Domain {
    const fn spec(self) -> StreamSpec {
        StreamSpec::constant(self.stream, self.subjects)
            .max_age(Duration::from_hours(24 * self.days as u64))
            .max_message_size(1024 * 1024)
            .duplicate_window(DUPLICATE_WINDOW)
    }
}

/// The streams and durables that the program needs on a server. The dead letters are in the databases.
pub(crate) const TOPOLOGY: Topology = Topology::new(
    const {
        &[
            TRANSACTIONS.spec(),
            COMPLIANCE.spec(),
            RISK.spec(),
            CLEARING.spec(),
            SETTLEMENT.spec(),
            NOTIFICATIONS.spec(),
            REPORTING.spec(),
            AUDIT.spec(),
        ]
    },
)
.consumers(
    const {
        &[
            DurableSpec::of::<transactions::Outcomes>(Service::Transactions.consumer()),
            DurableSpec::of::<compliance::Consumed>(Service::Compliance.consumer()),
            DurableSpec::of::<risk::Consumed>(Service::Risk.consumer()),
            DurableSpec::of::<clearing::Consumed>(Service::Clearing.consumer()),
            DurableSpec::of::<settlement::Consumed>(Service::Settlement.consumer()),
            DurableSpec::of::<notifications::Consumed>(Service::Notifications.consumer()),
            DurableSpec::of::<reporting::Consumed>(Service::Reporting.consumer())
                .ack_wait(reporting::ACK_WAIT),
            DurableSpec::of::<audit::Audited>(Service::Audit.consumer()),
        ]
    },
)
.dead_letters(const { &[DeadLetterSpec::new(DEAD_LETTERS, "DLQ_RETRY").in_tables()] });

covers!(TOPOLOGY, Everything);

/// The users: the program, which has one connection for all services of a process, the operator who redrives dead
/// letters, and the step that deploys it.
pub(crate) fn users() -> PermissionsBuilder {
    let program = permissions::Service::new("payments").publishes_by_outbox::<Everything>();
    let consumes = |service: Service| {
        let consumes = permissions::Consumes::durable(service.consumer());
        consumes.dead_letters(DEAD_LETTERS)
    };
    let all = Service::ALL.map(consumes);
    TOPOLOGY
        .permissions(PREFIX)
        .account("PAYMENTS")
        .private_inboxes()
        .service(
            all.into_iter()
                .fold(program, permissions::Service::consumes),
        )
        .operator("operator")
        .deployment("deploy")
}

/// The stream of a relative subject.
pub(crate) fn of(subject: &str) -> Option<Domain> {
    let domain = subject.split('.').next()?;
    let mut domains = DOMAINS.into_iter();
    domains.find(|it| it.stream.eq_ignore_ascii_case(domain))
}

/// The retry stream of dead letters.
pub(crate) fn dead_letters() -> DeadLetterStream {
    DeadLetterStream::new(DEAD_LETTERS)
}

/// The streams, with the retry stream.
pub(crate) fn specs() -> impl Iterator<Item = StreamSpec> {
    let domains = DOMAINS.into_iter().map(Domain::spec);
    domains.chain([dead_letters().retry_spec()])
}

/// The bus, with the streams declared and no transport yet.
fn builder() -> BusBuilder {
    specs().fold(EventBus::builder().source("payments"), BusBuilder::stream)
}

/// The configuration of the environment; without one, the streams are in this process.
pub(crate) fn config() -> ConfigLoader {
    Config::loader().defaults(|config| config.transport = Some(TransportChoice::Memory))
}

/// The bus of a configuration.
pub(crate) async fn connected(config: &Config) -> Result<EventBus, event_sdk::Error> {
    builder().connect(config).await
}

/// The same, with its streams.
pub(crate) async fn configured(config: &Config) -> Result<EventBus, event_sdk::Error> {
    let bus = connected(config).await?;
    bus.apply().await?;
    Ok(bus)
}

/// A bus on streams in this process, which are empty.
pub(crate) fn memory() -> Result<EventBus, event_sdk::Error> {
    builder().memory()
}

/// A bus on the streams of a NATS server. It waits for a server that is unavailable.
pub(crate) async fn nats(url: &str) -> Result<EventBus, event_sdk::Error> {
    let options = Nats::options(url).connect_within(Duration::from_secs(30));
    builder().transport(Nats::connect(options).await?)
}
