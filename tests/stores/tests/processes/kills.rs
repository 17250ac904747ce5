//! Kills: the writer, the relay and the consumer of a service are killed at every step and at random
//! times, at the same time. `cargo xtask long kills` runs it with 200 kills on each database, in all
//! forms of the consumer.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use event_sdk::EventBus;
use event_sdk::transport::TransportExt as _;
use event_sdk_test_servers::Server;
use event_sdk_test_stores::service::{
    Arguments, CONSUMER, Form, ORDERS, Role, ServiceDatabase, Step, builder,
};
use tokio::sync::watch;

use crate::counts::{check_always, check_end, check_step, is_done};
use crate::process::Process;
use crate::rig::{self, Database, connect, eventually, number, random, within};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_on_sqlite() {
    run(rig::sqlite, 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_on_postgres() {
    run(rig::postgres, 1).await;
}

/// How often processes are killed at a random time in one round.
const AT_RANDOM: usize = 3;

/// Without `KILLS_KILLS` one round in the first form, else that many kills in all forms.
async fn run<DB: ServiceDatabase>(database: impl AsyncFn() -> Database<DB>, first: usize) {
    let kills = number("KILLS_KILLS", 0);
    let mut random = random("KILLS_SEED");
    let mut forms = Form::ALL;
    forms.rotate_left(first);
    let each = kills.div_ceil(forms.len() as u64);
    let taken = if kills == 0 { 1 } else { forms.len() };
    for form in forms.into_iter().take(taken) {
        let of_round = AT_RANDOM + Step::ALL.iter().filter(|step| step.is_of(form)).count();
        let rounds = each.div_ceil(of_round as u64).max(1);
        let world = World::start(database().await, form).await;
        world.run(rounds, &mut random).await;
    }
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
enum Kill {
    /// At a step, when it comes there for this time, counted from one.
    At(Step, u32),
    /// So long after its start.
    After(Duration),
}

/// The kills of the processes of one role.
fn plan(role: Role, form: Form, rounds: u64, random: &mut fastrand::Rng) -> Vec<Kill> {
    let steps = Step::ALL.into_iter();
    let steps: Vec<_> = steps
        .filter(|step| step.role() == role && step.is_of(form))
        .collect();
    let mut kills = Vec::new();
    for _ in 0..rounds {
        let mut round: Vec<_> = steps
            .iter()
            .map(|step| match step {
                // A process claims shards once, unless another one ends.
                Step::Claimed => Kill::At(*step, 1),
                _ => Kill::At(*step, random.u32(1..5)),
            })
            .collect();
        round.push(Kill::After(Duration::from_micros(
            random.u64(10_000..800_000),
        )));
        random.shuffle(&mut round);
        kills.extend(round);
    }
    kills
}

/// A database, a server, and the processes of the service.
struct World<DB: ServiceDatabase> {
    database: Database<DB>,
    server: Server,
    bus: EventBus,
    form: Form,
    processes: AtomicI64,
}

impl<DB: ServiceDatabase> World<DB> {
    async fn start(database: Database<DB>, form: Form) -> Self {
        let server = within("a server", Server::start()).await.unwrap();
        let bus = connect(&server, builder()).await;
        within("the streams", bus.apply()).await.unwrap();
        Self {
            database,
            server,
            bus,
            form,
            processes: AtomicI64::new(0),
        }
    }

    fn process(&self, role: Role, stop_at: Option<(Step, u32)>) -> Process {
        Process::start(&Arguments {
            role,
            server: self.server.url(),
            database: self.database.url.clone(),
            process: self.processes.fetch_add(1, Ordering::Relaxed),
            form: self.form,
            stop_at,
        })
    }

    async fn run(&self, rounds: u64, random: &mut fastrand::Rng) {
        let begun = Instant::now();
        let plans = [Role::Write, Role::Relay, Role::Handle]
            .map(|role| (role, plan(role, self.form, rounds, random)));
        let kills: usize = plans.iter().map(|(_, plan)| plan.len()).sum();
        // How many roles have all their kills behind them, and whether everything is done.
        let (killed, _) = watch::channel(0);
        let (done, _) = watch::channel(false);
        let [write, relay, handle] = plans;
        let writer = async {
            let last = self.kill_all(write, &killed).await;
            let mut killed = killed.subscribe();
            killed.wait_for(|roles| *roles == 3).await.unwrap();
            last.end().await;
            eventually("the end of the work", async || self.is_done().await).await;
            done.send_replace(true);
        };
        let others = async |plan: (Role, Vec<Kill>)| {
            let last = self.kill_all(plan, &killed).await;
            let mut done = done.subscribe();
            done.wait_for(|done| *done).await.unwrap();
            last.end().await
        };
        let ((), relay, handle) = tokio::join!(writer, others(relay), others(handle));
        let totals = check_end(&self.database, &self.bus, self.form).await;
        println!(
            "{kills} kills of {} in {:.0?}: {} orders, {} effects, {} dead; nothing lost, nothing doubled; the last relay: {relay}; the last consumer: {handle}",
            self.form,
            begun.elapsed(),
            totals.orders,
            totals.effects,
            totals.dead,
        );
        assert!(totals.dead > 0 && totals.effects > 0);
    }

    /// Starts and kills processes of a role, and starts one more.
    async fn kill_all(
        &self,
        (role, kills): (Role, Vec<Kill>),
        killed: &watch::Sender<u32>,
    ) -> Process {
        for kill in kills {
            match kill {
                Kill::At(step, time) => {
                    let mut process = self.process(role, Some((step, time)));
                    let about = process.stands_at(step).await;
                    process.kill();
                    let (database, bus) = (&self.database, &self.bus);
                    check_step(database, bus, self.form, step, &about).await;
                }
                Kill::After(time) => {
                    let process = self.process(role, None);
                    tokio::time::sleep(time).await;
                    process.kill();
                }
            }
            check_always(&self.database, self.form).await;
        }
        killed.send_modify(|roles| *roles += 1);
        self.process(role, None)
    }

    /// Whether nothing is left to publish, to deliver or to settle.
    async fn is_done(&self) -> bool {
        if !is_done(&self.database).await {
            return false;
        }
        let info = self.bus.transport().consumer_info(ORDERS, CONSUMER).await;
        info.is_ok_and(|info| (info.ack_pending, info.pending) == (0, 0))
    }
}
