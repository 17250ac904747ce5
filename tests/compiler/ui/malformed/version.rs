//! A version is two numbers.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "1")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "v2.1")]
struct OrderPaid;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "1.70000")]
struct OrderSent;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", version = "1.2.3")]
struct OrderLost;

fn main() {}
