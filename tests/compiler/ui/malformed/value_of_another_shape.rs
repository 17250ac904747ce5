//! Texts have quotes.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = orders, version = 1.0)]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain, version =)]
struct OrderPaid;

#[derive(Event, Serialize, Deserialize)]
#[event(domain("orders"))]
struct OrderSent;

fn main() {}
