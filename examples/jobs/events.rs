//! The events of jobs, workers, logs and pipelines, on the subjects that other
//! programs know them by (`hodei.events.job.created` and so on).

use event_sdk::{Event, EventSet};
use serde::{Deserialize, Serialize};

/// A job was added to a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "job.created", type = "job.created")]
pub(crate) struct JobCreated {
    /// Names the job after its pipeline, as in `t5kzzz.3.2`.
    #[event(key)]
    pub(crate) job: String,
    /// The pipeline that it belongs to.
    pub(crate) pipeline: String,
    /// What is to be done.
    pub(crate) command: String,
}

/// A job is due: any worker may take it.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "job.scheduled", type = "job.scheduled")]
pub(crate) struct JobScheduled {
    /// The job.
    #[event(key)]
    pub(crate) job: String,
    /// The pipeline that it belongs to.
    pub(crate) pipeline: String,
    /// What is to be done.
    pub(crate) command: String,
    /// How long it takes, in milliseconds.
    pub(crate) work_ms: u64,
}

/// A worker has begun a job.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "job.started", type = "job.started")]
pub(crate) struct JobStarted {
    /// The job.
    #[event(key)]
    pub(crate) job: String,
    /// The pipeline that it belongs to.
    pub(crate) pipeline: String,
    /// Who does it.
    pub(crate) worker: String,
}

/// A job was done.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "job.completed", type = "job.completed")]
pub(crate) struct JobCompleted {
    /// The job.
    #[event(key)]
    pub(crate) job: String,
    /// The pipeline that it belongs to.
    pub(crate) pipeline: String,
    /// Who did it.
    pub(crate) worker: String,
}

/// A job could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "job.failed", type = "job.failed")]
pub(crate) struct JobFailed {
    /// The job.
    #[event(key)]
    pub(crate) job: String,
    /// The pipeline that it belongs to.
    pub(crate) pipeline: String,
    /// Who tried.
    pub(crate) worker: String,
    /// Why not.
    pub(crate) reason: String,
}

/// A worker is there and takes jobs.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "worker.connected", type = "worker.connected")]
pub(crate) struct WorkerConnected {
    /// Names the worker after the run that it belongs to, as in `t5kzzz.worker-1`.
    #[event(key)]
    pub(crate) worker: String,
}

/// A worker has left.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "worker.disconnected", type = "worker.disconnected")]
pub(crate) struct WorkerDisconnected {
    /// The worker.
    #[event(key)]
    pub(crate) worker: String,
    /// How many jobs it did.
    pub(crate) jobs: u64,
}

/// A worker is still there.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "worker.heartbeat", type = "worker.heartbeat")]
pub(crate) struct WorkerHeartbeat {
    /// The worker.
    #[event(key)]
    pub(crate) worker: String,
    /// How many jobs it has done so far.
    pub(crate) jobs: u64,
}

/// A job has written some of its log.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "log.chunk", type = "log.chunk")]
pub(crate) struct LogChunkReceived {
    /// The job.
    #[event(key)]
    pub(crate) job: String,
    /// The text.
    pub(crate) text: String,
}

/// A pipeline and its jobs are known.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "pipeline.created", type = "pipeline.created")]
pub(crate) struct PipelineCreated {
    /// Names the pipeline after the run that it belongs to, as in `t5kzzz.3`.
    #[event(key)]
    pub(crate) pipeline: String,
    /// How many jobs it has.
    pub(crate) jobs: u32,
}

/// The first job of a pipeline was begun.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "pipeline.started", type = "pipeline.started")]
pub(crate) struct PipelineStarted {
    /// The pipeline.
    #[event(key)]
    pub(crate) pipeline: String,
}

/// No job of a pipeline is left.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
#[event(subject = "pipeline.completed", type = "pipeline.completed")]
pub(crate) struct PipelineCompleted {
    /// The pipeline.
    #[event(key)]
    pub(crate) pipeline: String,
    /// How many of its jobs were done.
    pub(crate) completed: u32,
    /// How many could not be done.
    pub(crate) failed: u32,
}

