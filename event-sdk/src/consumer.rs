//! Consumers: the service around the handlers of events.

mod batch;
mod breaker;
mod builder;
mod ctx;
mod engine;
mod failure;
mod handlers;
mod held;
mod options;
mod publish;
mod report;
mod retry;
mod watchdog;

pub use batch::{BatchFailure, EventBatch};
pub use breaker::{InvalidProbeInterval, ProbeInterval};
pub use builder::Consumer;
pub use ctx::Ctx;
pub use failure::{Failure, FailureClass, Outcome};
pub use handlers::{Handle, Register};
pub use publish::PublishFrom;
pub use report::{ConsumerReport, Unfinished};
pub use retry::{InvalidRetry, Retry};
