//! What arrives has to be readable: attributes that prevent it are refused, those that count for
//! writing alone are not.

use std::collections::HashMap;

use event_sdk::Readable;
use serde::Deserialize;

#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
#[serde(deny_unknown_fields)]
struct OrderPlaced {
    #[event(key)]
    #[serde(skip_deserializing)]
    id: u64,
}

#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid {
    #[event(key)]
    #[serde(skip)]
    id: u64,
    #[serde(rename(deserialize = "price"))]
    cents: u64,
    #[serde(alias = "price")]
    amount: u64,
}

#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
struct OrderSent {
    #[serde(flatten)]
    some: HashMap<String, u64>,
    #[serde(flatten)]
    others: HashMap<String, u64>,
}

#[derive(Readable, Deserialize)]
#[event(domain = "orders")]
#[serde(rename_all(serialize = "camelCase", deserialize = "UPPERCASE"))]
struct OrderLost {
    id: u64,
    #[serde(rename = "ID")]
    other: u64,
    name: &'static str,
}

fn main() {}
