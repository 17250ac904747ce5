//! Typed domain events: derive [`Event`] on a struct, publish its values, and receive them as the
//! same type.
//!
//! ```
//! use event_sdk::{Event, EventBus, EventSet};
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")] // entity `order`, action `placed`, version 1.0
//! struct OrderPlaced { #[event(key)] id: u64 }
//!
//! /// An order was paid.
//! #[derive(Event, Serialize, Deserialize)]
//! #[event(domain = "orders")]
//! struct OrderPaid { #[event(key)] id: u64, cents: u64 }
//!
//! #[derive(EventSet)]
//! enum OrderEvents { Placed(OrderPlaced), Paid(OrderPaid) }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = EventBus::memory();
//! let mut orders = bus.subscribe::<OrderEvents>().durable("billing").await?;
//! let payments = bus.publisher::<OrderPaid>();
//!
//! bus.publisher().publish(OrderPlaced { id: 7 }).await?;
//! let delivery = orders.next().await.ok_or("the bus was closed")??;
//! match delivery.decode()? {
//!     OrderEvents::Placed(order) => {
//!         let paid = OrderPaid { id: order.id, cents: 990 };
//!         payments.publish(paid).caused_by(&delivery).await?; // inherits the correlation id
//!     }
//!     OrderEvents::Paid(_) => {}
//! }
//! delivery.ack().await?;
//!
//! let paid = orders.next().await.ok_or("the bus was closed")??;
//! assert_eq!(paid.head()?.metadata.causation_id, Some(delivery.head()?.event_id.into()));
//! # Ok(())
//! # }
//! ```
//!
//! # A tour
//!
//! - An **event** is a struct that derives [`Event`], or [`Readable`] if it is only received. A
//!   **set** is an enum of events that derives [`EventSet`]. A wrong subject, a duplicate in a set,
//!   or a type that is not an event does not compile. [`subject!`] checks a pattern.
//! - A service shares one [`EventBus`]. [`EventBus::memory`] makes a bus in this process;
//!   [`EventBus::builder`] sets transport, prefix, streams, clock and codec.
//! - [`Publisher::publish`] stores an event, and returns its stream and sequence. A [`Prepared`]
//!   event has a fixed id and time. If it is published again, the stream recognizes the duplicate.
//!   Each [`PublishError`] contains the prepared event.
//! - [`Publisher::publish_at`] and [`publish_after`](Publisher::publish_after) publish an event
//!   later; [`EventBus::schedules`] cancels and lists scheduled events.
//! - [`EventBus::subscribe`] binds a consumer of the server, or creates one. The consumer keeps the
//!   position in the stream. Subscribing never changes an existing consumer. A [`Subscriber`] is a
//!   stream of [`Delivery`]s. A message that is not an event of the set is a delivery too; its
//!   [`decode`](Message::decode) returns an error. A [`Batch`] has several deliveries that are
//!   settled together.
//! - [`EventBus::consumer`] runs handlers, with retries, order by key, dead letters and a graceful
//!   end; see [`consumer`].
//! - [`EventBus::history`] reads stored events without a consumer.
//! - [`EventBus::raw`] publishes and receives subject, headers and bytes without a Rust type;
//!   [`Publisher::encode`] returns an event in this form, for outboxes.
//! - [`EventBus::apply`] creates and changes the declared streams and durables;
//!   [`EventBus::apply_streams`] does this for the streams only. A bus on the memory transport
//!   creates its declared streams when it is built. Publishing and subscribing never create or
//!   change a stream. With the package `event-sdk-topology`, you declare all streams and durables
//!   as one constant, and plan, apply and verify it.
//! - `EventBus::from_env` makes a bus from environment variables or a file: see `config`.
//! - [`EventBus::drain`] shuts down gracefully.
//! - [`Pii`] marks personal data: it is serialized as its value, and redacted in `Debug`.
//! - [`EnvelopeHeader`] has the fields of the envelope except the data; [`codec`] encodes and
//!   decodes envelopes.
//! - [`transport`] has the `Transport` trait and [`Error`]. A program can match on the
//!   [`kind`](Error::kind) of an error.
//!
//! # Guides
//!
//! A drawing of the whole is in the [README](https://github.com/event-sdk/event-sdk#readme). There
//! is one page for each task:
//!
//! - to set up: [configuration], [topology], [production], [security], [several regions],
//!   [rolling deploys];
//! - to lose, repeat and reorder nothing: [order], [dead letters], [the outbox], [the inbox],
//!   [durability];
//! - to compare: [benchmarks];
//! - to operate: [health and metrics], [the runbook], [commands], [troubleshooting],
//!   [backup and restore], [after a restore];
//! - with other teams and systems: [contracts], [the wire contract],
//!   [coming from another system], [leaving the SDK].
//!
//! [configuration]: https://github.com/event-sdk/event-sdk/blob/main/docs/configuration.md
//! [topology]: https://github.com/event-sdk/event-sdk/blob/main/docs/topology.md
//! [production]: https://github.com/event-sdk/event-sdk/blob/main/docs/production.md
//! [security]: https://github.com/event-sdk/event-sdk/blob/main/docs/security.md
//! [rolling deploys]: https://github.com/event-sdk/event-sdk/blob/main/docs/rolling-deploys.md
//! [several regions]: https://github.com/event-sdk/event-sdk/blob/main/docs/multi-region.md
//! [order]: https://github.com/event-sdk/event-sdk/blob/main/docs/ordering.md
//! [dead letters]: https://github.com/event-sdk/event-sdk/blob/main/docs/dead-letters.md
//! [the outbox]: https://github.com/event-sdk/event-sdk/blob/main/docs/outbox.md
//! [the inbox]: https://github.com/event-sdk/event-sdk/blob/main/docs/inbox.md
//! [durability]: https://github.com/event-sdk/event-sdk/blob/main/docs/durability.md
//! [benchmarks]: https://github.com/event-sdk/event-sdk/blob/main/docs/benchmarks.md
//! [health and metrics]: https://github.com/event-sdk/event-sdk/blob/main/docs/health.md
//! [commands]: https://github.com/event-sdk/event-sdk/blob/main/docs/commands.md
//! [the runbook]: https://github.com/event-sdk/event-sdk/blob/main/docs/runbook.md
//! [troubleshooting]: https://github.com/event-sdk/event-sdk/blob/main/docs/troubleshooting.md
//! [backup and restore]: https://github.com/event-sdk/event-sdk/blob/main/docs/backup.md
//! [after a restore]: https://github.com/event-sdk/event-sdk/blob/main/docs/recover.md
//! [contracts]: https://github.com/event-sdk/event-sdk/blob/main/docs/contracts.md
//! [the wire contract]: https://github.com/event-sdk/event-sdk/blob/main/docs/wire-contract.md
//! [coming from another system]: https://github.com/event-sdk/event-sdk/blob/main/docs/seeds.md
//! [leaving the SDK]: https://github.com/event-sdk/event-sdk/blob/main/docs/leaving.md
//!
//! # Features
//!
//! - `memory` (default): the memory transport.
//! - `nats`: the NATS JetStream transport, and core NATS without streams.
//! - `config`: configuration by environment, TOML file and code, and a bus from this configuration.
//! - `schemars`: `JsonSchema` for [`Pii`], for event crates that derive `JsonSchema`.
//!
//! # Modules
//!
//! - [`observer`]: reports what a bus does to your code, for metrics;
//! - `bus`: the bus, its builder, and the subjects and streams of a set;
//! - `cause`: correlation and causation of an event;
//! - [`trace`]: trace context and spans;
//! - `schedules`: cancels and lists events that are published later;
//! - `publish`: publishers, prepared events, batches, errors;
//! - [`transport`]: memory and NATS;
//! - `subscribe`: options, subscriber, deliveries and batches;
//! - `delayed_naks`: the bounds on delayed naks of unknown events;
//! - `process_gate`: runs a handler together with other handlers of the process, or alone;
//! - [`consumer`]: runs handlers, with retry, order, dead letters and a graceful end;
//! - `partition`: the partition of a key, and the number of its owner;
//! - `message`: a received or stored message, and its decoding;
//! - `history`: reads stored events;
//! - `raw`: publishes and receives bytes without a type;
//! - [`dead_letters`]: events that a consumer gave up, and the stores that keep them;
//! - `config`: reads the configuration, and makes a bus from it;
//! - [`time`]: clocks and ids.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod observer;

