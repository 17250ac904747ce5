//! Ledger: reads all events of the stream, and counts lost and repeated ones.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::time::Duration;

use event_sdk::EventBus;
use event_sdk::transport::Error;

use crate::bus::ACK_WAIT;
use crate::events::Everything;
use crate::worker::written;

/// How long an event that this program is too old for is put back.
const TOO_EARLY: Duration = Duration::from_secs(30);

/// What the stream has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// Events by kind.
    pub(crate) events: BTreeMap<&'static str, u64>,
    /// Jobs that have an outcome, and how many each has.
    outcomes: BTreeMap<String, u64>,
    /// Pipelines that have ended, and how often.
    ends: BTreeMap<String, u64>,
    /// The bytes of all logs.
    pub(crate) log_bytes: u64,
    /// Logs that are not the bytes that their jobs wrote.
    pub(crate) altered: u64,
    /// Events that were delivered again.
    pub(crate) redelivered: u64,
}

/// Reads the events of a run until so many pipelines of it have ended, or the bus
/// is closed; then those of the stream whose deliveries were lost.
///
/// # Errors
///
/// When an event cannot be received or acknowledged.
pub(crate) async fn keep(bus: EventBus, run: String, pipelines: u32) -> Result<Ledger, Error> {
    let mut events = bus.subscribe::<Everything>().ack_wait(ACK_WAIT).await?;
    let (mut ledger, mut seen) = (Ledger::default(), HashSet::new());
    while ledger.ends.len() < pipelines as usize {
        let Some(delivery) = events.next().await else {
            break;
        };
        let delivery = delivery?;
        let event = match delivery.decode() {
            Ok(event) => event,
            Err(error) => {
                delivery.refuse(&error, TOO_EARLY).await?;
                continue;
            }
        };
        // A place in the stream is taken once, however often it is delivered.
        if event.run() == run {
            if seen.insert(delivery.sequence()) {
                ledger.enter(event);
            } else {
                ledger.redelivered += 1;
            }
        }
        match delivery.ack().await {
            Err(error) if !error.is_transient() => return Err(error),
            // Otherwise it is delivered again, and has been seen.
            _ => {}
        }
    }
    // What a lost connection had delivered may come again behind the end of the last pipeline.
    let mut stored = bus.history::<Everything>().await?;
    while let Some(event) = stored.next().await {
        let event = event?;
        if let Ok(read) = event.decode()
            && read.run() == run
            && seen.insert(Some(event.sequence()))
        {
            ledger.enter(read);
        }
    }
    Ok(ledger)
}

impl Ledger {
    fn enter(&mut self, event: Everything) {
        let kind = match event {
            Everything::JobCreated(_) => "job created",
            Everything::JobScheduled(_) => "job scheduled",
            Everything::JobStarted(_) => "job started",
            Everything::JobCompleted(job) => {
                *self.outcomes.entry(job.job).or_default() += 1;
                "job completed"
            }
            Everything::JobFailed(job) => {
                *self.outcomes.entry(job.job).or_default() += 1;
                "job failed"
            }
            Everything::JobCancelled(job) => {
                *self.outcomes.entry(job.job).or_default() += 1;
                "job cancelled"
            }
            Everything::WorkerConnected(_) => "worker connected",
            Everything::WorkerDisconnected(_) => "worker disconnected",
            Everything::WorkerHeartbeat(_) => "worker heartbeat",
            Everything::LogChunk(log) => {
                self.log_bytes += log.data.len() as u64;
                self.altered += u64::from(log.data != written(&log.job));
                "log chunk"
            }
            Everything::PipelineCreated(_) => "pipeline created",
            Everything::PipelineExecutionStarted(_) => "pipeline execution started",
            Everything::PipelineStarted(_) => "pipeline started",
            Everything::PipelineCompleted(pipeline) => {
                *self.ends.entry(pipeline.pipeline).or_default() += 1;
                "pipeline completed"
            }
        };
        *self.events.entry(kind).or_default() += 1;
    }

    /// How many of so many jobs have no outcome.
    pub(crate) fn lost(&self, jobs: u64) -> u64 {
        jobs.saturating_sub(self.outcomes.len() as u64)
    }

    /// How many outcomes and ends there are too many.
    pub(crate) fn repeated(&self) -> u64 {
        let more = |counts: &BTreeMap<String, u64>| counts.values().map(|n| n - 1).sum::<u64>();
        more(&self.outcomes) + more(&self.ends)
    }
}

impl fmt::Display for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (kind, count) in &self.events {
            writeln!(f, "{count:>8}  {kind}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Ledger;
    use crate::events::{
        Everything, JobCancelled, JobCompleted, LogChunkReceived, PipelineCompleted,
    };
    use crate::worker::written;

    #[test]
    fn what_is_lost_or_repeated_shows() {
        let completed = |job: &str| {
            Everything::JobCompleted(JobCompleted {
                job: job.into(),
                pipeline: "p".into(),
                worker: "w".into(),
            })
        };
        let mut ledger = Ledger::default();
        ledger.enter(completed("p.1"));
        ledger.enter(Everything::PipelineCompleted(PipelineCompleted {
            pipeline: "p".into(),
            completed: 1,
            failed: 0,
            cancelled: 0,
        }));
        assert_eq!((ledger.lost(1), ledger.repeated()), (0, 0));
        assert_eq!(ledger.lost(3), 2);
        ledger.enter(completed("p.1"));
        assert_eq!(ledger.repeated(), 1);
        // A job that was done cannot be cancelled too.
        ledger.enter(Everything::JobCancelled(JobCancelled {
            job: "p.1".into(),
            pipeline: "p".into(),
            reason: "the branch is gone".into(),
        }));
        assert_eq!(ledger.repeated(), 2);
    }

    #[test]
    fn a_log_that_was_altered_shows() {
        let mut ledger = Ledger::default();
        for (data, altered) in [
            (written("p.1"), 0),
            (written("p.2"), 1),
            // What is left of bytes that were taken for a text.
            (
                String::from_utf8_lossy(&written("p.1")).into_owned().into(),
                2,
            ),
        ] {
            let job = "p.1".into();
            ledger.enter(Everything::LogChunk(LogChunkReceived { job, data }));
            assert_eq!(ledger.altered, altered);
        }
    }
}
