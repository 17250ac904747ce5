//! Test support: events in several versions.

use std::fs;
use std::path::Path;

use event_schemas::lock::{self, Conflict, GenerateError, Options, Written};
use event_schemas::{Catalogue, Consumer, Service};
use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Defines an event with the subject of `Placed` in a module of its own.
macro_rules! placed {
    ($module:ident, $version:literal, { $($field:tt)* }) => {
        pub(crate) mod $module {
            use super::*;

            /// An order was placed.
            #[derive(Event, Serialize, Deserialize, JsonSchema)]
            #[event(domain = "orders", entity = "order", action = "placed", version = $version)]
            pub(crate) struct Placed { $($field)* }
        }
    };
}

placed!(first, "1.0", {
    /// The order.
    pub(crate) id: u64,
    /// What a customer wrote.
    pub(crate) note: Option<String>,
});
placed!(described, "1.0", {
    /// The number of the order.
    pub(crate) id: u64,
    /// What a customer wrote.
    pub(crate) note: Option<String>,
});
placed!(renamed, "1.0", {
    pub(crate) number: u64,
    pub(crate) note: Option<String>,
});
placed!(minor, "1.1", {
    pub(crate) id: u64,
    pub(crate) note: Option<String>,
    pub(crate) gift: Option<bool>,
});

/// The second major version, made from the first.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(
    domain = "orders",
    entity = "order",
    action = "placed",
    version = "2.0",
    upcast_from = first::Placed
)]
pub(crate) struct PlacedV2 {
    pub(crate) number: u64,
}

impl TryFrom<first::Placed> for PlacedV2 {
    type Error = String;

    fn try_from(old: first::Placed) -> Result<Self, String> {
        match old.note.as_deref() {
            Some("void") => Err("void orders are none".to_owned()),
            _ => Ok(Self { number: old.id }),
        }
    }
}

/// The second major version, without a way from the first.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(
    domain = "orders",
    entity = "order",
    action = "placed",
    version = "2.0"
)]
pub(crate) struct NoWay {
    pub(crate) number: u64,
}

/// An order was paid.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub(crate) struct OrderPaid {
    #[event(key)]
    pub(crate) id: u64,
    pub(crate) cents: u64,
}

/// What the shop publishes, with one version of `Placed`.
#[derive(EventSet)]
#[allow(
    dead_code,
    reason = "sets of what is published; nobody matches on them"
)]
pub(crate) enum Orders {
    Placed(first::Placed),
    Paid(OrderPaid),
}

/// The catalogue with the first version.
pub(crate) fn shop() -> Catalogue {
    let billing = Consumer::of::<Orders>("billing").max_deliver(5);
    Catalogue::new("Shop")
        .service(Service::new("orders").publishes::<Orders>())
        .service(Service::new("billing").consumes(billing))
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .example(first::Placed {
            id: 7,
            note: Some("by the door".to_owned()),
        })
}

/// A catalogue with another version of `Placed`.
pub(crate) fn shop_with<E: Event + JsonSchema>() -> Catalogue {
    Catalogue::new("Shop")
        .events_of::<E>()
        .events_of::<OrderPaid>()
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
}

pub(crate) fn generate(catalogue: &Catalogue, dir: &Path) -> Result<Written, GenerateError> {
    lock::generate(catalogue, dir, &Options::default())
}

/// The conflicts for which it was not written.
pub(crate) fn conflicts(result: Result<Written, GenerateError>) -> Vec<Conflict> {
    match result {
        Err(GenerateError::Conflicts(conflicts)) => conflicts,
        other => panic!("no conflicts but {other:?}"),
    }
}

/// Every file under `dir` with its content, sorted.
pub(crate) fn files(dir: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap();
                found.push((name.replace('\\', "/"), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}
