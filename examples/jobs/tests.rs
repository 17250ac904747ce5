//! The example `jobs` over memory, over a real server that is restarted, and over a cluster whose password is rotated.

mod permissions;

#[path = "../testing/process.rs"]
mod process;

#[path = "../testing/rotation.rs"]
mod rotation;

#[path = "../testing/variables.rs"]
mod variables;

use std::time::Duration;

use clap::{CommandFactory as _, Parser as _};
use event_sdk::EventBus;
use event_sdk::config::Config;
use event_sdk_test_servers::Secured;
use process::Process;
use rotation::Gate;
use tokio::sync::watch;

use crate::args::Args;
use crate::bus::{STREAM, TOPOLOGY};
use crate::events::{JobCancelled, JobCompleted, JobScheduled, JobStarted};
use crate::ledger::{self, Ledger};
use crate::worker::GROUP;
use crate::{bus, cancellations, config, run, start, worker};

fn args(more: &[&str]) -> Args {
    Args::parse_from(["jobs"].iter().chain(more))
}

/// Checks what the stream has of pipelines with so many jobs in all, of which some may be cancelled.
fn assert_is_whole(ledger: &Ledger, pipelines: u64, jobs: u64) {
    let of = |kind| ledger.events.get(kind).copied().unwrap_or_default();
    assert_eq!(of("pipeline created"), pipelines);
    assert_eq!(of("pipeline execution started"), pipelines);
    assert_eq!(of("pipeline completed"), pipelines);
    assert_eq!(of("job scheduled"), jobs);
    let ends = of("job completed") + of("job failed") + of("job cancelled");
    assert_eq!(ends, jobs, "{ledger}");
    assert_eq!(ledger.altered, 0);
    assert!(of("log chunk") > 0 && ledger.log_bytes > of("log chunk") * 10);
}

/// Jobs that take ten minutes and are all cancelled: the run only ends since they are.
const CANCELLED: [&str; 10] = [
    "--run",
    "cancelled",
    "--pipelines",
    "8",
    "--jobs",
    "1",
    "--cancel",
    "1",
    "--work",
    "600000",
];

fn assert_all_are_cancelled(ledger: &Ledger) {
    assert_eq!(ledger.events["job cancelled"], 8);
    assert_eq!(ledger.events["pipeline completed"], 8);
    assert_eq!(ledger.events.get("job completed"), None);
    assert_eq!(ledger.events.get("job failed"), None);
}

/// The ledger of a run that ends soon.
async fn soon(run: impl Future<Output = anyhow::Result<Ledger>>) -> Ledger {
    let run = tokio::time::timeout(Duration::from_secs(50), run);
    run.await.expect("the run ends").unwrap()
}

