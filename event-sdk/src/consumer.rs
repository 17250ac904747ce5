//! Consumers, which run the handlers of a service over a durable.
//!
//! [`EventBus::consumer`](crate::EventBus::consumer) binds a durable, and calls a handler for each
//! of its events. The consumer acknowledges handled events, retries failed ones, gives up events
//! that cannot succeed, and ends gracefully.
//!
//! ```
//! use event_sdk::consumer::{Ctx, Failure, Outcome, Retry};
//! use event_sdk::dead_letters::{DeadLetters, MemoryDeadLetters};
//! use event_sdk::{Event, EventBus, EventSet};
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { #[event(key)] id: u64, cents: u64 }
//!
//! /// An order was billed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "billing")]
//! struct OrderBilled { id: u64 }
//!
//! async fn bill(order: OrderPlaced, ctx: Ctx) -> Outcome {
//!     if order.cents == 0 {
//!         return Err(Failure::reject("nothing to bill"));
//!     }
//!     ctx.publish(OrderBilled { id: order.id }).await?; // caused by the order
//!     Ok(())
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = EventBus::memory();
//! bus.publisher().publish(OrderPlaced { id: 7, cents: 990 }).await?;
//!
//! let mut billed = bus.subscribe::<OrderBilled>().await?;
//! let letters = MemoryDeadLetters::new();
//! let report = bus
//!     .consumer::<OrderPlaced>("billing")
//!     .on(bill)
//!     .retry(Retry::at_least_once())
//!     .dead_letters(DeadLetters::memory(&letters))
//!     .ordered_by_key()
//!     .concurrency(8)
//!     .run_until(async { drop(billed.next().await) }) // a service: `shutdown_signal()`
//!     .await?;
//! assert_eq!(report.handled, 1);
//! # Ok(())
//! # }
//! ```
//!
//! A **handler** is a closure for one event ([`on`](Consumer::on),
//! [`on_blocking`](Consumer::on_blocking)), a type that implements [`Handle`] for each event
//! ([`handled_by`](Consumer::handled_by)), one function for the whole set
//! ([`each`](Consumer::each)), or one for [batches](Consumer::on_batches).
//!
//! **Published events.** An event that a handler publishes through its [`Ctx`] inherits the
//! correlation id and the trace of the handled event, and has the handled event as its cause. It is
//! stored once, even if the handler is retried. Other metadata is inherited only if it is named
//! ([`inherit_metadata`](Consumer::inherit_metadata)).
//!
//! **Failures** have a [class](FailureClass). After a *retry* failure, the handler is started again
//! in this process, when the [`Retry`] policy says so. Until then the consumer restarts the ack
//! wait of the event, and handles other events. An *outage* (a dependency is unavailable, such as a
//! database) does not count as an attempt. It opens a circuit breaker, at which events wait until a
//! probe succeeds. A *reject* gives the event up at once. A handler that panics, or exceeds its
//! [time limit](Consumer::handler_timeout), has failed; under `panic = "abort"` a panic ends the
//! process. An event that is given up becomes a [dead letter](crate::dead_letters).
//!
//! **Restarts.** Attempts are counted across restarts, in the
//! [bucket](crate::BusBuilder::coordination) of the bus. A record is written when an attempt fails,
//! and before each start of an event that was delivered before; an event that succeeds at once
//! writes nothing. If the process ended while a handler ran, the event of that handler is repeated
//! alone: no other handler of the process runs at the same time. If the process ends again in each
//! further attempt, the event becomes a dead letter of the class
//! [`KilledProcess`](crate::dead_letters::DeadLetterClass::KilledProcess). Other events whose
//! handlers ran when the process ended are repeated too, but do not become dead letters because of
//! this. The start of a handler at the first delivery of its event is not recorded. If the process
//! ends in that start, the handler is started one time more than `max_attempts`. Without the
//! bucket, attempts are counted in the process, and an event that ends the process is repeated
//! without a limit. While the bucket cannot be reached, an event that was delivered before waits up
//! to 5 minutes, and then runs alone in its process.
//!
//! **Unknown events**, and events of a newer major version, are normal during a rolling deploy.
//! They are given back with a growing delay, for a newer instance. Beyond the bounds of
//! [`delay_unknown`](Consumer::delay_unknown) they become dead letters. A message that is not an
//! event becomes a dead letter at once.
//!
//! **Order.** By default one handler runs at a time, and a retry does not hold up later events.
//! With [`ordered_by_key`](Consumer::ordered_by_key) a retry holds the later events of its key, and
//! no other events. This order holds within a process. It holds across instances with
//! [`single_active`](Consumer::single_active), which lets one instance at a time handle events, or
//! with [`partitions`](Consumer::partitions), which shares the keys among the instances. With one
//! owner, later events of a waiting key can wait in the dead-letter stream
//! ([`Park`](crate::dead_letters::Park)), where they take no place in `max_ack_pending`. They can
//! also wait there behind a dead letter
//! ([`sequenced`](crate::dead_letters::DeadLetters::sequenced)).
//!
//! **Filters** exclude events from handling: [`filter`](Consumer::filter) by the envelope,
//! [`filter_event`](Consumer::filter_event) by the decoded event. Excluded events are acknowledged
//! and counted, and take no part in the concurrency. **Layers** of `tower` are around each attempt
//! ([`layer`](Consumer::layer)). A **preset** sets several options ([`Preset`]).
//!
//! **The end.** When its signal completes, a consumer stops receiving, gives back the events whose
//! handlers have not started, and waits for the handlers that run. [`Consumers`] runs several
//! consumers in one process, and waits until all receive ([`ready`](Consumers::ready)) or nothing
//! is left to do ([`idle`](Consumers::idle)). [`Readiness`] turns false before a consumer stops
//! receiving. `shutdown_signal`, of the feature `signal`, completes when the process is told to
//! end.

mod activity;
mod attempts;
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
mod inbox;
mod layer;
mod member;
mod monitor;
mod opener;
mod options;
mod owned;
mod owner;
mod preset;
mod publish;
mod readiness;
mod report;
mod retry;
#[cfg(feature = "signal")]
mod signal;
mod stop;
mod watchdog;

#[cfg(test)]
mod model;

pub use crate::partition::OwnerEpoch;
pub use batch::{BatchFailure, EventBatch, HandleBatch};
pub use breaker::{InvalidProbeInterval, ProbeInterval};
pub use builder::Consumer;
pub use consumers::{ConsumerId, Consumers, ConsumersReport, EndedConsumer};
pub use ctx::Ctx;
pub use failure::{Failure, FailureClass, Outcome};
pub use filter::Filter;
pub use handlers::{Handle, Register};
pub use inbox::Inbox;
pub use layer::{Attempt, AttemptError, AttemptFuture, AttemptService};
pub use member::{Member, Takes};
pub use monitor::ConsumerMonitor;
pub use preset::Preset;
pub use publish::PublishFrom;
pub use readiness::Readiness;
pub use report::{ConsumerReport, Unfinished};
pub use retry::{InvalidRetry, Retry};
#[cfg(feature = "signal")]
pub use signal::{ShutdownSignal, shutdown_signal};