mod partition;

mod bus;

mod cause;
pub mod trace;

mod schedules;

mod publish;

pub mod transport;

mod subscribe;

mod delayed_naks;

mod process_gate;

mod message;

mod history;

mod raw;

pub mod consumer;

pub mod dead_letters;

#[cfg(feature = "config")]
pub mod config;

/// Clocks and id sources: the defaults of a bus, and others for tests.
pub mod time {
    pub use event_sdk_clock::*;
}

pub use bus::{Applied, AppliedConsumer, BusBuilder, ConsumerSpec, EventBus};
pub use cause::{AsCause, Cause};
// The macros name the crate from which they were taken: these shadow core's own.
pub use event_sdk_core::__private::macros_of_sdk::{Event, EventSet, Readable, subject};
pub use event_sdk_core::*;
pub use history::{History, HistoryQuery, StoredEvent};
pub use message::{DecodeError, Message};
pub use publish::{
    EncodedEvent, IntoPublishable, Prepared, Publish, PublishAll, PublishAllError, PublishError,
    PublishFuture, PublishLater, Publishable, Published, PublishedLater, Publisher, PublisherSet,
    RawPublish,
};
pub use raw::{RawBus, Untyped};
pub use schedules::{Schedules, WaitingEvent};
pub use subscribe::{Batch, DelayUnknown, Delivery, Incoming, NoticeCounts, Subscribe, Subscriber};
pub use trace::{InvalidTrace, TraceContext};

/// The target of everything that the crate logs with `tracing`.
const TRACING_TARGET: &str = "event_sdk";

#[doc(hidden)]
pub use event_sdk_core::__private;

/// The program of an earlier README has to compile still.
#[cfg(doctest)]
#[doc = include_str!("../tests/earlier_readme.md")]
struct EarlierReadme;

/// The README's example has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The examples of the page on configuration have to compile.
#[cfg(all(doctest, feature = "config", feature = "nats"))]
#[doc = include_str!("../../docs/configuration.md")]
struct Configuration;

/// The examples of the page on production have to compile.
#[cfg(all(doctest, feature = "nats"))]
#[doc = include_str!("../../docs/production.md")]
struct Production;
