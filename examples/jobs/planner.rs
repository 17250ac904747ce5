//! Planner: publishes the jobs of the pipelines, and cancels some.

use event_sdk::EventBus;
use event_sdk::transport::Error;

use crate::args::Args;
use crate::events::{
    JobCancelled, JobCreated, JobScheduled, PipelineCreated, PipelineExecutionStarted, Planned,
};
use crate::publishing::{outcome, store};

/// Publishes all pipelines and their jobs. A pipeline is the cause of its
/// execution, that of its jobs, and that a job was created is the cause of its
/// being scheduled. The last jobs of each pipeline are cancelled.
///
/// # Errors
///
/// When an event cannot be published.
pub(crate) async fn plan(bus: EventBus, args: Args) -> Result<(), Error> {
    let out = bus.publisher_set::<Planned>();
    let (pipelines, executions) = (
        out.publisher::<PipelineCreated>(),
        out.publisher::<PipelineExecutionStarted>(),
    );
    let (created, scheduled, cancelled) = (
        out.publisher::<JobCreated>(),
        out.publisher::<JobScheduled>(),
        out.publisher::<JobCancelled>(),
    );
    for number in 1..=args.pipelines {
        let pipeline = format!("{}.{number}", args.run);
        let known = pipelines.prepare(PipelineCreated {
            pipeline: pipeline.clone(),
            jobs: args.jobs,
        });
        store(&pipelines, known.clone()).await?;
        let begin = executions.prepare(PipelineExecutionStarted {
            pipeline: pipeline.clone(),
            execution: 1,
        });
        let begin = begin.caused_by(&known);
        store(&executions, begin.clone()).await?;
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
                job: job.clone(),
                pipeline: pipeline.clone(),
                command,
                work_ms: args.work,
            });
            let due = due.caused_by(&known);
            store(&scheduled, due.clone()).await?;
            if step > args.jobs.saturating_sub(args.cancel) {
                // It may come too late: the stream takes one outcome of a job.
                let id = outcome(&job);
                let end = cancelled.prepare(JobCancelled {
                    job,
                    pipeline: pipeline.clone(),
                    reason: "the branch is gone".to_owned(),
                });
                store(&cancelled, end.caused_by(&due).message_id(id)).await?;
            }
        }
    }
    Ok(())
}
