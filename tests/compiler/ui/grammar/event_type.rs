//! A type is made of house tokens.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", type = "Order.Placed")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", type = "order..paid")]
struct OrderPaid;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", type = "")]
struct OrderSent;

fn main() {}
