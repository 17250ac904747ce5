//! Contracts for other teams: which events a service has, and the JSON Schema
//! of each.
//!
//! ```
//! use event_schemas::Catalogue;
//! use event_sdk::Event;
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! /// An order was placed.
//! #[derive(Event, Serialize, Deserialize, JsonSchema)]
//! #[event(domain = "orders")]
//! struct OrderPlaced { id: u64 }
//!
//! let catalogue = Catalogue::of::<OrderPlaced>();
//! let entry = &catalogue.entries()[0];
//! assert_eq!(entry.spec().subject(), "orders.order.placed");
//! assert_eq!(entry.schema()["properties"]["id"]["type"], "integer");
//! ```

mod catalogue;

pub use catalogue::{Catalogue, Entry, Schemas};
