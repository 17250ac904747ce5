//! An event owns its data, also where a lifetime needs no parameter.

use std::borrow::Cow;
use std::collections::BTreeMap;

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPlaced {
    item: &'static str,
    notes: Option<&'static [u8]>,
    prices: BTreeMap<&'static str, (u64, &'static str)>,
}

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders")]
struct OrderPaid(#[serde(borrow)] Cow<'static, str>);

fn main() {}
