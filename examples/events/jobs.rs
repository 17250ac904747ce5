//! Events of jobs, workers, logs and pipelines on existing foreign subjects
//! (`hodei.events.job.created`, …).

use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A job was added to a pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "job.created", type = "job.created")]
pub struct JobCreated {
    /// Names the job after its pipeline, as in `t5kzzz.3.2`.
    #[event(key)]
    pub job: String,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// What is to be done.
    pub command: String,
}

/// A job is due: any worker may take it.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "job.scheduled", type = "job.scheduled")]
pub struct JobScheduled {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// What is to be done.
    pub command: String,
    /// How long it takes, in milliseconds.
    pub work_ms: u64,
}

/// A worker has begun a job.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "job.started", type = "job.started")]
pub struct JobStarted {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// Who does it.
    pub worker: String,
}

/// A job was done.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "job.completed", type = "job.completed")]
pub struct JobCompleted {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// Who did it.
    pub worker: String,
}

/// A job could not be done.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "job.failed", type = "job.failed")]
pub struct JobFailed {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// Who tried.
    pub worker: String,
    /// Why not.
    pub reason: String,
}

/// A job is no longer wanted: it is not begun, and stopped if it was.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "job.cancelled", type = "job.cancelled")]
pub struct JobCancelled {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The pipeline that it belongs to.
    pub pipeline: String,
    /// Why it is not wanted.
    pub reason: String,
}

/// A worker is there and takes jobs.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "worker.connected", type = "worker.connected")]
pub struct WorkerConnected {
    /// Names the worker after the run that it belongs to, as in `t5kzzz.worker-1`.
    #[event(key)]
    pub worker: String,
}

/// A worker has left.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "worker.disconnected", type = "worker.disconnected")]
pub struct WorkerDisconnected {
    /// The worker.
    #[event(key)]
    pub worker: String,
    /// How many jobs it did.
    pub jobs: u64,
}

/// A worker is still there.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "worker.heartbeat", type = "worker.heartbeat")]
pub struct WorkerHeartbeat {
    /// The worker.
    #[event(key)]
    pub worker: String,
    /// How many jobs it has done so far.
    pub jobs: u64,
}

/// A job has written some of its log.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "log.chunk", type = "log.chunk", version = "2.0", upcast_from = LogChunkReceivedV1)]
pub struct LogChunkReceived {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The bytes that it wrote; in JSON, as base64 with padding (RFC 4648, section 4).
    #[serde(with = "crate::events::base64")]
    #[schemars(with = "String", extend("contentEncoding" = "base64"))]
    pub data: Vec<u8>,
}

/// A job has written some of its log: as it was before logs were bytes. It is read only.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "log.chunk", type = "log.chunk")]
pub struct LogChunkReceivedV1 {
    /// The job.
    #[event(key)]
    pub job: String,
    /// The text.
    pub text: String,
}

impl From<LogChunkReceivedV1> for LogChunkReceived {
    fn from(log: LogChunkReceivedV1) -> Self {
        Self {
            job: log.job,
            data: log.text.into_bytes(),
        }
    }
}

/// A pipeline and its jobs are known.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "pipeline.created", type = "pipeline.created")]
pub struct PipelineCreated {
    /// Names the pipeline after the run that it belongs to, as in `t5kzzz.3`.
    #[event(key)]
    pub pipeline: String,
    /// How many jobs it has.
    pub jobs: u32,
}

/// The planner begins an execution of a pipeline: its jobs follow.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(
    subject = "pipeline.execution.started",
    type = "pipeline.execution.started"
)]
pub struct PipelineExecutionStarted {
    /// The pipeline.
    #[event(key)]
    pub pipeline: String,
    /// Which of its executions: 1 for the first.
    pub execution: u32,
}

/// The first job of a pipeline was begun.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(subject = "pipeline.started", type = "pipeline.started")]
pub struct PipelineStarted {
    /// The pipeline.
    #[event(key)]
    pub pipeline: String,
}

/// No job of a pipeline is left.
#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize, JsonSchema)]
#[event(
    subject = "pipeline.completed",
    type = "pipeline.completed",
    version = "1.1"
)]
pub struct PipelineCompleted {
    /// The pipeline.
    #[event(key)]
    pub pipeline: String,
    /// How many of its jobs were done.
    pub completed: u32,
    /// How many could not be done.
    pub failed: u32,
    /// How many were cancelled: none before version 1.1.
    #[serde(default)]
    pub cancelled: u32,
}

/// What the planner publishes.
#[derive(Debug, EventSet)]
pub enum Planned {
    /// See [`PipelineCreated`].
    Pipeline(PipelineCreated),
    /// See [`PipelineExecutionStarted`].
    Execution(PipelineExecutionStarted),
    /// See [`JobCreated`].
    Created(JobCreated),
    /// See [`JobScheduled`].
    Scheduled(JobScheduled),
    /// See [`JobCancelled`].
    Cancelled(JobCancelled),
}

/// What a worker publishes.
#[derive(Debug, EventSet)]
pub enum Worked {
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
pub enum Progress {
    /// A pipeline begins to be followed.
    Created(PipelineCreated),
    /// One of its jobs was begun.
    Started(JobStarted),
    /// One of its jobs was done.
    Completed(JobCompleted),
    /// One of its jobs could not be done.
    Failed(JobFailed),
    /// One of its jobs was cancelled.
    Cancelled(JobCancelled),
}

/// Every event of this program.
#[derive(Debug, Clone, PartialEq, Eq, EventSet)]
pub enum Everything {
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
    /// See [`JobCancelled`].
    JobCancelled(JobCancelled),
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
    /// See [`PipelineExecutionStarted`].
    PipelineExecutionStarted(PipelineExecutionStarted),
    /// See [`PipelineStarted`].
    PipelineStarted(PipelineStarted),
    /// See [`PipelineCompleted`].
    PipelineCompleted(PipelineCompleted),
}

impl Progress {
    /// The run that the event belongs to.
    pub fn run(&self) -> &str {
        run_of(match self {
            Self::Created(pipeline) => &pipeline.pipeline,
            Self::Started(job) => &job.pipeline,
            Self::Completed(job) => &job.pipeline,
            Self::Failed(job) => &job.pipeline,
            Self::Cancelled(job) => &job.pipeline,
        })
    }
}

impl Everything {
    /// The run that the event belongs to.
    pub fn run(&self) -> &str {
        run_of(match self {
            Self::JobCreated(job) => &job.job,
            Self::JobScheduled(job) => &job.job,
            Self::JobStarted(job) => &job.job,
            Self::JobCompleted(job) => &job.job,
            Self::JobFailed(job) => &job.job,
            Self::JobCancelled(job) => &job.job,
            Self::WorkerConnected(worker) => &worker.worker,
            Self::WorkerDisconnected(worker) => &worker.worker,
            Self::WorkerHeartbeat(worker) => &worker.worker,
            Self::LogChunk(log) => &log.job,
            Self::PipelineCreated(pipeline) => &pipeline.pipeline,
            Self::PipelineExecutionStarted(execution) => &execution.pipeline,
            Self::PipelineStarted(pipeline) => &pipeline.pipeline,
            Self::PipelineCompleted(pipeline) => &pipeline.pipeline,
        })
    }
}

/// What a name begins with.
fn run_of(name: &str) -> &str {
    name.split_once('.').map_or(name, |(run, _)| run)
}
