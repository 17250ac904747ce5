//! Each service is a process of its own, over a NATS server and PostgreSQL: a service, the NATS server and
//! PostgreSQL are killed in turn, one at a time. The servers keep their files.

use std::time::Duration;

use anyhow::Context as _;
use event_sdk_test_servers::{Postgres, Server};
use sqlx::Pool;

use super::{Plan, open_corridors};
use crate::database::{self, Databases, Db, Schemas};
use crate::process::{Process, Program};
use crate::services::Service;
use crate::tally::Tally;
use crate::worker::{Place, Side, Task};
use crate::{quiet, streams};

/// The longest time between the payment that a kill waits for and the kill.
const WITHIN: Duration = Duration::from_millis(50);

/// The time between two looks at the database.
const PACE: Duration = Duration::from_millis(10);

/// What has not happened by then does not happen.
const AT_MOST: Duration = Duration::from_mins(5);

/// Returns how often something was killed, and what the databases say.
pub(super) async fn run(program: &Program, plan: Plan, side: Side) -> anyhow::Result<(u32, Tally)> {
    let mut server = Server::start().await.context(
        "`--servers` needs nats-server 2.11 or newer: on the PATH, named by EVENT_SDK_NATS_SERVER, \
         or installed by `cargo xtask services`",
    )?;
    let postgres = Postgres::options().durable().start().await;
    let mut postgres = postgres.context(
        "`--servers` needs PostgreSQL 15 or newer: `postgres` on the PATH or named by \
         EVENT_SDK_POSTGRES, or installed by `cargo xtask services`",
    )?;
    let address = postgres.database().await?.url();
    let databases = Schemas::at(&address)?;
    let program = program.on_database(address);
    open_corridors(&databases).await?;
    let bus = streams::nats(&server.url()).await?;
    bus.apply().await.context("the streams")?;
    let mut services = Services::start(&program, plan, side, &databases, &server.url())?;
    let payments = Service::Transactions.open_database(&databases).await?;
    let mut random = fastrand::Rng::with_seed(plan.seed);
    for kill in 1..=plan.kills {
        let at = u64::from(plan.payments) * u64::from(kill) / u64::from(plan.kills + 1);
        services.until(&payments, at).await?;
        tokio::time::sleep(WITHIN.mul_f64(random.f64())).await;
        match kill % 3 {
            1 => services.kill(random.usize(..Service::ALL.len()))?,
            2 => {
                server.kill().await?;
                server.restart().await?;
            }
            _ => {
                postgres.kill().await?;
                postgres.restart().await?;
            }
        }
    }
    services.until(&payments, plan.payments.into()).await?;
    let mut pools = Vec::new();
    for service in Service::ALL {
        pools.push(service.open_database(&databases).await?);
    }
    let quiet = async {
        match side {
            Side::Sdk => quiet::with_outboxes(&bus, &pools).await,
            Side::Plain => quiet::without_outboxes(&bus).await,
        }
    };
    services.during(quiet).await?;
    Ok((plan.kills, Tally::read(side, &databases).await?))
}

/// The processes, one for each service.
struct Services<'p> {
    program: &'p Program,
    processes: Vec<(Task, Process)>,
}

impl<'p> Services<'p> {
    fn start(
        program: &'p Program,
        plan: Plan,
        side: Side,
        databases: &impl Databases,
        url: &str,
    ) -> anyhow::Result<Self> {
        let task = |service| Task {
            side,
            databases: databases.clone().into(),
            payments: plan.payments,
            place: Place::Nats {
                url: url.to_owned(),
                service,
            },
        };
        let started = Service::ALL.into_iter().map(|service| {
            let task = task(service);
            let process = program.start_silently(&task)?;
            Ok((task, process))
        });
        Ok(Self {
            program,
            processes: started.collect::<anyhow::Result<_>>()?,
        })
    }

    /// Kills one of the processes, and starts it again.
    fn kill(&mut self, at: usize) -> anyhow::Result<()> {
        let (task, process) = &mut self.processes[at];
        process.kill()?;
        *process = self.program.start_silently(task)?;
        Ok(())
    }

    /// Starts processes again that have ended by themselves, as whatever runs services does. The control
    /// ends when a publish fails.
    fn revive(&mut self) -> anyhow::Result<()> {
        for (task, process) in &mut self.processes {
            if !process.is_alive() {
                *process = self.program.start_silently(task)?;
            }
        }
        Ok(())
    }

    /// Waits until customers have submitted so many payments.
    async fn until<D: Db>(&mut self, pool: &Pool<D>, payments: u64) -> anyhow::Result<()> {
        let submitted = async {
            loop {
                let count = "select count(*) from payments";
                let count =
                    database::patiently(async || Ok(database::number(pool, count, &[]).await?));
                if u64::try_from(count.await?)? >= payments {
                    return Ok(());
                }
                tokio::time::sleep(PACE).await;
            }
        };
        self.during(submitted).await
    }

    /// Waits for something while the services run.
    async fn during(
        &mut self,
        work: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        let mut work = std::pin::pin!(tokio::time::timeout(AT_MOST, work));
        loop {
            tokio::select! {
                done = &mut work => return done.context("the services do not come to an end")?,
                () = tokio::time::sleep(PACE) => self.revive()?,
            }
        }
    }
}
