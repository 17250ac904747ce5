//! Contracts for other teams: the catalogue of events with publishers and consumers, JSON
//! Schemas, lock, compatibility checks, AsyncAPI and a catalogue page.
//!
//! ```
//! use event_schemas::{Catalogue, Consumer, Service};
//! use event_sdk::Event;
//! use event_sdk::stream::StreamSpec;
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
//!     .stream(StreamSpec::new("ORDERS").subject("orders.>"))
//!     .example(OrderPlaced { id: 7 });
//!
//! let placed = &catalogue.events()[0];
//! assert_eq!(placed.spec().subject(), "orders.order.placed");
//! assert_eq!(placed.writer()["properties"]["id"]["type"], "integer");
//! assert_eq!(catalogue.consumers_of(placed.spec()).count(), 1);
//! ```
//!
//! # Modules
//!
//! - `catalogue`: services, streams and events, collected from Rust types;
//! - `schema`: the JSON Schema of each event;
//! - [`lock`]: the contracts of all versions as committed files;
//! - [`compat`]: compares versions: breaks, counterexamples, upcasters, waivers;
//! - [`check`]: compares code, lock and git ref;
//! - [`report`]: prints the findings as text, JSON, SARIF or GitHub annotations;
//! - `parallel`: processes many events, on as many threads as there are cores;
//! - `described`: the catalogue in the form that `asyncapi` and `page` share;
//! - [`asyncapi`], [`page`]: the catalogue as an AsyncAPI document and as an HTML page;
//! - `sources` (feature `sources`): finds derived events that no catalogue lists;
//! - `cli` (feature `cli`): the command line `schemas`.

#![warn(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod parallel;

mod catalogue;
mod schema;

pub mod lock;

pub mod compat;

pub mod check;
pub mod report;

mod described;

pub mod asyncapi;
pub mod page;

#[cfg(feature = "sources")]
pub mod sources;

#[cfg(feature = "cli")]
pub mod cli;

pub use catalogue::{
    Catalogue, CatalogueFault, Collect, Consumer, EventEntry, EventName, Service, SetSpec,
};
pub use event_schemas_subset::{Path, Step};
pub use schema::Side;

/// The page on how contracts change; its examples are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/contracts.md")]
struct ContractsPage;

/// The README's example, run with the documentation's.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
