//! Each service is a process of its own, over a NATS server: one of them, or the server, is killed at a
//! time. The server keeps its files.

use std::time::Duration;

use anyhow::Context as _;
use event_sdk_test_servers::Server;
use sqlx::Pool;

use super::Plan;
use crate::database::{Databases, Db};
use crate::process::{Process, Program};
use crate::services::Service;
use crate::worker::{Place, Side, Task};
use crate::{quiet, streams};

/// The longest time between the payment that a kill waits for and the kill.
const WITHIN: Duration = Duration::from_millis(50);

/// The time between two looks at the database.
const PACE: Duration = Duration::from_millis(10);

/// What has not happened by then does not happen.
const AT_MOST: Duration = Duration::from_mins(5);

/// Returns how often something was killed.
pub(super) async fn run(
    program: &Program,
    plan: Plan,
    side: Side,
    databases: Databases,
) -> anyhow::Result<u32> {
    let mut server = Server::start().await.context(
        "`--servers` needs nats-server 2.11 or newer: on the PATH, named by EVENT_SDK_NATS_SERVER, \
         or installed by `cargo xtask services`",
    )?;
    let bus = streams::nats(&server.url()).await?;
    bus.apply().await.context("the streams")?;
    let mut services = Services::start(program, plan, side, &databases, &server.url())?;
    let payments = Service::Transactions.open_database(&databases).await?;
    let mut random = fastrand::Rng::with_seed(plan.seed);
    for kill in 1..=plan.kills {
        let at = u64::from(plan.payments) * u64::from(kill) / u64::from(plan.kills + 1);
        services.until(&payments, at).await?;
        tokio::time::sleep(WITHIN.mul_f64(random.f64())).await;
        // Every third kill is one of the server.
        if kill % 3 == 2 {
            server.kill().await?;
            server.restart().await?;
        } else {
            services.kill(random.usize(..Service::ALL.len()))?;
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
    Ok(plan.kills)
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
        databases: &Databases,
        url: &str,
    ) -> anyhow::Result<Self> {
        let task = |service| Task {
            side,
            databases: databases.clone(),
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
    async fn until(&mut self, pool: &Pool<Db>, payments: u64) -> anyhow::Result<()> {
        let submitted = async {
            loop {
                let count = sqlx::query_scalar::<_, i64>("select count(*) from payments");
                if u64::try_from(count.fetch_one(pool).await?)? >= payments {
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
