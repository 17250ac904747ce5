//! Consumers: the runtime around a handler (retry, circuit breaker, attempt records).

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the engine of the consumer uses it")
)]
mod attempts;
#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the engine of the consumer uses the breaker")
)]
mod breaker;
mod retry;

pub use breaker::{InvalidProbeInterval, ProbeInterval};
pub use retry::{InvalidRetry, Retry};
