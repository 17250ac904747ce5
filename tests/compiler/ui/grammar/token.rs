//! Each token obeys the house grammar.

use event_sdk::Event;
use serde::{Deserialize, Serialize};

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "Orders")]
struct OrderPlaced;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "shop.orders")]
struct OrderPaid;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "", entity = "order line", action = "größer")]
struct OrderLineGrown;

#[derive(Event, Serialize, Deserialize)]
#[event(domain = "orders", action = "*")]
struct OrderSent;

fn main() {}
