//! One process with all services over streams in memory: when it is killed, the next one has the databases
//! and empty streams.

use std::time::Duration;

use anyhow::ensure;

use super::{Plan, open_corridors};
use crate::database::Databases;
use crate::process::Program;
use crate::tally::Tally;
use crate::worker::{Place, Side, Task};

/// The longest time between the payment that a kill waits for and the kill, so that it hits any step.
const WITHIN: Duration = Duration::from_millis(8);

/// Starts process after process, and kills all but the last one. Returns how many it killed, and what the
/// databases say.
pub(super) async fn run(
    program: &Program,
    plan: Plan,
    side: Side,
    databases: &impl Databases,
) -> anyhow::Result<(u32, Tally)> {
    open_corridors(databases).await?;
    let task = Task {
        side,
        databases: databases.clone().into(),
        payments: plan.payments,
        place: Place::Memory,
    };
    let program = program.clone();
    let kills = tokio::task::spawn_blocking(move || lives(&program, plan, &task)).await??;
    Ok((kills, Tally::read(side, databases).await?))
}

fn lives(program: &Program, plan: Plan, task: &Task) -> anyhow::Result<u32> {
    let mut random = fastrand::Rng::with_seed(plan.seed);
    let longest = (plan.payments / (plan.kills + 1)).max(1);
    for kills in 0..plan.kills {
        let mut process = program.start(task)?;
        if !process.wait_for_payments(random.u32(1..=longest))? {
            // All payments were submitted before.
            let status = process.wait()?;
            ensure!(status.success(), "a process has failed: {status}");
            return Ok(kills);
        }
        std::thread::sleep(WITHIN.mul_f64(random.f64()));
        process.kill()?;
    }
    let status = program.start(task)?.wait()?;
    ensure!(status.success(), "a process has failed: {status}");
    Ok(plan.kills)
}
