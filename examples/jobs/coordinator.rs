//! Coordinator: starts pipelines, and publishes their end when no job is left.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use event_sdk::transport::Error;
use event_sdk::{Delivery, EventBus, Publisher};

use crate::bus::ACK_WAIT;
use crate::events::{PipelineCompleted, PipelineStarted, Progress};
use crate::publishing::store;

/// How long an event that this program is too old for is put back.
const TOO_EARLY: Duration = Duration::from_secs(30);

/// Follows the pipelines of a run until the bus is closed.
///
/// What it knows is in memory, and its consumer starts at the oldest event: it
/// must have all of them again when it is started anew. What it publishes has the
/// pipeline's name, so that a stream takes it once.
///
/// # Errors
///
/// When an event cannot be published or received.
pub(crate) async fn coordinate(bus: EventBus, run: String) -> Result<(), Error> {
    let mut progress = bus.subscribe::<Progress>().ack_wait(ACK_WAIT).await?;
    let mut coordinator = Coordinator {
        run,
        pipelines: HashMap::new(),
        started: bus.publisher(),
        completed: bus.publisher(),
    };
    while let Some(delivery) = progress.next().await {
        coordinator.handle(&delivery?).await?;
    }
    Ok(())
}

struct Coordinator {
    run: String,
    pipelines: HashMap<String, Pipeline>,
    started: Publisher<PipelineStarted>,
    completed: Publisher<PipelineCompleted>,
}

/// What is known of a pipeline.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pipeline {
    /// How many jobs it has, once that is known.
    jobs: Option<u32>,
    started: bool,
    completed: HashSet<String>,
    failed: HashSet<String>,
    cancelled: HashSet<String>,
}

/// What has to be said of a pipeline.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Nothing,
    Started(String),
    Completed(PipelineCompleted),
}

impl Coordinator {
    async fn handle(&mut self, delivery: &Delivery<Progress>) -> Result<(), Error> {
        let event = match delivery.decode() {
            Ok(event) => event,
            Err(error) => return delivery.refuse(&error, TOO_EARLY).await,
        };
        let news = if event.run() == self.run {
            observe(&mut self.pipelines, event)
        } else {
            News::Nothing
        };
        match news {
            News::Nothing => {}
            News::Started(pipeline) => {
                let id = format!("start of {pipeline}");
                let event = self.started.prepare(PipelineStarted { pipeline });
                store(&self.started, event.caused_by(delivery).message_id(id)).await?;
            }
            News::Completed(end) => {
                let id = format!("end of {}", end.pipeline);
                let event = self.completed.prepare(end);
                store(&self.completed, event.caused_by(delivery).message_id(id)).await?;
            }
        }
        match delivery.ack().await {
            Err(error) if !error.is_transient() => Err(error),
            // Otherwise it is delivered again, and there is nothing new in it.
            _ => Ok(()),
        }
    }
}

/// Notes what happened. Hearing of it twice changes nothing.
fn observe(pipelines: &mut HashMap<String, Pipeline>, event: Progress) -> News {
    match event {
        Progress::Created(created) => {
            let pipeline = pipelines.entry(created.pipeline.clone()).or_default();
            // It comes behind the ends of its jobs if its first delivery was lost with a connection.
            let new = pipeline.jobs.replace(created.jobs).is_none();
            pipeline.ended(new, created.pipeline)
        }
        Progress::Started(job) => {
            let pipeline = pipelines.entry(job.pipeline.clone()).or_default();
            // It may be begun by a worker that has not yet heard of its cancellation.
            if std::mem::replace(&mut pipeline.started, true) || pipeline.is_over() {
                News::Nothing
            } else {
                News::Started(job.pipeline)
            }
        }
        Progress::Completed(job) => {
            let pipeline = pipelines.entry(job.pipeline.clone()).or_default();
            let new = pipeline.completed.insert(job.job);
            pipeline.ended(new, job.pipeline)
        }
        Progress::Failed(job) => {
            let pipeline = pipelines.entry(job.pipeline.clone()).or_default();
            let new = pipeline.failed.insert(job.job);
            pipeline.ended(new, job.pipeline)
        }
        Progress::Cancelled(job) => {
            let pipeline = pipelines.entry(job.pipeline.clone()).or_default();
            let new = pipeline.cancelled.insert(job.job);
            pipeline.ended(new, job.pipeline)
        }
    }
}

