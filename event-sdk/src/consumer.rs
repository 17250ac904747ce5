//! Consumers: the runtime around a handler (retry, circuit breaker, attempt records).

mod retry;

pub use retry::{InvalidRetry, Retry};
