//! Kills processes of the services again and again, on both sides, and counts what became of them.
//!
//! - `memory`: one process has all services; databases stay, and the streams begin anew;
//! - `servers`: each service is a process, and the NATS server and PostgreSQL are killed too.

mod memory;
mod servers;

use crate::database::{Databases, Home, Schemas};
use crate::money::Currency;
use crate::process::Program;
use crate::services::{Service, clearing};
use crate::tally::Tally;
use crate::worker::Side;

/// What is done to each side.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) payments: u32,
    pub(crate) kills: u32,
    pub(crate) seed: u64,
    /// Whether each service is a process of its own, over a NATS server and PostgreSQL.
    pub(crate) servers: bool,
}

/// One side at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Compared {
    pub(crate) name: &'static str,
    /// How often its processes, or a server, were killed.
    pub(crate) kills: u32,
    pub(crate) tally: Tally,
}

/// Runs both sides, one after the other, by processes of this program.
pub(crate) async fn compare(program: &Program, plan: Plan) -> anyhow::Result<[Compared; 2]> {
    let sdk = run(program, plan, Side::Sdk, "event-sdk").await?;
    let control = run(program, plan, Side::Plain, "control").await?;
    Ok([sdk, control])
}

async fn run(
    program: &Program,
    plan: Plan,
    side: Side,
    name: &'static str,
) -> anyhow::Result<Compared> {
    let (kills, tally) = if plan.servers {
        servers::run(program, plan, side).await?
    } else if let Some(schemas) = Schemas::configured()? {
        let done = memory::run(program, plan, side, &schemas).await?;
        schemas.remove().await?;
        done
    } else {
        let home = Home::new()?;
        memory::run(program, plan, side, &home.files()).await?
    };
    Ok(Compared { name, kills, tally })
}

/// Opens all corridors, so that no payment becomes a dead letter on either side.
async fn open_corridors(databases: &impl Databases) -> anyhow::Result<()> {
    let pool = Service::Clearing.open_database(databases).await?;
    let mut connection = pool.acquire().await?;
    for currency in Currency::ALL {
        clearing::open_corridor(&mut *connection, currency.code()).await?;
    }
    Ok(())
}
