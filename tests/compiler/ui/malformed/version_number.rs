//! A version is a text.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = 2)]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = 2.0)]
struct OrderPaid;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = 1.10, action = "gone")]
struct OrderSent;

fn main() {}
