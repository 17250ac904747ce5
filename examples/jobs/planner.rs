//! Planner: publishes the jobs of the pipelines.

use event_sdk::EventBus;
use event_sdk::transport::Error;

use crate::args::Args;
use crate::events::{JobCreated, JobScheduled, PipelineCreated, Planned};
use crate::publishing::store;

/// Publishes all pipelines and their jobs. A pipeline is the cause of its jobs,
/// and that a job was created is the cause of its being scheduled.
///
/// # Errors
///
/// When an event cannot be published.
pub(crate) async fn plan(bus: EventBus, args: Args) -> Result<(), Error> {
    let out = bus.publisher_set::<Planned>();
    let (pipelines, created, scheduled) = (
        out.publisher::<PipelineCreated>(),
        out.publisher::<JobCreated>(),
        out.publisher::<JobScheduled>(),
    );
    for number in 1..=args.pipelines {
        let pipeline = format!("{}.{number}", args.run);
        let begin = pipelines.prepare(PipelineCreated {
            pipeline: pipeline.clone(),
            jobs: args.jobs,
        });
        store(&pipelines, begin.clone()).await?;
        for step in 1..=args.jobs {
            let job = format!("{pipeline}.{step}");
            let command = format!("make step-{step}");
            let known = created.prepare(JobCreated {
                job: job.clone(),
                pipeline: pipeline.clone(),
                command: command.clone(),
            });
            let known = known.caused_by(&begin);
            store(&created, known.clone()).await?;
            let due = scheduled.prepare(JobScheduled {
                job,
                pipeline: pipeline.clone(),
                command,
                work_ms: args.work,
            });
            store(&scheduled, due.caused_by(&known)).await?;
        }
    }
    Ok(())
}