impl Pipeline {
    /// What is to be said after something new, such as the end of a job.
    fn ended(&self, new: bool, name: String) -> News {
        if new && self.is_over() {
            News::Completed(PipelineCompleted {
                pipeline: name,
                completed: count(&self.completed),
                failed: count(&self.failed),
                cancelled: count(&self.cancelled),
            })
        } else {
            News::Nothing
        }
    }

    /// Whether all of its jobs have ended.
    fn is_over(&self) -> bool {
        let ended = count(&self.completed) + count(&self.failed) + count(&self.cancelled);
        self.jobs == Some(ended)
    }
}

/// How many there are: a few thousand at the most.
fn count(jobs: &HashSet<String>) -> u32 {
    u32::try_from(jobs.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::{News, observe};
    use crate::events::{
        JobCancelled, JobCompleted, JobFailed, JobStarted, PipelineCompleted, PipelineCreated,
        Progress,
    };

    fn completed(job: &str) -> Progress {
        Progress::Completed(JobCompleted {
            job: job.into(),
            pipeline: "p".into(),
            worker: "w".into(),
        })
    }

    fn started(job: &str) -> Progress {
        Progress::Started(JobStarted {
            job: job.into(),
            pipeline: "p".into(),
            worker: "w".into(),
        })
    }

    fn cancelled(job: &str) -> Progress {
        Progress::Cancelled(JobCancelled {
            job: job.into(),
            pipeline: "p".into(),
            reason: "the branch is gone".into(),
        })
    }

    #[test]
    fn a_pipeline_starts_and_ends_once_whatever_is_delivered_again() {
        let mut pipelines = HashMap::new();
        let created = Progress::Created(PipelineCreated {
            pipeline: "p".into(),
            jobs: 4,
        });
        assert_eq!(observe(&mut pipelines, created), News::Nothing);
        let failed = Progress::Failed(JobFailed {
            job: "p.3".into(),
            pipeline: "p".into(),
            worker: "w".into(),
            reason: "the tests fail".into(),
        });
        let news: Vec<_> = [
            started("p.1"),
            started("p.2"),
            cancelled("p.4"),
            cancelled("p.4"),
            completed("p.1"),
            completed("p.1"),
            failed.clone(),
            completed("p.2"),
            completed("p.2"),
            failed,
        ]
        .into_iter()
        .map(|event| observe(&mut pipelines, event))
        .filter(|news| *news != News::Nothing)
        .collect();
        let end = PipelineCompleted {
            pipeline: "p".into(),
            completed: 2,
            failed: 1,
            cancelled: 1,
        };
        assert_eq!(news, [News::Started("p".into()), News::Completed(end)]);
    }

    #[test]
    fn a_pipeline_that_is_known_after_its_jobs_ends_then() {
        let mut pipelines = HashMap::new();
        observe(&mut pipelines, started("p.1"));
        assert_eq!(observe(&mut pipelines, completed("p.1")), News::Nothing);
        let created = Progress::Created(PipelineCreated {
            pipeline: "p".into(),
            jobs: 1,
        });
        let end = observe(&mut pipelines, created.clone());
        assert!(matches!(end, News::Completed(end) if end.completed == 1));
        assert_eq!(observe(&mut pipelines, created), News::Nothing);
    }

    #[test]
    fn a_pipeline_that_was_cancelled_does_not_start_later() {
        let mut pipelines = HashMap::new();
        let created = Progress::Created(PipelineCreated {
            pipeline: "p".into(),
            jobs: 1,
        });
        observe(&mut pipelines, created);
        let end = observe(&mut pipelines, cancelled("p.1"));
        assert!(matches!(end, News::Completed(end) if end.cancelled == 1));
        assert_eq!(observe(&mut pipelines, started("p.1")), News::Nothing);
    }
}
