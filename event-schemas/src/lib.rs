//! Contracts for other teams: which events there are, who publishes and who
//! consumes them, and the JSON Schema of each.
//!
//! ```
//! use event_schemas::{Catalogue, Consumer, Service};
//! use event_sdk::Event;
//! use event_sdk::stream::Stream;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { id: u64 }
//!
//! let catalogue = Catalogue::new("Shop")
//!     .service(Service::new("orders").publishes::<OrderPlaced>())
//!     .service(Service::new("billing").consumes(Consumer::of::<OrderPlaced>("billing")))
//!     .stream(Stream::new("ORDERS").subject("orders.>"))
//!     .example(OrderPlaced { id: 7 });
//!
//! let placed = &catalogue.events()[0];
//! assert_eq!(placed.spec().subject(), "orders.order.placed");
//! assert_eq!(placed.writer()["properties"]["id"]["type"], "integer");
//! assert_eq!(catalogue.consumers_of(placed.spec()).count(), 1);
//! ```

#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod asyncapi;
mod catalogue;
pub mod check;
#[cfg(feature = "cli")]
pub mod cli;
pub mod compat;
mod described;
pub mod lock;
pub mod page;
mod parallel;
pub mod report;
mod schema;
#[cfg(feature = "sources")]
pub mod sources;

pub use catalogue::{
    Catalogue, CatalogueFault, Collect, Consumer, EventEntry, EventName, Service, SetSpec,
};
pub use event_schemas_subset::{Path, Step};
pub use schema::Side;

/// The page on how contracts change; its examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/contracts.md")]
struct ContractsPage;