fn in_process() -> Config {
    let memory = [("EVENT_SDK_TRANSPORT", "memory")];
    config().variables(memory).load().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn in_this_process_nothing_is_lost_or_repeated() {
    let ledger = soon(run(args(&["--pipelines", "5"]), in_process())).await;
    assert_is_whole(&ledger, 5, 50);
}

#[test]
fn each_argument_has_a_variable() {
    variables::assert_each_has_one(&Args::command(), "JOBS_", &[]);
}

#[tokio::test]
async fn the_log_has_the_level_of_the_environment() {
    let variables = [("JOBS_PIPELINES", "2"), ("JOBS_JOBS", "3")];
    process::assert_the_log_has_its_level(&variables, "6 jobs; ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_are_cancelled_are_not_done_but_end() {
    let ledger = soon(run(args(&CANCELLED), in_process())).await;
    assert_all_are_cancelled(&ledger);
}

#[tokio::test]
async fn a_job_at_work_is_stopped_and_the_worker_takes_the_next() {
    let bus = bus::open(&in_process()).await.unwrap();
    TOPOLOGY.apply(&bus).await.unwrap();
    let (cancellations, listener) = cancellations::open(&bus).await.unwrap();
    let listener = tokio::spawn(listener.listen());
    let (stop, stopped) = watch::channel(false);
    let worker = worker::work(bus.clone(), "w".to_owned(), cancellations, stopped);
    let worker = tokio::spawn(worker);
    let mut started = bus.subscribe::<JobStarted>().await.unwrap();
    let mut completed = bus.subscribe::<JobCompleted>().await.unwrap();
    let jobs = bus.publisher::<JobScheduled>();
    let job = |job: &str, work_ms| JobScheduled {
        job: job.to_owned(),
        pipeline: "p".to_owned(),
        command: "make".to_owned(),
        work_ms,
    };
    jobs.publish(job("p.1", 600_000)).await.unwrap();
    let begun = started.next().await.unwrap().unwrap();
    begun.ack().await.unwrap();
    let cancelled = JobCancelled {
        job: "p.1".to_owned(),
        pipeline: "p".to_owned(),
        reason: "the branch is gone".to_owned(),
    };
    bus.publisher().publish(cancelled).await.unwrap();
    jobs.publish(job("p.2", 0)).await.unwrap();
    let next = tokio::time::timeout(Duration::from_secs(20), completed.next()).await;
    let next = next.expect("the worker takes it").unwrap().unwrap();
    assert_eq!(next.decode().unwrap().job, "p.2");
    stop.send_replace(true);
    let done = worker.await.unwrap().unwrap();
    assert_eq!((done.jobs, done.cancelled), (2, 1));
    bus.close().await.unwrap();
    listener.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_server_loses_and_repeats_no_effect() {
    let setup = Secured::new("jobs").unwrap();
    let mut server = setup.options().start().await.unwrap();
    let variables = setup.variables(&server.url());
    let secured = config().variables(variables).load().unwrap();
    let restarted = args(&["--pipelines", "10", "--work", "30"]);
    let running = tokio::spawn(run(restarted, secured.clone()));
    // In the middle: jobs are planned, some are done, and some are at work.
    let watcher = EventBus::from_config(&secured).await.unwrap();
    let begun = async {
        let mut pace = tokio::time::interval(Duration::from_millis(20));
        loop {
            pace.tick().await;
            if let Ok(state) = watcher.stream_state(STREAM).await
                && state.messages > 250
            {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), begun)
        .await
        .unwrap();
    assert!(!running.is_finished(), "the restart would come too late");
    server.kill().await.unwrap();
    server.restart().await.unwrap();
    let ledger = soon(async { running.await.unwrap() }).await;
    assert_is_whole(&ledger, 10, 100);

    assert_all_are_cancelled(&soon(run(args(&CANCELLED), secured)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_cluster_whose_password_is_rotated_nothing_is_lost_or_repeated() {
    // Nobody works before the password is rotated, in the middle of the plan.
    let gate = Gate {
        stream: STREAM,
        durable: GROUP,
        events: 60,
    };
    let ledger = rotation::run(
        "jobs",
        config,
        gate,
        async |config| {
            let bus = bus::open(config).await.unwrap();
            TOPOLOGY.apply(&bus).await.unwrap();
            bus
        },
        async |config, variables| {
            let of_jobs = [("JOBS_RUN", "rotated"), ("JOBS_PIPELINES", "8")];
            let of_jobs = of_jobs.map(|(name, value)| (name, value.into()));
            let said = Process::start(variables.into_iter().chain(of_jobs), &["run"]);
            let said = { said }.ended().await.well();
            assert!(said.contains("80 jobs; "), "{said}");
            assert!(said.contains("0 effects lost, 0 repeated"), "{said}");
            let bus = bus::open(&config).await?;
            Ok(ledger::keep(bus, "rotated".to_owned(), 8).await?)
        },
    )
    .await;
    assert_is_whole(&ledger, 8, 80);
    assert_eq!((ledger.lost(80), ledger.repeated()), (0, 0));
}

/// The program, in a process that another test starts.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process that another test starts"]
async fn program() -> anyhow::Result<()> {
    start(Args::parse_from(process::arguments("jobs"))).await
}
