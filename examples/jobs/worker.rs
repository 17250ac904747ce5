//! Worker: takes jobs from a shared durable, does them and publishes results.

use std::time::Duration;

use event_sdk::transport::Error;
use event_sdk::{Delivery, EventBus, Publisher, Subscriber};
use tokio::sync::watch;

use crate::bus::ACK_WAIT;
use crate::cancellations::Cancellations;
use crate::events::{
    JobCompleted, JobFailed, JobScheduled, JobStarted, LogChunkReceived, Worked, WorkerConnected,
    WorkerDisconnected, WorkerHeartbeat,
};
use crate::publishing::{outcome, store};

/// The durable consumer that all workers share.
pub(crate) const GROUP: &str = "workers";

/// How long an event that this program is too old for is put back.
const TOO_EARLY: Duration = Duration::from_secs(30);
/// After so many jobs a worker says that it is still there.
const JOBS_A_HEARTBEAT: u64 = 10;
/// One job in so many cannot be done, to show what happens then.
const FAILS: u64 = 25;

/// What a worker has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Done {
    /// How many jobs it handled.
    pub(crate) jobs: u64,
    /// How many of them it did not begin, or stopped, since they were cancelled.
    pub(crate) cancelled: u64,
    /// How many of them had been delivered before, to it or to another.
    pub(crate) redelivered: u64,
    /// How many outcomes the stream had already, and did not store again.
    pub(crate) refused: u64,
}

/// Takes jobs until `stop` says so.
///
/// A job may be delivered twice: after a restart of the server, or when its
/// acknowledgement was lost. Its outcome is published under the job's own name,
/// which the stream knows from the first time: there is one outcome of a job.
///
/// A job that was cancelled is not begun; one that is cancelled meanwhile is stopped.
/// A worker may hear of that too late: then the stream refuses its outcome, since it
/// has that of the cancellation.
///
/// # Errors
///
/// When an event cannot be published or received.
pub(crate) async fn work(
    bus: EventBus,
    name: String,
    cancellations: Cancellations,
    mut stop: watch::Receiver<bool>,
) -> Result<Done, Error> {
    let worker = Worker::new(&bus, name, cancellations);
    worker.hello().await?;
    let mut jobs: Subscriber<JobScheduled> =
        bus.subscribe().durable(GROUP).ack_wait(ACK_WAIT).await?;
    let mut done = Done::default();
    loop {
        let delivery = tokio::select! {
            delivery = jobs.next() => delivery,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match delivery {
            Some(delivery) => worker.handle(&delivery?, &mut done).await?,
            None => break,
        }
    }
    worker.goodbye(done).await?;
    Ok(done)
}

struct Worker {
    name: String,
    cancellations: Cancellations,
    connected: Publisher<WorkerConnected>,
    heartbeat: Publisher<WorkerHeartbeat>,
    disconnected: Publisher<WorkerDisconnected>,
    started: Publisher<JobStarted>,
    log: Publisher<LogChunkReceived>,
    completed: Publisher<JobCompleted>,
    failed: Publisher<JobFailed>,
}

impl Worker {
    fn new(bus: &EventBus, name: String, cancellations: Cancellations) -> Self {
        let out = bus.publisher_set::<Worked>();
        Self {
            name,
            cancellations,
            connected: out.publisher(),
            heartbeat: out.publisher(),
            disconnected: out.publisher(),
            started: out.publisher(),
            log: out.publisher(),
            completed: out.publisher(),
            failed: out.publisher(),
        }
    }

    async fn hello(&self) -> Result<(), Error> {
        let worker = self.name.clone();
        let hello = self.connected.prepare(WorkerConnected { worker });
        store(&self.connected, hello).await.map(drop)
    }

    async fn goodbye(&self, done: Done) -> Result<(), Error> {
        let goodbye = self.disconnected.prepare(WorkerDisconnected {
            worker: self.name.clone(),
            jobs: done.jobs,
        });
        store(&self.disconnected, goodbye).await.map(drop)
    }

    async fn handle(
        &self,
        delivery: &Delivery<JobScheduled>,
        done: &mut Done,
    ) -> Result<(), Error> {
        let job = match delivery.decode() {
            Ok(job) => job,
            Err(error) => return delivery.refuse(&error, TOO_EARLY).await,
        };
        if self.cancellations.has(&job.job) {
            done.cancelled += 1;
        } else {
            self.work_on(delivery, job, done).await?;
        }
        // Not acknowledged, it is delivered again, and its outcome is refused then.
        match delivery.ack().await {
            Ok(()) => {}
            Err(error) if error.is_transient() => {}
            Err(error) => return Err(error),
        }
        done.jobs += 1;
        done.redelivered += u64::from(delivery.attempt() > 1);
        if done.jobs.is_multiple_of(JOBS_A_HEARTBEAT) {
            let beat = self.heartbeat.prepare(WorkerHeartbeat {
                worker: self.name.clone(),
                jobs: done.jobs,
            });
            store(&self.heartbeat, beat).await?;
        }
        Ok(())
    }

    /// Does a job, until it is done or cancelled.
    async fn work_on(
        &self,
        delivery: &Delivery<JobScheduled>,
        job: JobScheduled,
        done: &mut Done,
    ) -> Result<(), Error> {
        let started = self.started.prepare(JobStarted {
            job: job.job.clone(),
            pipeline: job.pipeline.clone(),
            worker: self.name.clone(),
        });
        store(&self.started, started.caused_by(delivery)).await?;
        let log = self.log.prepare(LogChunkReceived {
            job: job.job.clone(),
            data: written(&job.job),
        });
        store(&self.log, log.caused_by(delivery)).await?;
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(job.work_ms)) => {
                done.refused += u64::from(self.publish_outcome(delivery, job).await?);
            }
            () = self.cancellations.of(&job.job) => done.cancelled += 1,
        }
        Ok(())
    }

    /// Publishes what became of a job; whether the stream had that already.
    async fn publish_outcome(
        &self,
        delivery: &Delivery<JobScheduled>,
        job: JobScheduled,
    ) -> Result<bool, Error> {
        let outcome = outcome(&job.job);
        // Whether it can be done depends on nothing but the job.
        let published = if fails(&job.job) {
            let failed = self.failed.prepare(JobFailed {
                job: job.job,
                pipeline: job.pipeline,
                worker: self.name.clone(),
                reason: "the tests fail".to_owned(),
            });
            store(&self.failed, failed.caused_by(delivery).message_id(outcome)).await?
        } else {
            let completed = self.completed.prepare(JobCompleted {
                job: job.job,
                pipeline: job.pipeline,
                worker: self.name.clone(),
            });
            store(
                &self.completed,
                completed.caused_by(delivery).message_id(outcome),
            )
            .await?
        };
        Ok(published.is_duplicate())
    }
}

/// What a job writes: a line of text, and the first bytes of a file that it has packed with
/// gzip, which are no UTF-8.
pub(crate) fn written(job: &str) -> Vec<u8> {
    let mut bytes = format!("{job} is packed\n").into_bytes();
    bytes.extend(b"\x1f\x8b\x08\0\0\0\0\0\0\xff");
    bytes
}

/// Whether a job is one of those that cannot be done.
fn fails(job: &str) -> bool {
    let sum: u64 = job.bytes().map(u64::from).sum();
    sum.is_multiple_of(FAILS)
}
