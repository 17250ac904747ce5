//! Consumers, which receive the events of a durable and call the handlers of a service.
//!
//! [`EventBus::consumer`](crate::EventBus::consumer) makes a consumer. When it runs, it binds its
//! durable, and calls a handler for each event. It acknowledges handled events, repeats failed
//! attempts, gives up events that cannot succeed, and ends gracefully.
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
//! correlation id and the trace of the handled event, and has the handled event as its cause. If the
//! handler is retried within the duplicate window of the stream, the stream stores the published
//! event only once. Other metadata is inherited only if its name is set by
//! [`inherit_metadata`](Consumer::inherit_metadata).
//!
//! **Failures** have a [class](FailureClass):
//!
//! - *Retry*: the consumer starts the handler again in this process, after a delay from the
//!   [`Retry`] policy. During the delay, the consumer keeps restarting the ack wait of the event,
//!   and handles other events.
//! - *Outage*: a dependency is unavailable, such as a database. This run of the handler does not
//!   count as an attempt. A circuit breaker opens: the events wait, and one event at a time is
//!   handled as a probe, until a probe succeeds.
//! - *Reject*: the consumer gives the event up at once.
//!
//! If a handler panics or exceeds its [time limit](Consumer::handler_timeout), this is a failure of
//! the class *Retry*. (Under `panic = "abort"` a panic ends the process.) An event that is given up
//! becomes a [dead letter](crate::dead_letters).
//!
//! **Restarts.** Attempts are counted across restarts, by records in the
//! [bucket](crate::BusBuilder::coordination) of the bus. The consumer writes a record when an attempt
//! fails, and before it starts a handler for an event that was delivered before. For an event that
//! succeeds at its first delivery, it writes nothing.
//!
//! If the process ends while a handler runs, the handler may be the reason. So the consumer repeats
//! the event alone: no other handler of the process runs at the same time. If the process ends
//! again in each further attempt, the event becomes a dead letter of the class
//! [`KilledProcess`](crate::dead_letters::DeadLetterClass::KilledProcess). Other handlers may have
//! run when the process ended: their events are repeated too, but do not become dead letters
//! because of this. No record is written before the first start of a handler for an event. If the
//! process ends during that start, the start is not counted, and the handler can be started one
//! time more than `max_attempts`.
//!
//! Without the bucket, attempts are counted in the memory of the process, and an event that ends
//! the process is repeated without a limit. While the bucket cannot be reached, an event that was
//! delivered before waits for the bucket up to 5 minutes. Then it is handled while no other handler
//! of the process runs.
//!
//! **Unknown events**, and events of a newer major version, are normal during a rolling deploy. The
//! consumer gives such an event back by a nak with a growing delay, so that an instance of a newer
//! version can receive it. Beyond the bounds of [`delay_unknown`](Consumer::delay_unknown), it
//! becomes a dead letter. A message that is not an event becomes a dead letter at once.
//!
//! **Order.** By default one handler runs at a time, and a retry does not hold up later events.
//! With [`ordered_by_key`](Consumer::ordered_by_key) a retry holds the later events of its key, and
//! no other events. This order holds within a process. Two options extend it to several instances:
//! [`single_active`](Consumer::single_active) lets one instance at a time handle events, and
//! [`partitions`](Consumer::partitions) divides the keys among the instances. With `single_active`,
//! events that wait for a retry of an earlier event of their key can wait in the dead-letter stream
//! ([`Park`](crate::dead_letters::Park)), where they do not count for `max_ack_pending`. They can
//! also wait there behind a dead letter of their key
//! ([`sequenced`](crate::dead_letters::DeadLetters::sequenced)).
//!
//! **Filters** exclude events from handling: [`filter`](Consumer::filter) by the envelope,
//! [`filter_event`](Consumer::filter_event) by the decoded event. Excluded events are acknowledged
//! and counted, and do not count for [`concurrency`](Consumer::concurrency). **Layers** of `tower`
//! wrap each attempt ([`layer`](Consumer::layer)). A **preset** sets several options ([`Preset`]).
//!
//! **The end.** When its signal completes, a consumer stops receiving, gives back the events whose
//! handlers have not started, and waits for the handlers that run. [`Readiness`] becomes false
//! before the consumer stops receiving. The function `shutdown_signal` (feature `signal`) completes
//! when the process receives a signal to end.
//!
//! [`Consumers`] runs several consumers in one process. It can wait until all of them receive
//! ([`ready`](Consumers::ready)), or until no event is left to handle ([`idle`](Consumers::idle)).

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