/// What the planner publishes.
#[derive(Debug, EventSet)]
#[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
pub(crate) enum Planned {
    /// See [`PipelineCreated`].
    Pipeline(PipelineCreated),
    /// See [`JobCreated`].
    Created(JobCreated),
    /// See [`JobScheduled`].
    Scheduled(JobScheduled),
}

/// What a worker publishes.
#[derive(Debug, EventSet)]
#[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
pub(crate) enum Worked {
    /// See [`WorkerConnected`].
    Connected(WorkerConnected),
    /// See [`WorkerHeartbeat`].
    Heartbeat(WorkerHeartbeat),
    /// See [`WorkerDisconnected`].
    Disconnected(WorkerDisconnected),
    /// See [`JobStarted`].
    Started(JobStarted),
    /// See [`LogChunkReceived`].
    Log(LogChunkReceived),
    /// See [`JobCompleted`].
    Completed(JobCompleted),
    /// See [`JobFailed`].
    Failed(JobFailed),
}

/// What becomes of jobs, which is how a pipeline is followed.
#[derive(Debug, Clone, PartialEq, Eq, EventSet)]
pub(crate) enum Progress {
    /// A pipeline begins to be followed.
    Created(PipelineCreated),
    /// One of its jobs was begun.
    Started(JobStarted),
    /// One of its jobs was done.
    Completed(JobCompleted),
    /// One of its jobs could not be done.
    Failed(JobFailed),
}

/// Every event of this program.
#[derive(Debug, Clone, PartialEq, Eq, EventSet)]
pub(crate) enum Everything {
    /// See [`JobCreated`].
    JobCreated(JobCreated),
    /// See [`JobScheduled`].
    JobScheduled(JobScheduled),
    /// See [`JobStarted`].
    JobStarted(JobStarted),
    /// See [`JobCompleted`].
    JobCompleted(JobCompleted),
    /// See [`JobFailed`].
    JobFailed(JobFailed),
    /// See [`WorkerConnected`].
    WorkerConnected(WorkerConnected),
    /// See [`WorkerDisconnected`].
    WorkerDisconnected(WorkerDisconnected),
    /// See [`WorkerHeartbeat`].
    WorkerHeartbeat(WorkerHeartbeat),
    /// See [`LogChunkReceived`].
    LogChunk(LogChunkReceived),
    /// See [`PipelineCreated`].
    PipelineCreated(PipelineCreated),
    /// See [`PipelineStarted`].
    PipelineStarted(PipelineStarted),
    /// See [`PipelineCompleted`].
    PipelineCompleted(PipelineCompleted),
}

impl Progress {
    /// The run that the event belongs to.
    pub(crate) fn run(&self) -> &str {
        run_of(match self {
            Self::Created(pipeline) => &pipeline.pipeline,
            Self::Started(job) => &job.pipeline,
            Self::Completed(job) => &job.pipeline,
            Self::Failed(job) => &job.pipeline,
        })
    }
}

impl Everything {
    /// The run that the event belongs to.
    pub(crate) fn run(&self) -> &str {
        run_of(match self {
            Self::JobCreated(job) => &job.job,
            Self::JobScheduled(job) => &job.job,
            Self::JobStarted(job) => &job.job,
            Self::JobCompleted(job) => &job.job,
            Self::JobFailed(job) => &job.job,
            Self::WorkerConnected(worker) => &worker.worker,
            Self::WorkerDisconnected(worker) => &worker.worker,
            Self::WorkerHeartbeat(worker) => &worker.worker,
            Self::LogChunk(log) => &log.job,
            Self::PipelineCreated(pipeline) => &pipeline.pipeline,
            Self::PipelineStarted(pipeline) => &pipeline.pipeline,
            Self::PipelineCompleted(pipeline) => &pipeline.pipeline,
        })
    }
}

/// What a name begins with.
fn run_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(run, _)| run)
}
