//! The run without faults: all services in this process, dead letters, and their redrive.

use anyhow::Context as _;
use event_sdk::EventBus;
use event_sdk::dead_letters::{Audit, LetterFilter};

use crate::database::Databases;
use crate::money::Currency;
use crate::quiet;
use crate::services::{Service, clearing};
use crate::streams::DOMAINS;
use crate::system::{self, System};
use crate::tally::Tally;
use crate::worker::Side;

/// What came of the run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    /// The events in each stream.
    pub(crate) events: [u64; 8],
    /// Dead letters by cause, each redriven.
    pub(crate) letters: Vec<(String, u64)>,
}

/// Submits payments on the streams of this bus, redrives the dead letters, and reads the databases. If connections
/// are lost often, what is lost with them is soon delivered again. The operator may have another bus.
pub(crate) async fn run(
    bus: EventBus,
    operator: &EventBus,
    payments: u32,
    databases: &impl Databases,
    is_disturbed: bool,
) -> anyhow::Result<Outcome> {
    anyhow::ensure!(
        events(&bus).await? == [0; 8],
        "the streams have events of an earlier run, whose databases are gone; delete the streams"
    );
    let mut system = System::start(&bus, databases, &Service::ALL, is_disturbed).await?;
    let node = |service| system.node(service).cloned().context("all services run");
    let (transactions, clearing) = (node(Service::Transactions)?, node(Service::Clearing)?);
    let pools = system.pools();
    let work = async {
        system::submit(&transactions.outbox, payments, || ()).await?;
        quiet::with_outboxes(&bus, &pools).await?;

        // The operator reads the letters, opens the corridor, and redrives them.
        let letters = clearing.dead_letters(operator);
        let groups = letters.groups(&LetterFilter::open()).await?;
        let causes = groups.into_iter().map(|group| {
            let error = group.cause.error.unwrap_or_default();
            (format!("{}, {error}", group.cause.class), group.count)
        });
        let causes: Vec<_> = causes.collect();
        let mut connection = clearing.pool.acquire().await?;
        clearing::open_corridor(&mut *connection, Currency::Kwd.code()).await?;
        drop(connection);
        let audit = Audit::by("operator").because("the corridor is open");
        letters.redrive(LetterFilter::open()).audit(audit).await?;
        quiet::with_outboxes(&bus, &pools).await?;
        let open = letters.count(&LetterFilter::open()).await?;
        anyhow::ensure!(open == 0, "{open} letters became dead letters again");
        Ok(causes)
    };
    let letters = system.during(work).await?;
    let events = events(&bus).await.context("the streams")?;
    system.stop().await?;
    let tally = Tally::read(Side::Sdk, databases).await?;
    Ok(Outcome {
        tally,
        events,
        letters,
    })
}

async fn events(bus: &EventBus) -> Result<[u64; 8], event_sdk::Error> {
    let mut events = [0; 8];
    for (count, domain) in events.iter_mut().zip(DOMAINS) {
        *count = bus.stream_state(domain.stream).await?.messages;
    }
    Ok(events)
}
