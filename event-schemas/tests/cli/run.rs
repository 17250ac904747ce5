//! Test support: a catalogue, and commands run on it.

use std::path::Path;

use event_schemas::{Catalogue, Consumer, Service, cli};
use event_sdk::stream::StreamSpec;
use event_sdk::{Event, EventSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An order was placed.
///
/// Its price is what the customer was shown.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub(crate) struct OrderPlaced {
    /// The order.
    #[event(key)]
    pub(crate) id: u64,
    /// What was ordered.
    pub(crate) items: Vec<Item>,
    /// What the customer wrote.
    pub(crate) note: Option<String>,
}

/// Something that was ordered.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(crate) struct Item {
    /// The article.
    pub(crate) article: String,
    /// In cents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<i32>,
}

/// An order was paid.
#[derive(Event, Serialize, Deserialize, JsonSchema)]
#[event(domain = "orders")]
pub(crate) struct OrderPaid {
    #[event(key, in_subject)]
    id: u64,
}

#[derive(EventSet)]
#[allow(dead_code, reason = "a set of what is published; nobody matches on it")]
enum Orders {
    Placed(OrderPlaced),
    Paid(OrderPaid),
}

pub(crate) fn shop() -> Catalogue {
    Catalogue::new("Shop")
        .service(Service::new("orders").publishes::<Orders>())
        .service(Service::new("billing").consumes(Consumer::of::<OrderPlaced>("billing")))
        .stream(StreamSpec::new("ORDERS").subject("orders.>"))
        .example(OrderPlaced {
            id: 7,
            items: vec![Item {
                article: "lamp".to_owned(),
                price: Some(990),
            }],
            note: None,
        })
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `schemas` with the words of `args`, the lock being in `dir`.
pub(crate) fn schemas(catalogue: &Catalogue, dir: &Path, args: &str) -> Ended {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let dir = dir.to_str().unwrap();
    let words = ["schemas"].into_iter().chain(args.split_whitespace());
    let words = words.chain(["--dir", dir]);
    let code = cli::run_from(catalogue, words, &mut out, &mut err);
    Ended {
        code,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}
