//! A process that a supervisor starts and kills: services, on one side of the comparison.

use std::time::Duration;

use anyhow::Context as _;
use event_sdk::EventBus;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::broker::Broker;
use crate::database::{Databases, Files, Schemas};
use crate::services::Service;
use crate::system::{self, System};
use crate::{plain, quiet, streams};

/// The environment variable with the [`Task`] of a process, as JSON.
pub(crate) const VARIABLE: &str = "PAYMENTS_WORKER";

/// What a process prints on a line when it has stored a payment, for the supervisor.
pub(crate) const SUBMITTED: &str = "submitted";

/// A process that has not ended by then has a defect.
const AT_MOST: Duration = Duration::from_mins(5);

/// What a process does.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Task {
    pub(crate) side: Side,
    pub(crate) databases: Kept,
    /// Up to which number payments are submitted.
    pub(crate) payments: u32,
    pub(crate) place: Place,
}

/// Which databases are meant, as a task has it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Kept {
    Files(Files),
    Schemas(Schemas),
}

impl From<Files> for Kept {
    fn from(files: Files) -> Self {
        Self::Files(files)
    }
}

impl From<Schemas> for Kept {
    fn from(schemas: Schemas) -> Self {
        Self::Schemas(schemas)
    }
}

/// A side of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Side {
    /// With event-sdk: outbox and inbox.
    Sdk,
    /// The control.
    Plain,
}

/// Where the streams are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Place {
    /// In the process, which has all services, and ends when nothing is left to do.
    Memory,
    /// On a NATS server. The process has one service, and runs until it is killed.
    Nats { url: String, service: Service },
}

/// Reads the task of this process; `None` if it is not a process of a supervisor.
pub(crate) fn task() -> anyhow::Result<Option<Task>> {
    match std::env::var(VARIABLE) {
        Ok(task) => Ok(Some(serde_json::from_str(&task).context(VARIABLE)?)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(error) => Err(error).context(VARIABLE),
    }
}

/// Does what the task says.
pub(crate) async fn work(task: &Task) -> anyhow::Result<()> {
    let work = async {
        match &task.databases {
            Kept::Files(files) => on(files, task).await,
            Kept::Schemas(schemas) => on(schemas, task).await,
        }
    };
    let done = tokio::time::timeout(AT_MOST, work).await;
    done.context("the process does not come to an end")?
}

async fn on(databases: &impl Databases, task: &Task) -> anyhow::Result<()> {
    match task.side {
        Side::Sdk => with_sdk(databases, task).await,
        Side::Plain => plainly(databases, task).await,
    }
}

impl Task {
    async fn bus(&self) -> Result<EventBus, event_sdk::Error> {
        match &self.place {
            Place::Memory => streams::memory(),
            Place::Nats { url, .. } => streams::nats(url).await,
        }
    }

    fn services(&self) -> &[Service] {
        match &self.place {
            Place::Memory => &Service::ALL,
            Place::Nats { service, .. } => std::slice::from_ref(service),
        }
    }

    /// Whether customers submit their payments in this process.
    fn has_customers(&self) -> bool {
        self.services().contains(&Service::Transactions)
    }
}

/// Tells the supervisor that a payment is stored.
fn tell() {
    println!("{SUBMITTED}");
}

async fn with_sdk(databases: &impl Databases, task: &Task) -> anyhow::Result<()> {
    let bus = task.bus().await?;
    let mut system = System::start(&bus, databases, task.services(), true).await?;
    let transactions = system.node(Service::Transactions).cloned();
    let pools = system.pools();
    let work = async {
        if let Some(transactions) = &transactions {
            system::submit(&transactions.outbox, task.payments, tell).await?;
        }
        match task.place {
            Place::Memory => quiet::with_outboxes(&bus, &pools).await,
            Place::Nats { .. } => std::future::pending().await,
        }
    };
    system.during(work).await?;
    system.stop().await
}

async fn plainly(databases: &impl Databases, task: &Task) -> anyhow::Result<()> {
    let (bus, broker) = match &task.place {
        Place::Memory => {
            let bus = streams::memory()?;
            (Some(bus.clone()), Broker::Memory(bus))
        }
        Place::Nats { url, .. } => (None, Broker::connect(url).await?),
    };
    let mut services = JoinSet::new();
    for service in task.services() {
        let pool = service.open_database(databases).await?;
        for stream in service.sources() {
            services.spawn(plain::serve(broker.clone(), pool.clone(), *service, stream));
        }
    }
    let work = async {
        if task.has_customers() {
            let pool = Service::Transactions.open_database(databases).await?;
            plain::submit(&broker, &pool, task.payments, tell).await?;
        }
        match &bus {
            Some(bus) => quiet::without_outboxes(bus).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        done = work => done,
        Some(ended) = services.join_next() => ended?,
    }
}
