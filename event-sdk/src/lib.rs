//! Typed domain events: derive [`Event`] on a struct, publish it, receive it typed.
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
//!         payments.publish(paid).caused_by(&delivery).await?; // the same story
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
//! - An **event** is a struct that derives [`Event`]; a **set** an enum of events
//!   that derives [`EventSet`]. A wrong subject, a duplicate in a set and a type
//!   that is no event do not compile. [`subject!`] checks a pattern.
//! - The [`EventBus`] is what a service passes around. [`EventBus::memory`] is one
//!   in this process; [`EventBus::builder`] sets prefix, streams, clock and codec.
//! - [`Publisher::publish`] stores an event and answers where. A [`Prepared`] event
//!   has its id and time: publishing it again is the same event. Every
//!   [`PublishError`] gives it back.
//! - [`EventBus::subscribe`] binds a consumer or creates it, and never changes one.
//!   A [`Subscriber`] is a stream of [`Delivery`]s; a message that is no event of the
//!   set is a delivery too, and [`Message::decode`] says what is wrong with it. A
//!   [`Batch`] has several, settled together.
//! - [`EventBus::history`] reads what is stored.
//! - [`EventBus::apply_streams`] creates and changes the declared streams, and nothing
//!   else does; [`EventBus::drain`] ends in good order.
//! - [`Pii`] marks personal data: on the wire the value, in `Debug` not.
//! - [`EnvelopeHeader`] is everything in the envelope but the data; [`codec`] writes and reads it.
//! - [`transport`] has the contract of what carries messages, and [`Error`], whose
//!   [`kind`](Error::kind) is what a program decides by.
//!
//! # Features
//!
//! - `memory` (default): the memory transport.
//! - `nats`: the NATS JetStream transport, and core NATS without streams.
//! - `schemars`: `JsonSchema` for [`Pii`], for crates of events that derive it.
#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bus;
mod cause;
mod history;
mod message;
mod publish;
mod subscribe;
mod trace;

pub mod transport;

/// The clock and the ids that a bus uses unless it is given others, and those of tests.
pub mod time {
    pub use event_sdk_clock::*;
}

pub use bus::{Applied, AppliedConsumer, BusBuilder, ConsumerSpec, EventBus};
pub use cause::{AsCause, Cause};
// The macros name the crate from which they were taken: these shadow core's own.
pub use event_sdk_core::__private::macros_of_sdk::{Event, EventSet, subject};
pub use event_sdk_core::*;
pub use history::{History, HistoryQuery, StoredEvent};
pub use message::{DecodeError, Message};
pub use publish::{
    IntoPublishable, Prepared, Publish, PublishAll, PublishAllError, PublishError, PublishFuture,
    Publishable, Published, Publisher, PublisherSet,
};
pub use subscribe::{Batch, Delivery, Subscribe, Subscriber};
pub use trace::{InvalidTrace, TraceContext};

/// Under which target what happens here is logged.
const TRACING_TARGET: &str = "event_sdk";

#[doc(hidden)]
pub use event_sdk_core::__private;

/// The README's example has to compile.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// So have those of the page on production.
#[cfg(all(doctest, feature = "nats"))]
#[doc = include_str!("../../docs/production.md")]
struct Production;
