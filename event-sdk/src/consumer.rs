//! Consumers: the service around the handlers of events.

mod batch;
mod breaker;
mod builder;
mod consumers;
mod ctx;
mod engine;
mod failure;
mod filter;
mod handlers;
mod held;
mod member;
mod options;
mod publish;
mod readiness;
mod report;
mod retry;
#[cfg(feature = "signal")]
mod signal;

pub use batch::{BatchFailure, EventBatch};
pub use breaker::{InvalidProbeInterval, ProbeInterval};
pub use builder::Consumer;
pub use consumers::{ConsumerId, Consumers, ConsumersReport, EndedConsumer};
pub use ctx::Ctx;
pub use failure::{Failure, FailureClass, Outcome};
pub use filter::Filter;
pub use handlers::{Handle, Register};
pub use member::Member;
pub use publish::PublishFrom;
pub use readiness::Readiness;
pub use report::{ConsumerReport, Unfinished};
pub use retry::{InvalidRetry, Retry};
#[cfg(feature = "signal")]
pub use signal::{ShutdownSignal, shutdown_signal};
